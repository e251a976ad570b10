//! The sender of e-mail: `ports::sending::MessageSender` over SMTP.

#![deny(missing_docs)]

mod connection;
mod letter;
mod sender;
mod settings;

pub use sender::SmtpSender;
pub use settings::{Security, SetupError, SmtpSettings};
