//! Starting the work that brings a file's contacts into an audience.

use std::collections::BTreeMap;

use domain::shared::{AudienceId, OperationId};
use http_kit::{ApiResult, Id, Idempotent, JsonBody, Problem, Wait, operations::accepted};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    AppError,
    http::{Caller, v1::operations::OperationJson},
    upload::UploadInto,
};

/// Which file, and what its columns mean.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileInto {
    /// As answered when it was received.
    #[schema(example = "upl_104629547441512448")]
    upload_id: String,
    /// Column to `document`, `name`, `phone`, `email`, `attributes`, the name of an attribute, or
    /// `""` to leave it out: corrections of what was detected. It may name a column that no record
    /// has shown yet: any key of NDJSON, `column_5` right of the header of CSV and XLSX.
    mapping: Option<BTreeMap<String, String>>,
    /// Reject rows whose check digits are wrong.
    #[serde(default)]
    require_valid_document: bool,
}

impl FileInto {
    fn parse(self) -> Result<UploadInto, Problem> {
        let unknown =
            |_| AppError::invalid("/upload_id", "unknown_upload", "there is no such upload");
        Ok(UploadInto {
            upload: self.upload_id.parse().map_err(unknown)?,
            mapping: self.mapping,
            require_valid_document: self.require_valid_document,
        })
    }
}

/// Brings a file's contacts into an audience, in the background. They show batch by batch.
#[utoipa::path(
    post, path = "/audiences/{id}/uploads", tag = "uploads", operation_id = "uploadIntoAudience",
    request_body = FileInto,
    params(
        Id<AudienceId>,
        ("Prefer" = Option<String>, Header, description = "`wait=N`, at most 60 seconds"),
    ),
    responses(
        (status = 200, description = "It ended within the wait", body = OperationJson),
        (status = 202, description = "Accepted", body = OperationJson),
        (status = 404, description = "There is no such audience"),
        (status = 409, description = "`audience_deleted`"),
        (status = 422, description = "`unknown_upload`, `document_not_mapped`, …"),
    ),
)]
pub async fn into_audience(
    caller: Caller,
    Id(id): Id<AudienceId>,
    Wait(wait): Wait,
    Idempotent(once, JsonBody(file)): Idempotent<JsonBody<FileInto>>,
) -> ApiResult {
    let command = file.parse()?;
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let started = app
            .uploads
            .bring_in
            .into_existing(actor, request_id, id, command)
            .await?;
        accepted(app.operations.as_ref(), actor, started.operation, wait).await
    })
    .await
}

/// Brings a mended file of rejected rows into the audience of the operation that rejected them.
/// A file in the form of the downloaded one (CSV or NDJSON), or of the original one, needs no mapping.
#[utoipa::path(
    post, path = "/operations/{id}/resubmit", tag = "operations", operation_id = "resubmitRejected",
    request_body = FileInto,
    params(
        Id<OperationId>,
        ("Prefer" = Option<String>, Header, description = "`wait=N`, at most 60 seconds"),
    ),
    responses(
        (status = 200, description = "It ended within the wait", body = OperationJson),
        (status = 202, description = "Accepted", body = OperationJson),
        (status = 404, description = "There is no such operation"),
        (status = 409, description = "`nothing_rejected`"),
        (status = 422, description = "`unknown_upload`, `document_not_mapped`, …"),
    ),
)]
pub async fn resubmit(
    caller: Caller,
    Id(id): Id<OperationId>,
    Wait(wait): Wait,
    Idempotent(once, JsonBody(file)): Idempotent<JsonBody<FileInto>>,
) -> ApiResult {
    let command = file.parse()?;
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let started = app
            .uploads
            .rejected
            .resubmit(actor, request_id, id, command)
            .await?;
        accepted(app.operations.as_ref(), actor, started.operation, wait).await
    })
    .await
}
