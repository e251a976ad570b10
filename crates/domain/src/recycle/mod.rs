//! Recycling: why a contact leaves an audience, which reason counts, and what is reported of attempts.

mod outcome;
mod reason;
mod rules;

pub use outcome::{Outcome, OutcomeFact, OutcomeRecord, parse_outcome};
pub use reason::{Reason, Reasons};
pub use rules::{
    Attempts, Contacted, DuplicateKeep, DuplicateKey, Duplicates, Keep, OutcomeFacts, Rules, Target,
};
