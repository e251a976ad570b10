//! Requests and answers of the V1 API, as JSON writes them: what a handler answers and what a client reads
//! is one type.
//!
//! Answers are read with members that are not known yet; requests are not. A member of a request that says
//! nothing is not written: defaults are the server's.

/// What these types hold may be personal, or a secret: their `Debug` shows none of it.
macro_rules! redacted {
    ($($name:ident),+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })+
    };
}
pub(crate) use redacted;

pub mod audiences;
pub mod bus;
pub mod communications;
pub mod contacts;
pub mod customers;
pub mod events;
pub mod imports;
mod list;
pub mod notifications;
pub mod operations;
pub mod outcomes;
mod problem;
pub mod recycle;
pub mod rfm;
pub mod segment_source;
pub mod segments;
pub mod suppressions;
pub mod uploads;
pub mod usages;
pub mod workspace;

pub use list::List;
pub use problem::{FieldError, ProblemBody};

use serde::{Deserialize, Deserializer};

/// Whether a member of a request says no more than its absence.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Tells null from absent.
fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests;
