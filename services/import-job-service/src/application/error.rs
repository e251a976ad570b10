//! Why a use case refused or failed. Faces translate it; nobody else decides a status.

use domain::{importing::walk::WalkError, shared::Violation};
use operations::{Halt, Stop};
use ports::{StoreError, crm::SourceError, store::LeaseError};

/// Why a use case refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Nothing of that id in the caller's workspace.
    #[error("not found")]
    NotFound,
    /// The request breaks rules.
    #[error("the request breaks {} rule(s)", .0.len())]
    Invalid(Vec<Violation>),
    /// The present state refuses the change.
    #[error("{detail}")]
    Conflict {
        /// Stable code.
        code: &'static str,
        /// For a person.
        detail: String,
    },
    /// The precondition (`If-Match`) does not hold.
    #[error("the client has changed since it was read")]
    PreconditionFailed,
    /// A store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The CRM brought no page, however often it was asked.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A list has no end.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// The messages of one ticket after the other could not be read.
    #[error("the messages of several tickets in a row could not be read: {code}")]
    Skipped {
        /// Why the last of them could not.
        code: &'static str,
    },
    /// Not one of the rows that came can be read.
    #[error("none of the rows that came can be read")]
    NothingReadable,
    /// The token of a client cannot be decrypted: the key is another one.
    #[error("the client's token cannot be decrypted: was secrets.key changed?")]
    TokenLost,
    /// Work on a run is to stop.
    #[error(transparent)]
    Stop(#[from] Stop),
}

impl AppError {
    /// A conflict.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict {
            code,
            detail: detail.into(),
        }
    }

    /// One broken rule.
    pub fn invalid(
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::Invalid(vec![Violation::new(pointer, code, detail)])
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Halt> for AppError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Stop(stop) => stop.into(),
            Halt::Store(error) => error.into(),
        }
    }
}

impl From<LeaseError> for AppError {
    fn from(error: LeaseError) -> Self {
        Halt::from(error).into()
    }
}
