//! Files that are read for their documents alone.

use std::sync::Arc;

use domain::{
    contact::{ColumnMapping, FieldTarget, LaterColumns},
    operation::{FileWarnings, Operation, OperationKind},
    shared::UploadId,
};
use futures::StreamExt;
use kernel::payload;
use ports::{
    StoreError,
    files::{
        BlobStore, BlobStream, DetectedFormat, FileError, FileFormat, Header, RecordFormats,
        RecordLimits, Sorter,
    },
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::find::FindUpload;
use super::{
    UploadParams, meaning::Meaning, meaning::RowForm, read::SUSPICIOUS_QUOTE, receive::blocking,
    rejected_row::Rejected,
};
use crate::{Actor, AppError, AppResult};

/// Lines of unreadable rows between reader and receiver.
const IN_FLIGHT: usize = 256;

/// What was found in a file of documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exclusion {
    /// Rows without a readable document: they name nobody.
    pub unreadable: i64,
    /// What looks wrong in it.
    pub warnings: FileWarnings,
}

/// What of the parameters of a recycling says which file it reads.
#[derive(Deserialize)]
struct Excluding {
    file: Option<(i64, Exclusion)>,
}

/// The uploaded file whose documents an operation removes.
///
/// # Errors
/// `Corrupt` when its parameters cannot be read.
pub(super) fn excluded_file(operation: &Operation) -> Result<Option<UploadId>, StoreError> {
    if operation.kind != OperationKind::Recycle {
        return Ok(None);
    }
    let params: Excluding = payload::decode(&operation.params, "the parameters of an operation")?;
    Ok(params.file.map(|(upload, _)| UploadId::from_raw(upload)))
}

/// The mapping of a file that is read for its documents. A file of one column is a list of them; when
/// the first is not what a document is called, it is one itself.
fn document_column(format: &mut DetectedFormat, guess: ColumnMapping) -> AppResult<ColumnMapping> {
    if format.format == FileFormat::Ndjson || guess.has_document() {
        return Ok(guess);
    }
    let list = is_list(format);
    let [only, ..] = format.columns.as_mut_slice() else {
        return Ok(guess);
    };
    if !list {
        let detail = "no column of the file was recognised as the document";
        return Err(AppError::invalid(
            "/rules/upload_id",
            "document_not_mapped",
            detail,
        ));
    }
    if format.header == Header::Present(true) {
        format.header = Header::Present(false);
        "column_1".clone_into(only);
    }
    let request = [(only.clone(), "document".to_owned())].into();
    ColumnMapping::from_request(&format.columns, LaterColumns::Numbered, &request)
        .map_err(|violation| AppError::Invalid(vec![violation]))
}

/// Whether a file has one column, and nothing but text beside it.
fn is_list(format: &DetectedFormat) -> bool {
    let Some((first, beside)) = format.columns.split_first() else {
        return false;
    };
    let unnamed = |(column, number): (&String, usize)| *column == format!("column_{number}");
    let first_row = format.sample.first();
    let alone = match format.header {
        // No name says what is in the columns: the first row does.
        Header::Present(false) => {
            first_row.is_some_and(|row| row.iter().skip(1).all(|cell| cell.trim().is_empty()))
        }
        _ => FieldTarget::known(first).is_none(),
    };
    beside.is_empty() || (alone && beside.iter().zip(2..).all(unnamed))
}

/// Reads files for their documents alone.
#[derive(Clone)]
pub struct Exclusions {
    pub(crate) uploads: FindUpload,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) formats: Arc<dyn RecordFormats>,
}

impl Exclusions {
    /// Sorts the documents of an uploaded file into a set.
    pub(crate) async fn push(
        &self,
        actor: &Actor,
        upload: UploadId,
        mut sorter: Box<dyn Sorter>,
    ) -> AppResult<(Box<dyn Sorter>, Exclusion)> {
        let params = self.exclusion_params(actor, upload).await?;
        let source = self.blobs.open(&params.blob).await?;
        let formats = Arc::clone(&self.formats);
        blocking(move || {
            let mut meaning = Meaning::of(&params);
            let mut found = Exclusion::default();
            let mut reader = formats.open(source, &params.format, RecordLimits::default())?;
            while let Some(record) = reader.next()? {
                if let Some(line) = record.suspicious_quote {
                    found.warnings.add(line, SUSPICIOUS_QUOTE);
                }
                match meaning.document(&record) {
                    Ok(document) => sorter.push(document.as_str().as_bytes(), &[])?,
                    Err(_) => found.unreadable += 1,
                }
            }
            Ok((sorter, found))
        })
        .await
    }

    /// The rows of an uploaded file that have no readable document, in the form of rejected rows. The
    /// file is read anew: there are none without it.
    ///
    /// # Errors
    /// `NotFound` for the file; `Invalid` where no column is the document.
    pub async fn unreadable_rows(&self, actor: &Actor, upload: UploadId) -> AppResult<BlobStream> {
        let params = match self.exclusion_params(actor, upload).await {
            Err(AppError::Invalid(broken)) if broken.iter().any(|b| b.code == UNKNOWN_UPLOAD) => {
                return Err(AppError::NotFound);
            }
            params => params?,
        };
        let source = self.blobs.open(&params.blob).await?;
        let formats = Arc::clone(&self.formats);
        let (sender, receiver) = mpsc::channel::<Result<Vec<u8>, FileError>>(IN_FLIGHT);
        tokio::task::spawn_blocking(move || {
            let mut meaning = Meaning::of(&params);
            let read = || -> Result<(), FileError> {
                let mut reader = formats.open(source, &params.format, RecordLimits::default())?;
                while let Some(record) = reader.next()? {
                    let Err(error) = meaning.document(&record) else {
                        continue;
                    };
                    let line = Rejected::new(&record, meaning.values(&record), &error).line()?;
                    if sender.blocking_send(Ok(line)).is_err() {
                        break;
                    }
                }
                Ok(())
            };
            if let Err(error) = read() {
                // The receiver is gone only when nobody asks any more.
                let _ = sender.blocking_send(Err(error));
            }
        });
        let lines = futures::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|line| (line, receiver))
        });
        Ok(lines.boxed())
    }

    async fn exclusion_params(&self, actor: &Actor, upload: UploadId) -> AppResult<UploadParams> {
        let stored = self.uploads.find(actor, upload).await?.ok_or_else(|| {
            let detail = "there is no such upload";
            AppError::invalid("/rules/upload_id", UNKNOWN_UPLOAD, detail)
        })?;
        let mut format = stored.detected.format;
        let mapping = document_column(&mut format, stored.detected.mapping)?;
        Ok(UploadParams {
            blob: stored.upload.blob,
            columns: format.columns.clone(),
            format,
            mapping,
            form: RowForm::Plain,
            require_valid_document: false,
            request: 0,
        })
    }
}

const UNKNOWN_UPLOAD: &str = "unknown_upload";
