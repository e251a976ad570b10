//! Rejected rows: kept with their reasons, to be downloaded, mended and sent again.

use std::collections::BTreeMap;

use domain::{
    contact::ItemError,
    operation::{Operation, OperationKind},
    shared::{AudienceId, OperationId, UploadId},
};
use kernel::payload;
use ports::files::{BlobStream, DetectedFormat, FileError, FileFormat, Record};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    UploadInto, UploadParams,
    meaning::{RowForm, is_download},
    rejected_name,
};
use crate::application::{
    Actor, App, AppError, AppResult, RequestId, audiences::Accepted, recycle::file_of,
};

/// One rejected row as it is kept.
#[derive(Serialize, Deserialize)]
pub struct Rejected {
    /// Number of the row among the data rows, from 1.
    pub row: u64,
    /// Line or sheet row it starts at.
    pub line: u64,
    /// The field at fault, `""` for the row.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// For a person.
    pub detail: String,
    /// The row as it came: column to text.
    pub values: BTreeMap<String, Value>,
}

impl Rejected {
    /// A row and what is wrong with it.
    pub fn new(record: &Record<'_>, values: BTreeMap<String, Value>, error: &ItemError) -> Self {
        Self {
            row: record.number,
            line: record.line,
            field: error.field.to_string(),
            code: error.code.to_owned(),
            detail: error.detail.to_string(),
            values,
        }
    }

    /// One line of the file of rejected rows.
    pub fn line(&self) -> Result<Vec<u8>, FileError> {
        let mut line = serde_json::to_vec(self).map_err(|e| FileError::Io(e.into()))?;
        line.push(b'\n');
        Ok(line)
    }
}

impl App {
    /// The rejected rows of an operation, one JSON object per line: of a recycling by a file, the rows
    /// of it without a readable document.
    ///
    /// # Errors
    /// `NotFound` for the operation or where it has none.
    pub async fn rejected_rows(&self, actor: &Actor, id: OperationId) -> AppResult<BlobStream> {
        let operation = self.operation(actor, id).await?;
        if let Some(upload) = file_of(&operation)? {
            return self.unreadable_rows(actor, upload).await;
        }
        if !takes_file(&operation) {
            return Err(AppError::NotFound);
        }
        match self.deps.blobs.stream(&rejected_name(id), 0).await {
            Ok(stream) => Ok(stream),
            Err(ports::files::FileError::NotFound) => Err(AppError::NotFound),
            Err(error) => Err(error.into()),
        }
    }

    /// The columns of the file that an operation takes in, as far as its first records show them.
    ///
    /// # Errors
    /// `NotFound` for the operation or where it takes no file.
    pub async fn file_columns(&self, actor: &Actor, id: OperationId) -> AppResult<Vec<String>> {
        let operation = self.operation(actor, id).await?;
        if let Some(upload) = file_of(&operation)? {
            return self.upload_columns(actor, upload).await;
        }
        if !takes_file(&operation) {
            return Err(AppError::NotFound);
        }
        Ok(params_of(&operation)?.columns)
    }

    /// The columns of an uploaded file, as far as its first records show them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn upload_columns(&self, actor: &Actor, upload: UploadId) -> AppResult<Vec<String>> {
        Ok(self.upload(actor, upload).await?.detected.format.columns)
    }

    /// Brings a mended file of rejected rows into the audience of the operation that rejected them.
    /// Where nothing is said of its columns, a file in the form of the downloaded one, or of the
    /// original one, keeps the meaning that the original columns had.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `nothing_rejected`; as for bringing in any file.
    pub async fn resubmit(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: OperationId,
        command: UploadInto,
    ) -> AppResult<Accepted> {
        let operation = self.operation(actor, id).await?;
        let audience: Option<AudienceId> = operation.audience.filter(|_| takes_file(&operation));
        let Some(audience) = audience else {
            return Err(AppError::conflict(
                "nothing_rejected",
                "the operation has no rejected rows",
            ));
        };
        let original = params_of(&operation)?;
        self.bring_in(actor, request_id, audience, command, Some(original))
            .await
    }
}

fn takes_file(operation: &Operation) -> bool {
    matches!(
        operation.kind,
        OperationKind::Upload | OperationKind::Create
    )
}

fn params_of(operation: &Operation) -> AppResult<UploadParams> {
    Ok(payload::decode(
        &operation.params,
        "the parameters of an operation",
    )?)
}

/// How the rows of a mended file are read; `None` for a file of another form.
pub(super) fn mended_form(original: &UploadParams, mended: &DetectedFormat) -> Option<RowForm> {
    let json = mended.format == FileFormat::Ndjson;
    if is_download(&mended.columns, json) {
        return Some(RowForm::Mended);
    }
    let known = |column: &String| original.columns.contains(column);
    (json || mended.columns.iter().all(known)).then_some(RowForm::Plain)
}
