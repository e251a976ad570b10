//! States of an operation and the moves between them.

use crate::shared::text_enum;

text_enum!(
    /// Where an operation stands.
    OperationState {
        /// Accepted, not yet taken by a worker.
        Queued = "queued",
        /// Held back for a reason it names.
        Waiting = "waiting",
        /// A worker has it.
        Running = "running",
        /// Ended; see its result.
        Succeeded = "succeeded",
        /// Ended; see its error.
        Failed = "failed",
        /// Ended on request; nothing of it shows.
        Cancelled = "cancelled",
    }
);

text_enum!(
    /// How a succeeded operation ended.
    OperationResult {
        /// Everything was done.
        Complete = "complete",
        /// Some rows were rejected; the report says how many and why.
        Partial = "partial",
    }
);

/// Why an operation failed or was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Failure {
    /// Stable machine-readable code in snake_case.
    pub code: String,
    /// One sentence for a person, without personal data.
    pub detail: String,
}

impl Failure {
    /// A failure.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
        }
    }
}

/// A move that the state machine does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an operation that is {from} cannot become {to}")]
pub struct TransitionError {
    /// The state it is in.
    pub from: OperationState,
    /// The state that was asked for.
    pub to: OperationState,
}

impl OperationState {
    /// Whether it has ended; only `retry` leaves an ended state.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether an operation that ended so can be put back into the queue.
    pub const fn is_retryable(self) -> bool {
        self.is_terminal() && self.to(Self::Queued).is_ok()
    }

    /// The states that a move to this one may begin in.
    pub fn sources(self) -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(move |from| from.to(self).is_ok())
    }

    /// Checks a move.
    ///
    /// # Errors
    /// When the machine does not have it.
    pub const fn to(self, next: Self) -> Result<Self, TransitionError> {
        use OperationState::{Cancelled, Failed, Queued, Running, Succeeded, Waiting};
        let allowed = match self {
            Queued => matches!(next, Running | Waiting | Cancelled | Failed | Succeeded),
            // Both are in the hands of a worker, which hands back, ends, or says again how it stands.
            Running | Waiting => true,
            Failed | Cancelled => matches!(next, Queued),
            Succeeded => false,
        };
        if allowed {
            Ok(next)
        } else {
            Err(TransitionError {
                from: self,
                to: next,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_retry_leaves_an_ended_state() {
        for from in OperationState::ALL
            .iter()
            .copied()
            .filter(|s| s.is_terminal())
        {
            for to in OperationState::ALL.iter().copied() {
                let retry = from != OperationState::Succeeded && to == OperationState::Queued;
                assert_eq!(from.to(to).is_ok(), retry, "{from} to {to}");
            }
        }
    }

    #[test]
    fn a_queued_operation_does_not_queue_again() {
        use OperationState::{Cancelled, Failed, Queued, Running, Waiting};
        let sources: Vec<_> = Queued.sources().collect();
        assert_eq!(sources, [Waiting, Running, Failed, Cancelled]);
    }

    #[test]
    fn every_live_state_can_be_cancelled() {
        for from in OperationState::ALL
            .iter()
            .copied()
            .filter(|s| !s.is_terminal())
        {
            assert!(from.to(OperationState::Cancelled).is_ok(), "{from}");
        }
    }
}
