//! Rejected rows: kept with their reasons, to be downloaded, mended and sent again.

use std::collections::BTreeMap;

use domain::{
    contact::{FieldTarget, ItemError},
    operation::{Operation, OperationKind},
    shared::{AudienceId, OperationId},
};
use ports::files::{BlobStream, Cells, Record, RowFault};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{UploadInto, UploadParams, rejected_name};
use crate::application::{Actor, App, AppError, AppResult, Ticket, audiences::Accepted};

/// What a downloaded file of rejected rows says before the columns of the original file.
pub const REJECTED_COLUMNS: [&str; 5] = ["row", "line", "field", "code", "detail"];

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
    pub fn new(record: &Record<'_>, headers: &[String], error: &ItemError) -> Self {
        Self {
            row: record.number,
            line: record.line,
            field: error.field.to_string(),
            code: error.code.to_owned(),
            detail: error.detail.to_string(),
            values: values(&record.cells, headers),
        }
    }

    /// One line of the file of rejected rows.
    pub fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

fn values(cells: &Cells<'_>, headers: &[String]) -> BTreeMap<String, Value> {
    match cells {
        Cells::Fields(cells) => {
            let name = |i: usize| {
                headers
                    .get(i)
                    .cloned()
                    .unwrap_or_else(|| format!("column_{}", i + 1))
            };
            let cell = |(i, text): (usize, &String)| (name(i), Value::from(text.as_str()));
            cells.iter().enumerate().map(cell).collect()
        }
        Cells::Json(Value::Object(members)) => members.clone().into_iter().collect(),
        Cells::Json(other) => BTreeMap::from([("value".to_owned(), other.clone())]),
        Cells::Raw(text) => BTreeMap::from([("line".to_owned(), Value::from(*text))]),
    }
}

/// What a row fault says in a report.
pub(super) fn fault_error(fault: RowFault) -> ItemError {
    let detail = match fault {
        RowFault::TooManyColumns => "the row has more columns than the header",
        RowFault::InvalidEncoding => "the row has bytes outside the file's encoding",
        RowFault::NulCharacter => "the row has a NUL character",
        RowFault::InvalidJson => "the line is not JSON",
        RowFault::NotAnObject => "the line is not a JSON object",
        _ => "the row cannot be read",
    };
    ItemError {
        field: String::new(),
        code: fault.as_str(),
        detail: detail.to_owned(),
    }
}

impl App {
    /// The rejected rows of an operation, one JSON object per line.
    ///
    /// # Errors
    /// `NotFound` for the operation or where it has none.
    pub async fn rejected_rows(&self, actor: &Actor, id: OperationId) -> AppResult<BlobStream> {
        let operation = self.operation(actor, id).await?;
        if !takes_file(&operation) {
            return Err(AppError::NotFound);
        }
        match self.deps.blobs.stream(&rejected_name(id), 0).await {
            Ok(stream) => Ok(stream),
            Err(ports::files::FileError::NotFound) => Err(AppError::NotFound),
            Err(error) => Err(error.into()),
        }
    }

    /// The columns of the file that an operation takes in.
    ///
    /// # Errors
    /// `NotFound` for the operation or where it takes no file.
    pub async fn file_columns(&self, actor: &Actor, id: OperationId) -> AppResult<Vec<String>> {
        let operation = self.operation(actor, id).await?;
        if !takes_file(&operation) {
            return Err(AppError::NotFound);
        }
        Ok(params_of(&operation)?.format.columns)
    }

    /// Brings a mended file of rejected rows into the audience of the operation that rejected them.
    /// Where nothing is said of its columns, a file in the form of the downloaded one keeps the
    /// meaning that its original columns had.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `nothing_rejected`; as for bringing in any file.
    pub async fn resubmit(
        &self,
        actor: &Actor,
        ticket: Ticket,
        id: OperationId,
        mut command: UploadInto,
    ) -> AppResult<Accepted> {
        let operation = self.operation(actor, id).await?;
        let audience: Option<AudienceId> = operation.audience.filter(|_| takes_file(&operation));
        let Some(audience) = audience else {
            return Err(AppError::conflict(
                "nothing_rejected",
                "the operation has no rejected rows",
            ));
        };
        if command.mapping.is_none()
            && let Some(mended) = self.stored_upload(actor, command.upload).await?
        {
            let original = params_of(&operation)?;
            command.mapping = mended_mapping(&original, &mended.detected.format.columns);
        }
        self.upload_into(actor, ticket, audience, command).await
    }
}

fn takes_file(operation: &Operation) -> bool {
    matches!(
        operation.kind,
        OperationKind::Upload | OperationKind::Create
    )
}

fn params_of(operation: &Operation) -> AppResult<UploadParams> {
    let params = serde_json::from_value(operation.params.clone());
    let corrupt = |_| ports::StoreError::Corrupt("the parameters of an operation");
    Ok(params.map_err(corrupt)?)
}

/// What the columns of a mended file mean, by their places; `None` for a file of another form.
fn mended_mapping(original: &UploadParams, columns: &[String]) -> Option<BTreeMap<String, String>> {
    let (ours, theirs) = columns.split_at_checked(REJECTED_COLUMNS.len())?;
    let targets = original.mapping.targets();
    if ours != REJECTED_COLUMNS || theirs.len() < targets.len() {
        return None;
    }
    let meanings = targets.iter().map(FieldTarget::as_str);
    let meanings = meanings.chain(std::iter::repeat(""));
    let ours = ours.iter().map(|column| (column.clone(), String::new()));
    let theirs = theirs.iter().zip(meanings);
    let theirs = theirs.map(|(column, meaning)| (column.clone(), meaning.to_owned()));
    Some(ours.chain(theirs).collect())
}
