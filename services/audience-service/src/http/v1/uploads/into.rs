//! Starting the work that brings a file's contacts into an audience.

use api_types::{operations::OperationJson, uploads::FileInto};
use domain::shared::{AudienceId, OperationId};
use http_kit::{ApiResult, Id, Idempotent, JsonBody, Problem, Wait, operations::accepted};

use crate::{AppError, http::Caller, upload::UploadInto};

fn parse(file: FileInto) -> Result<UploadInto, Problem> {
    let unknown = |_| AppError::invalid("/upload_id", "unknown_upload", "there is no such upload");
    Ok(UploadInto {
        upload: file.upload_id.parse().map_err(unknown)?,
        mapping: file.mapping,
        require_valid_document: file.require_valid_document,
    })
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
    let command = parse(file)?;
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
    let command = parse(file)?;
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
