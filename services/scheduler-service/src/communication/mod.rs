//! Communications, as their owners make, read and change them.

mod change;
mod check;
mod create;
mod preview;
mod read;

pub use change::ChangeCommunication;
pub use check::CheckPlan;
pub use create::{CreateCommunication, NewCommunication};
pub use preview::{Outlook, PreviewCommunication};
pub use read::ReadCommunications;
