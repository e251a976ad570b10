//! Long work: the frame that workers run operations in, whatever these do. It claims an operation, keeps its
//! lease, tries again where a store is away, and ends what did not end itself. It knows no feature: a service
//! says by [`Handler`] what to run.

mod ending;
mod frame;
mod job;
mod signals;

pub use ending::Ending;
pub use frame::{Frame, Handler, JobError, WorkOutcome};
pub use job::{Halt, Job};
pub use signals::{Signals, Stop};
