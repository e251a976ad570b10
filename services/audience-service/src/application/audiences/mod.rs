//! Audiences: creating, listing, changing, dropping, restoring, emptying, copying.

mod change;
mod clear;
mod create;
mod duplicate;
mod list;

pub use change::ChangeAudience;
pub use clear::Cleared;
pub(crate) use clear::{UNDO, clear_params};
pub use create::{CreateAudience, Created};
pub use duplicate::Accepted;
pub(crate) use duplicate::DuplicateParams;
pub use list::ListAudiences;
