//! Why a use case refused or failed. Faces translate it; nobody else decides a status.

use domain::{
    audience::ChangeError,
    shared::{NameError, Violation},
};
use operations::{Halt, Stop};
use ports::{StoreError, constraint, files::FileError, store::LeaseError};

/// Why a use case refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Nothing of that id in the caller's workspace.
    #[error("not found")]
    NotFound,
    /// The request breaks rules.
    #[error("the request breaks {} rule(s)", .0.len())]
    Invalid(Vec<Violation>),
    /// A parameter cannot be read at all (a cursor that was altered, say).
    #[error("{detail}")]
    Malformed {
        /// Stable code.
        code: &'static str,
        /// For a person.
        detail: String,
    },
    /// The present state refuses the change.
    #[error("{detail}")]
    Conflict {
        /// Stable code.
        code: &'static str,
        /// For a person.
        detail: String,
        /// More members for the answer.
        extra: serde_json::Map<String, serde_json::Value>,
    },
    /// The caller may not do this to this audience.
    #[error("{detail}")]
    Forbidden {
        /// Stable code.
        code: &'static str,
        /// For a person.
        detail: String,
    },
    /// The precondition (`If-Match`) does not hold.
    #[error("the audience has changed since it was read")]
    PreconditionFailed,
    /// It existed and is no longer to be had.
    #[error("{detail}")]
    Gone {
        /// Stable code.
        code: &'static str,
        /// For a person.
        detail: String,
    },
    /// No room for the file.
    #[error("there is not enough free disk space")]
    InsufficientStorage,
    /// A store failed.
    #[error(transparent)]
    Store(StoreError),
    /// A file is not what it should be, or cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Work on an operation is to stop.
    #[error(transparent)]
    Stop(#[from] Stop),
}

impl AppError {
    /// A conflict without more members.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict {
            code,
            detail: detail.into(),
            extra: serde_json::Map::new(),
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

    /// A name that cannot be one.
    pub fn name(pointer: &str, error: NameError) -> Self {
        let code = match error {
            NameError::Empty => "name_empty",
            NameError::TooLong => "name_too_long",
            NameError::Control => "name_invalid",
        };
        Self::invalid(pointer, code, error.to_string())
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        if error.is_conflict_on(constraint::AUDIENCE_NAME) {
            return Self::conflict("name_taken", "an audience with the same name exists");
        }
        match error {
            StoreError::DiskFull => Self::InsufficientStorage,
            other => Self::Store(other),
        }
    }
}

impl From<ChangeError> for AppError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Deleted => Self::conflict("audience_deleted", error.to_string()),
            ChangeError::NotApiManaged => Self::Forbidden {
                code: "audience_not_api_managed",
                detail: error.to_string(),
            },
        }
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
