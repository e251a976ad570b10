//! What a process needs to live and to end well: shutdown, readiness, the clock, new ids.
//!
//! Depends on `domain` and `ports`. The only crate that reads the wall clock.

mod changes;
mod clock;
mod lifecycle;
mod readiness;
mod repeat;
mod snowflakes;

pub use changes::{Changes, Interrupted};
pub use clock::{SystemClock, follow};
pub use lifecycle::{Grace, Lifecycle};
pub use readiness::{CheckResult, Readiness, Report};
pub use repeat::repeat;
pub use snowflakes::{InvalidNode, Snowflakes};
