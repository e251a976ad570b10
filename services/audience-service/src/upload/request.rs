//! Asking for a file's contacts to go into an audience, old or new.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    audience::{Audience, AudienceStatus, Source, Tags},
    contact::{ColumnMapping, LaterColumns},
    operation::OperationKind,
    shared::{AudienceId, AudienceName, UploadId},
};
use ports::{
    Clock,
    contacts::ContentKey,
    files::FileFormat,
    store::{AudienceStore, Durability, NewOperation},
};

use super::{
    UploadParams,
    find::{FindUpload, StoredUpload},
    meaning::{RowForm, mended_form},
    run::RunUpload,
};
use crate::{
    Actor, AppError, AppResult, RequestId,
    audience::{FindAudience, NewAudiences},
    operation::{AcceptOperation, Accepted},
};

/// A file for an audience.
#[derive(Debug, Clone)]
pub struct UploadInto {
    /// The file.
    pub upload: UploadId,
    /// Column name to target, where the guess is to be corrected: `document`, `name`, `phone`,
    /// `email`, the name of an attribute, or `""` to leave the column out.
    pub mapping: Option<BTreeMap<String, String>>,
    /// Reject rows whose check digits are wrong.
    pub require_valid_document: bool,
}

/// Starts to bring files into audiences, old or new.
#[derive(Clone)]
pub struct BringIn {
    pub(crate) find: FindAudience,
    pub(crate) uploads: FindUpload,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) accept: AcceptOperation,
    pub(crate) new: NewAudiences,
}

impl BringIn {
    /// Starts bringing a file into an existing audience.
    ///
    /// # Errors
    /// `NotFound` for the audience; `Invalid` for the upload or the mapping; `Conflict` on a dropped
    /// audience; `Forbidden` when `only_from` is another source.
    #[tracing::instrument(name = "upload.into_existing", skip_all)]
    pub async fn into_existing(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        command: UploadInto,
    ) -> AppResult<Accepted> {
        self.bring_in(actor, request_id, id, command, None).await
    }

    /// As [`into_existing`](Self::into_existing), where the file may hold rejected rows of another one.
    pub(super) async fn bring_in(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        command: UploadInto,
        original: Option<UploadParams>,
    ) -> AppResult<Accepted> {
        if let Some(earlier) = self.accept.earlier(request_id).await? {
            return Ok(earlier);
        }
        let audience = self.find.visible(actor, id).await?;
        audience.ensure_live()?;
        audience.ensure_list()?;
        let mut params = self.params(actor, &command, original).await?;
        params.request = self.take_request(&audience).await?;
        let operation = self.operation(actor, request_id, OperationKind::Upload, id, &params)?;
        self.accept.accept(request_id, operation, None).await
    }

    /// Starts making an audience from a file. It shows when it is complete.
    ///
    /// # Errors
    /// `Invalid` for the upload or the mapping; `Conflict` with `name_taken`.
    #[tracing::instrument(name = "upload.into_new", skip_all)]
    pub async fn into_new(
        &self,
        actor: &Actor,
        request_id: RequestId,
        name: AudienceName,
        tags: Tags,
        status: AudienceStatus,
        command: UploadInto,
    ) -> AppResult<Accepted> {
        if let Some(earlier) = self.accept.earlier(request_id).await? {
            return Ok(earlier);
        }
        let mut params = self.params(actor, &command, None).await?;
        // The first request of a content that nobody else can write to.
        params.request = 0;
        let audience = self.new.ready(actor, name, tags, status, Source::Api);
        let audience = audience.hidden();
        let kind = OperationKind::Create;
        let operation = self.operation(actor, request_id, kind, audience.id, &params)?;
        self.accept
            .accept(request_id, operation, Some(audience))
            .await
    }

    async fn params(
        &self,
        actor: &Actor,
        command: &UploadInto,
        original: Option<UploadParams>,
    ) -> AppResult<UploadParams> {
        let stored = self.uploads.find(actor, command.upload).await?;
        let StoredUpload { upload, detected } = stored.ok_or_else(|| {
            AppError::invalid("/upload_id", "unknown_upload", "there is no such upload")
        })?;
        let json = detected.format.format == FileFormat::Ndjson;
        let mut params = UploadParams {
            blob: upload.blob,
            columns: detected.format.columns.clone(),
            mapping: detected.mapping,
            form: RowForm::Plain,
            format: detected.format,
            require_valid_document: command.require_valid_document,
            request: 0,
        };
        if let Some(original) = original
            && (command.mapping.is_none() || json)
            && let Some(form) = mended_form(&original, &params.format)
        {
            params.columns = original.columns;
            params.mapping = original.mapping;
            params.form = form;
        }
        if let Some(asked) = &command.mapping {
            let later = if json {
                LaterColumns::Named
            } else {
                LaterColumns::Numbered
            };
            params.mapping = ColumnMapping::from_request(&params.columns, later, asked)
                .map_err(|violation| AppError::Invalid(vec![violation]))?;
        }
        if !json && !params.mapping.has_document() {
            let detail = "no column was recognised as the document; name it in `mapping`";
            return Err(AppError::invalid("/mapping", "document_not_mapped", detail));
        }
        Ok(params)
    }

    fn operation(
        &self,
        actor: &Actor,
        request_id: RequestId,
        kind: OperationKind,
        audience: AudienceId,
        params: &UploadParams,
    ) -> AppResult<NewOperation> {
        let now = self.clock.now();
        let mut operation = self
            .accept
            .new_operation(actor, request_id, kind, audience, now);
        operation.params = operations::params::<RunUpload>(params)?;
        Ok(operation)
    }

    /// Takes the file's place in the order of acceptance.
    async fn take_request(&self, audience: &Audience) -> AppResult<i64> {
        let key = ContentKey {
            audience: audience.id,
            epoch: audience.epoch,
        };
        let mut uow = self.store.begin(Durability::Derived).await?;
        let request = uow.contents().take_requests(key, 1).await?;
        uow.commit().await?;
        Ok(request)
    }
}
