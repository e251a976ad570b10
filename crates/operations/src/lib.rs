//! Long work: the frame that workers run operations in, whatever these do. It claims an operation, keeps its
//! lease, tries again where a store is away, and ends what did not end itself. It knows no feature: a capability
//! says by a [`Job`] what to run, and a service registers its [`Jobs`].

mod control;
mod ending;
mod frame;
mod job;
mod read;
mod run;
mod signals;
mod worker;

pub use control::{CONFIRMED, Control, cancel, confirm, retry};
pub use ending::Ending;
pub use frame::{Frame, WorkOutcome};
pub use job::{End, Job, Jobs, params};
pub use read::Abilities;
pub use run::Run;
pub use signals::Signals;
pub use worker::work;
