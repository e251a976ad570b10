//! From the relay to the subscribers.

use async_trait::async_trait;

use super::{OutboxEvent, Subscription};
use crate::{BoxError, ErrorClass, StoreError};

/// Why an event is not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Subscribers that the type must have are not there. The event stays in the outbox.
    #[error("required subscribers are missing: {}", names(.missing))]
    Unrouted {
        /// Who is missing.
        missing: Vec<Subscription>,
    },
    /// A subscriber's inbox refused.
    #[error("an inbox refused the event")]
    Inbox(#[from] StoreError),
    /// The broker cannot be reached, or did not confirm.
    #[error("the broker is unavailable")]
    Unavailable(#[source] BoxError),
}

impl PublishError {
    /// Whether trying again soon can help, without anyone's doing.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unrouted { .. } => ErrorClass::Permanent,
            Self::Inbox(error) => error.class(),
            Self::Unavailable(_) => ErrorClass::Transient,
        }
    }
}

fn names(missing: &[Subscription]) -> String {
    missing
        .iter()
        .map(Subscription::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Hands events to their subscribers. Only the relay calls it.
#[async_trait]
pub trait EventPublisher: Send + Sync {
    /// Publishes an event.
    ///
    /// Owed: `Ok` means that every subscriber there is has it durably, and that none of the
    /// [required](super::Subscribers) is missing. After an error some may have it; publishing it
    /// again is harmless.
    async fn publish(&self, event: &OutboxEvent) -> Result<(), PublishError>;
}

/// Tells a sleeping loop that there is work. Wake-ups may coalesce; none may get lost.
pub trait WakeUp: Send + Sync {
    /// Wakes the loop, now or when it next goes to sleep. Never blocks.
    fn wake(&self);
}
