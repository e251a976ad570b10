//! Broker-neutral messaging: the relay that empties the outbox, and the router that works off inboxes.
//!
//! Nothing here is the truth: a process may die between any two steps, and whoever runs next goes on
//! from the rows. Wake-ups only save waiting for the next poll.

mod alarm;
mod dead;
mod metrics;
mod outgoing;
mod relay;
mod retention;
mod router;
mod signal;
mod typed;

pub use dead::{AllDeadLetters, DeadLetterQueue};
pub use metrics::{BusMetrics, Handled, NoMetrics};
pub use outgoing::outgoing;
pub use relay::{OutboxRelay, RelaySettings, Relayed};
pub use retention::{Retention, RetentionSettings};
pub use router::{Router, RouterSettings};
pub use signal::Signal;
pub use typed::EventHandler;

/// `now + span`, or the end of time.
fn after(now: domain::shared::Instant, span: std::time::Duration) -> domain::shared::Instant {
    chrono::TimeDelta::from_std(span)
        .ok()
        .and_then(|span| now.checked_add_signed(span))
        .unwrap_or(domain::shared::Instant::MAX_UTC)
}

/// `now - span`, or the beginning of time.
fn before(now: domain::shared::Instant, span: std::time::Duration) -> domain::shared::Instant {
    chrono::TimeDelta::from_std(span)
        .ok()
        .and_then(|span| now.checked_sub_signed(span))
        .unwrap_or(domain::shared::Instant::MIN_UTC)
}
