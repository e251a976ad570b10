//! Communications, as their owners make, read and cancel them.

mod cancel;
mod create;
mod read;

pub use cancel::CancelCommunication;
pub use create::{CreateCommunication, NewCommunication};
pub use read::ReadCommunications;
