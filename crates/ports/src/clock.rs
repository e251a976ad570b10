//! Time and identifiers, injected so that tests decide both.

use domain::shared::Instant;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant, truncated to milliseconds.
    fn now(&self) -> Instant;
}

/// Makes identifiers.
pub trait IdGenerator: Send + Sync {
    /// A new snowflake: positive, greater than every one this process made before.
    fn next(&self) -> i64;
}
