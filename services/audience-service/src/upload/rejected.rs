//! Rejected rows: kept with their reasons, to be downloaded, mended and sent again.

use std::sync::Arc;

use domain::{
    operation::{Operation, OperationKind},
    shared::{AudienceId, OperationId, UploadId},
};
use operations::Job as _;
use ports::files::{BlobStore, BlobStream, FileError};

use super::{
    FindUpload, UploadInto,
    exclusion::{Exclusions, excluded_file},
    rejected_name,
    request::BringIn,
    run::RunUpload,
    suppress::RunSuppress,
};
use crate::{
    Actor, AppError, AppResult, RequestId,
    operation::{Accepted, FindOperation},
};

/// Hands out rejected rows, and takes them in again.
#[derive(Clone)]
pub struct RejectedRows {
    pub(crate) operations: FindOperation,
    pub(crate) uploads: FindUpload,
    pub(crate) exclusions: Exclusions,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) bring: BringIn,
}

impl RejectedRows {
    /// The rejected rows of an operation, one JSON object per line: of a recycling by a file, the rows
    /// of it without a readable document.
    ///
    /// # Errors
    /// `NotFound` for the operation or where it has none.
    #[tracing::instrument(name = "upload.rejected.stream", skip_all)]
    pub async fn stream(&self, actor: &Actor, id: OperationId) -> AppResult<BlobStream> {
        let operation = self.operations.get(actor, id).await?;
        if let Some(upload) = excluded_file(&operation)? {
            return self.exclusions.unreadable_rows(actor, upload).await;
        }
        if !takes_file(&operation) {
            return Err(AppError::NotFound);
        }
        match self.blobs.stream(&rejected_name(id), 0).await {
            Ok(stream) => Ok(stream),
            Err(FileError::NotFound) => Err(AppError::NotFound),
            Err(error) => Err(error.into()),
        }
    }

    /// The columns of the file that an operation takes in, as far as its first records show them.
    ///
    /// # Errors
    /// `NotFound` for the operation or where it takes no file.
    pub async fn file_columns(&self, actor: &Actor, id: OperationId) -> AppResult<Vec<String>> {
        let operation = self.operations.get(actor, id).await?;
        if let Some(upload) = excluded_file(&operation)? {
            return self.upload_columns(actor, upload).await;
        }
        if !takes_file(&operation) {
            return Err(AppError::NotFound);
        }
        if operation.kind == OperationKind::Suppress {
            return Ok(RunSuppress::params(&operation)?.file.columns);
        }
        Ok(RunUpload::params(&operation)?.columns)
    }

    /// The columns of an uploaded file, as far as its first records show them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn upload_columns(&self, actor: &Actor, upload: UploadId) -> AppResult<Vec<String>> {
        Ok(self
            .uploads
            .get(actor, upload)
            .await?
            .detected
            .format
            .columns)
    }

    /// Brings a mended file of rejected rows into the audience of the operation that rejected them.
    /// Where nothing is said of its columns, a file in the form of the downloaded one, or of the
    /// original one, keeps the meaning that the original columns had.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `nothing_rejected`; as for bringing in any file.
    #[tracing::instrument(name = "upload.rejected.resubmit", skip_all)]
    pub async fn resubmit(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: OperationId,
        command: UploadInto,
    ) -> AppResult<Accepted> {
        let operation = self.operations.get(actor, id).await?;
        let audience: Option<AudienceId> = operation.audience.filter(|_| takes_file(&operation));
        let Some(audience) = audience else {
            return Err(AppError::conflict(
                "nothing_rejected",
                "the operation has no rejected rows",
            ));
        };
        let original = RunUpload::params(&operation)?;
        self.bring
            .bring_in(actor, request_id, audience, command, Some(original))
            .await
    }
}

fn takes_file(operation: &Operation) -> bool {
    matches!(
        operation.kind,
        OperationKind::Upload | OperationKind::Create | OperationKind::Suppress
    )
}
