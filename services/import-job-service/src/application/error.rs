//! Why a use case refused or failed. Faces translate it; nobody else decides a status.

use domain::{importing::walk::WalkError, operation::Failure, shared::Violation};
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
    /// A run was asked to stop.
    #[error("cancelled on request")]
    Cancelled,
    /// The process is about to stop; the run goes on elsewhere or after the restart.
    #[error("the process is stopping")]
    Stopping,
    /// A run ended one worker after another.
    #[error("the workers that took it crashed again and again without any progress")]
    CrashedTooOften,
    /// A worker lost its run to another one.
    #[error("the lease is lost")]
    LeaseLost,
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

    /// What a failed run says. Internal causes are in the log only.
    pub(crate) fn failure(&self) -> Failure {
        let code = match self {
            Self::Source(error) => error.code(),
            Self::Walk(error) => error.code(),
            Self::Skipped { code } => code,
            Self::NothingReadable => "nothing_readable",
            Self::TokenLost => "token_lost",
            Self::NotFound => "client_gone",
            Self::Cancelled => "cancelled",
            Self::CrashedTooOften => "too_many_crashes",
            Self::Conflict { code, .. } => code,
            Self::Store(StoreError::Unavailable(_)) => {
                let detail = "a store could not be reached; retry later";
                return Failure::new("unavailable", detail);
            }
            _ => {
                let detail = "an internal error; the log has its cause";
                return Failure::new("internal", detail);
            }
        };
        Failure::new(code, self.to_string())
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LeaseError> for AppError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Lost => Self::LeaseLost,
            LeaseError::Store(error) => error.into(),
        }
    }
}
