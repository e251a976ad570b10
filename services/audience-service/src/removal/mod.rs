//! Removals apart from recycling: emptying an audience, taking a removal back, deleting what was removed.

mod clear;
mod purge;
mod undo;
mod withhold;

pub use clear::{ClearAudience, Cleared};
pub(crate) use purge::RunPurge;
pub use undo::UndoOperation;
pub use withhold::Withhold;
