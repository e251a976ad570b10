//! One error for every store, and how callers may react to it.

use std::time::Duration;

/// What a store could not do. Absence is never an error: look-ups answer `Ok(None)`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A uniqueness or reference rule refused the change.
    #[error("conflict on {constraint}")]
    Conflict {
        /// Stable name of the rule, one of [`constraint`]'s.
        constraint: &'static str,
    },
    /// The row was changed by someone else since it was read.
    #[error("the row has changed since it was read")]
    StaleVersion,
    /// The store cannot be reached or is overloaded; the same call may succeed later.
    #[error("the store is unavailable")]
    Unavailable(#[source] BoxError),
    /// Stored data break a rule of the domain.
    #[error("stored data are corrupt: {0}")]
    Corrupt(&'static str),
    /// No room left on the disk.
    #[error("the disk is full")]
    DiskFull,
    /// Anything else; a defect.
    #[error("store failure")]
    Internal(#[source] BoxError),
}

/// A source of an error, of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Names of the uniqueness rules that callers tell apart.
pub mod constraint {
    /// An audience with the same name key exists in the workspace and is not dropped.
    pub const AUDIENCE_NAME: &str = "audience_name";
    /// Something with this write id exists already: the request ran before.
    pub const WRITE_ID: &str = "write_id";
    /// Any other.
    pub const OTHER: &str = "other";
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The same call may succeed later.
    Transient,
    /// The same call will fail again.
    Permanent,
}

impl StoreError {
    /// Whether trying again can help.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unavailable(_) | Self::DiskFull => ErrorClass::Transient,
            // Two attempts of one request at once: the next one finds what the other has left.
            Self::Conflict {
                constraint: constraint::WRITE_ID,
            } => ErrorClass::Transient,
            Self::Conflict { .. } | Self::StaleVersion | Self::Corrupt(_) | Self::Internal(_) => {
                ErrorClass::Permanent
            }
        }
    }

    /// How long to wait before trying again, where that helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.class() {
            ErrorClass::Transient => Some(Duration::from_secs(1)),
            ErrorClass::Permanent => None,
        }
    }

    /// Whether this is a conflict on the named rule.
    pub fn is_conflict_on(&self, name: &str) -> bool {
        matches!(self, Self::Conflict { constraint } if *constraint == name)
    }
}
