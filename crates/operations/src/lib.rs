//! Long work: the frame that workers run operations in, whatever these do. It claims an operation, keeps its
//! lease, tries again where a store is away, and ends what did not end itself. It knows no feature: a service
//! says by [`Handler`] what to run.

mod control;
mod ending;
mod frame;
mod job;
mod read;
mod signals;

pub use control::{Control, cancel, retry};
pub use ending::Ending;
pub use frame::{Frame, Handler, WorkOutcome};
pub use job::Job;
pub use read::Abilities;
pub use signals::Signals;
