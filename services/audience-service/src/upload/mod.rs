//! Uploaded files: receiving them, and bringing their contacts into an audience.
//!
//! A file is worked in two phases. *Reading* checks and normalises every row and sorts the good ones
//! by document into a scratch file; nothing shows yet, and a file that cannot be read to its end
//! changes nothing. *Writing* goes through the sorted rows in batches with a checkpoint each; in this
//! order the contact store writes several times as fast as in the order of the file, and a document's
//! rows meet, so that the last one wins without the others being written.

mod apply;
mod exclusion;
mod find;
mod meaning;
mod read;
mod receive;
mod rejected;
mod rejected_row;
mod request;
mod run;
mod suppress;
mod sweep;

pub use apply::ApplyRows;
pub(crate) use exclusion::Exclusion;
pub use exclusion::Exclusions;
pub use find::FindUpload;
pub use find::{StoredDetection, StoredUpload};
pub use meaning::REJECTED_COLUMNS;
pub use read::ReadFile;
pub use receive::{ReceiveUpload, Received, ReceivedFile};
pub use rejected::RejectedRows;
pub use rejected_row::Rejected;
pub use request::{BringIn, UploadInto};
pub(crate) use run::RunUpload;
pub(crate) use suppress::RunSuppress;
pub use suppress::SuppressFile;
pub use sweep::SweepFiles;

use domain::{contact::ColumnMapping, operation::UploadReport, shared::OperationId};
use meaning::RowForm;
use ports::files::DetectedFormat;
use serde::{Deserialize, Serialize};

/// What a file's operation works from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UploadParams {
    /// Blob that holds the file.
    pub blob: String,
    /// How to read it.
    pub format: DetectedFormat,
    /// The columns that the mapping knows, which are those of the file, or of the file whose rejected
    /// rows it holds.
    pub columns: Vec<String>,
    /// What they mean.
    pub mapping: ColumnMapping,
    /// What its rows look like.
    pub form: RowForm,
    /// Reject rows whose check digits are wrong.
    pub require_valid_document: bool,
    /// Request number of all its rows in the audience.
    pub request: i64,
}

/// Where a file's operation stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct UploadCheckpoint {
    /// Set once every row is read: rows to be written.
    pub rows: Option<i64>,
    /// Place in the sorted rows after the last batch written.
    pub offset: u64,
    /// Rows written or found unchanged so far.
    pub written: i64,
    /// What was counted so far.
    pub report: UploadReport,
}

/// Name of the sorted rows of an operation.
pub(crate) fn spool_name(operation: OperationId) -> String {
    format!("uploads/{}.rows", operation.raw())
}

/// Name of the rejected rows of an operation.
pub(crate) fn rejected_name(operation: OperationId) -> String {
    format!("rejected/{}.ndjson", operation.raw())
}
