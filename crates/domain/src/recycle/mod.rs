//! Recycling: why a contact leaves an audience, and which reason counts.

mod reason;
mod rules;

pub use reason::{Reason, Reasons};
pub use rules::{
    Attempts, Contacted, DuplicateKeep, DuplicateKey, Duplicates, Keep, Outcome, OutcomeFact,
    OutcomeFacts, Rules, Target,
};
