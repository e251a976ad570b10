//! What a consumer implements.

use std::time::Duration;

use async_trait::async_trait;

use super::Delivery;
use crate::{ErrorClass, StoreError};

/// How a handler ended. Reasons are kept and shown, so they carry no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Handled.
    Done,
    /// Not now; tried again until the attempts are used up.
    Retry {
        /// How long to wait; without it, the router's growing delays.
        after: Option<Duration>,
        /// Why.
        reason: String,
    },
    /// Never; goes to the dead letters.
    Reject {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// Not now, with the router's delay.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry {
            after: None,
            reason: reason.into(),
        }
    }

    /// How a handler ended whose unit of work ended so: transient failures are tried again. Whose claim was taken over
    /// is done: whoever has it now does the work.
    pub fn of(ended: Result<(), StoreError>) -> Self {
        match ended {
            Ok(()) | Err(StoreError::StaleVersion) => Self::Done,
            Err(error) if error.class() == ErrorClass::Transient => Self::retry(error.to_string()),
            Err(error) => Self::reject(error.to_string()),
        }
    }

    /// Never.
    pub fn reject(reason: impl Into<String>) -> Self {
        Self::Reject {
            reason: reason.into(),
        }
    }
}

/// Handles the events of one type for one subscription.
///
/// Owed: effects and `uow.inbox().complete(&delivery.receipt, now)` go into one unit of work,
/// committed before [`Outcome::Done`]; a handler without effects just answers, and the router
/// completes the row. Repetitions reach a handler only if its unit of work did not commit. Events
/// of one aggregate may come out of order: compare `aggregate_version`, ignore what is older.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Handles a delivery. It is dropped at the router's time limit, and a panic is a failed attempt.
    async fn handle(&self, delivery: &Delivery) -> Outcome;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_what_was_taken_over_is_done() {
        let unavailable = StoreError::Unavailable("away".into());
        assert!(matches!(
            Outcome::of(Err(unavailable)),
            Outcome::Retry { after: None, .. }
        ));
        assert_eq!(Outcome::of(Ok(())), Outcome::Done);
        assert_eq!(Outcome::of(Err(StoreError::StaleVersion)), Outcome::Done);
        let corrupt = Outcome::of(Err(StoreError::Corrupt("a row")));
        assert!(matches!(corrupt, Outcome::Reject { .. }));
    }
}
