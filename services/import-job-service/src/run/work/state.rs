//! Where a run over tickets stands.

use domain::importing::TicketRun;
use serde::{Deserialize, Serialize};

/// What a run over tickets is taken up from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// What the domain knows of it.
    pub run: TicketRun,
    /// Tickets of the list.
    pub walked: u64,
    /// Tickets whose messages were due when the list was walked.
    pub owed: u64,
    /// Those of them that are done with.
    pub read: u64,
}
