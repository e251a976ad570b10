//! Why a use case refused or failed. Faces translate it; nobody else decides a status.

use domain::{
    audience::ChangeError,
    importing::walk::WalkError,
    operation::{Failure, Stall},
    shared::{NameError, Violation},
};
use ports::{
    ErrorClass, StoreError, constraint, crm::SourceError, files::FileError, store::LeaseError,
};
use serde_json::{Map, Value};

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
        extra: Map<String, Value>,
    },
    /// The caller may not do this to this resource.
    #[error("{detail}")]
    Forbidden {
        /// Stable code.
        code: &'static str,
        /// For a person.
        detail: String,
    },
    /// The precondition (`If-Match`) does not hold.
    #[error("the resource has changed since it was read")]
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
    File(FileError),
    /// A CRM brought no page, however often it was asked.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A list of a CRM has no end.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// Work cannot be done, and would not be by another run.
    #[error("{detail}")]
    Failed {
        /// Stable code.
        code: &'static str,
        /// For a person.
        detail: String,
    },
    /// Work on an operation is to stop.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// Why work on an operation ends before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Another worker has the operation, or it has ended.
    #[error("the lease is lost")]
    LeaseLost,
    /// It was asked to stop.
    #[error("cancelled on request")]
    Cancelled,
    /// The process is to stop; the operation goes on elsewhere or after the restart.
    #[error("the process is stopping")]
    Stopping,
}

impl AppError {
    /// A conflict without more members.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict {
            code,
            detail: detail.into(),
            extra: Map::new(),
        }
    }

    /// Work that cannot be done.
    pub fn failed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Failed {
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

    /// A name that cannot be one.
    pub fn name(pointer: &str, error: NameError) -> Self {
        let code = match error {
            NameError::Empty => "name_empty",
            NameError::TooLong => "name_too_long",
            NameError::Control => "name_invalid",
        };
        Self::invalid(pointer, code, error.to_string())
    }

    /// Why the operation stands still, where another run of it may succeed.
    pub fn stall(&self) -> Option<Stall> {
        match self {
            Self::InsufficientStorage | Self::File(FileError::DiskFull) => Some(Stall::DiskFull),
            Self::Store(error) if may_pass(error) => Some(Stall::StoreAway),
            _ => None,
        }
    }

    /// What an operation says of it. Internal causes are in the log only.
    pub fn failure(&self) -> Failure {
        match self {
            Self::File(error) => file_failure(error),
            Self::Conflict { code, detail, .. }
            | Self::Gone { code, detail }
            | Self::Failed { code, detail } => Failure::new(*code, detail.clone()),
            Self::Source(error) => Failure::new(error.code(), error.to_string()),
            Self::Walk(error) => Failure::new(error.code(), error.to_string()),
            Self::Invalid(broken) if !broken.is_empty() => of_broken(broken),
            Self::NotFound => Failure::new("not_found", "the audience is no longer there"),
            Self::InsufficientStorage => Failure::new("disk_full", self.to_string()),
            Self::Store(StoreError::Unavailable(_)) => {
                Failure::new("unavailable", "a store could not be reached; retry later")
            }
            _ => Failure::new("internal", "an internal error; the log has its cause"),
        }
    }
}

/// Whether another run may succeed: a store came back, or a lock lost to another replica is free.
pub fn may_pass(error: &StoreError) -> bool {
    matches!(error.class(), ErrorClass::Transient) || matches!(error, StoreError::StaleVersion)
}

/// What an operation says of rules that are broken: the first.
fn of_broken(broken: &[Violation]) -> Failure {
    let first = broken.first();
    first.map_or_else(
        || Failure::new("validation_failed", "a rule is broken"),
        |first| Failure::new(first.code, first.detail.clone()),
    )
}

/// What an operation says of a file that cannot be used.
pub fn file_failure(error: &FileError) -> Failure {
    let code = match error {
        FileError::Malformed { code, .. } => code.as_str(),
        FileError::TooLarge { .. } => "file_too_large",
        FileError::DiskFull => "disk_full",
        FileError::NotFound => "file_not_found",
        _ => "file_unreadable",
    };
    Failure::new(code, error.to_string())
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

impl From<FileError> for AppError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Store(error) => error.into(),
            other => Self::File(other),
        }
    }
}

impl From<LeaseError> for AppError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Lost => Self::Stop(Stop::LeaseLost),
            LeaseError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for AppError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Deleted => Self::conflict("audience_deleted", error.to_string()),
            ChangeError::IsSegment => Self::conflict("audience_is_segment", error.to_string()),
            ChangeError::NotApiManaged => Self::Forbidden {
                code: "audience_not_api_managed",
                detail: error.to_string(),
            },
        }
    }
}
