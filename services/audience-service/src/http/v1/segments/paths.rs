//! The paths of segments.

use actix_web::http::header;
use api_types::{
    operations::OperationJson,
    segments::{ExplainBody, ExplainJson, PreviewJson, RefreshBody, SegmentBody, SegmentJson},
};
use domain::{
    audience::Audience,
    contact::Document,
    customer::CustomerId,
    shared::{AudienceId, OperationId},
};
use http_kit::{
    Answer, ApiResult, Id, Idempotent, JsonBody, OptionalBody, Problem, Wait, etag, etag::IfMatch,
    operations::accepted,
};

use super::json::{definition, explain_json, preview_json, segment_json};
use crate::{
    AppError,
    http::Caller,
    segment::{PREVIEW_PATIENCE, Previewed, RefreshParams, Whom},
};

/// The conditions of an audience; none where it is a list of contacts.
#[utoipa::path(
    get, path = "/audiences/{id}/segment", tag = "segments", operation_id = "readSegment",
    params(Id<AudienceId>),
    responses((status = 200, description = "The conditions", body = SegmentJson)),
)]
pub async fn read(caller: Caller, Id(id): Id<AudienceId>) -> ApiResult {
    let audience = caller.app.find.visible(&caller.actor, id).await?;
    Ok(answer(&audience, None))
}

/// Sets the conditions of an audience. Those of a draft may be incomplete; what is active is resolved
/// anew, and shows its members as they were until then.
#[utoipa::path(
    put, path = "/audiences/{id}/segment", tag = "segments", operation_id = "defineSegment",
    request_body = SegmentBody,
    params(Id<AudienceId>, IfMatch),
    responses(
        (status = 200, description = "The conditions", body = SegmentJson),
        (
            status = 409,
            description = "`audience_has_contacts`, `audience_deleted`, `audience_in_use`",
        ),
        (status = 412, description = "It has changed since"),
        (status = 422, description = "A condition is `incomplete`, or breaks a rule"),
    ),
)]
pub async fn define(
    caller: Caller,
    Id(id): Id<AudienceId>,
    condition: IfMatch,
    JsonBody(body): JsonBody<SegmentBody>,
) -> ApiResult {
    let definition = definition(body, "")?;
    let known = caller.app.find.visible(&caller.actor, id).await?;
    let version = condition.expect(known.version)?;
    let run = |caller: Caller| async move {
        let (define, actor) = (&caller.app.segments.define, &caller.actor);
        let request_id = caller.request_id();
        let defined = define.execute(actor, request_id, id, version, definition);
        let defined = defined.await?;
        let refresh = defined.refresh.map(|refresh| refresh.operation);
        Ok(answer(&defined.audience, refresh))
    };
    caller.change(run).await
}

/// Says who would be a member, and stores nothing. What takes longer than ten seconds, or than `Prefer: wait`
/// says, becomes an operation whose report is the answer.
#[utoipa::path(
    post, path = "/segments/preview", tag = "segments", operation_id = "previewSegment",
    request_body = SegmentBody,
    responses(
        (status = 200, description = "Who would be a member", body = PreviewJson),
        (status = 202, description = "The operation that finds it", body = OperationJson),
        (
            status = 409,
            description = "The source of customers refuses: `bytes_limit`, `credentials_invalid`, `access_denied` and others of its check",
        ),
        (status = 422, description = "A condition is `incomplete`, or breaks a rule"),
    ),
)]
pub async fn preview(
    caller: Caller,
    Wait(wait): Wait,
    JsonBody(body): JsonBody<SegmentBody>,
) -> ApiResult {
    let definition = definition(body, "")?;
    let patience = wait.unwrap_or(PREVIEW_PATIENCE);
    // In a task of its own, in which what takes too long can be given up.
    let run = move |caller: Caller| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let preview = &app.segments.preview;
        let found = preview.execute(actor, caller.request_id(), definition, patience);
        match found.await? {
            Previewed::Found(report) => Ok(Answer::ok(&preview_json(&report))),
            Previewed::Later(id) => accepted(app.operations.as_ref(), actor, id, None).await,
        }
    };
    caller.change(run).await
}

/// Resolves the members of a segment. Whoever asks while that is under way gets the same operation.
#[utoipa::path(
    post, path = "/audiences/{id}/refresh", tag = "segments", operation_id = "refreshSegment",
    request_body = Option<RefreshBody>,
    params(Id<AudienceId>),
    responses(
        (status = 200, description = "The operation, which ended within the wait", body = OperationJson),
        (status = 202, description = "The operation", body = OperationJson),
        (
            status = 409,
            description = "`not_a_segment`, `audience_is_draft`, `audience_deleted`",
        ),
        (status = 422, description = "A member is wrong"),
    ),
)]
pub async fn refresh(
    caller: Caller,
    Id(id): Id<AudienceId>,
    Wait(wait): Wait,
    Idempotent(once, OptionalBody(body)): Idempotent<OptionalBody<RefreshBody>>,
) -> ApiResult {
    let guard_percent = body.guard_percent;
    if guard_percent.is_some_and(|percent| percent > 1_000_000) {
        let detail = "from 0 to 1,000,000";
        return Err(AppError::invalid("/guard_percent", "out_of_range", detail).into());
    }
    let params = RefreshParams {
        guard_percent,
        ..RefreshParams::default()
    };
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let refresh = &app.segments.refresh;
        let started = refresh.execute(actor, request_id, id, params).await?;
        accepted(app.operations.as_ref(), actor, started.operation, wait).await
    })
    .await
}

/// Says why a customer is a member of a segment, or is not: condition by condition, with the value that
/// was compared.
#[utoipa::path(
    post, path = "/audiences/{id}/explain", tag = "segments", operation_id = "explainMembership",
    request_body = ExplainBody,
    params(Id<AudienceId>),
    responses(
        (status = 200, description = "Why", body = ExplainJson),
        (status = 404, description = "There is no such audience, or no such customer"),
        (status = 409, description = "`not_a_segment`"),
    ),
)]
pub async fn explain(
    caller: Caller,
    Id(id): Id<AudienceId>,
    JsonBody(body): JsonBody<ExplainBody>,
) -> ApiResult {
    let whom = whom(body)?;
    let (app, actor) = (&caller.app, &caller.actor);
    let audience = app.find.visible(actor, id).await?;
    let explained = app.segments.explain.execute(actor, id, whom).await?;
    Ok(Answer::ok(&explain_json(&audience, explained)))
}

pub(super) fn whom(body: ExplainBody) -> Result<Whom, Problem> {
    match (body.customer_id, body.document) {
        (Some(id), None) => {
            let id = CustomerId::new(id).map_err(|error| {
                AppError::invalid("/customer_id", "invalid_value", error.to_string())
            })?;
            Ok(Whom::Customer(id))
        }
        (None, Some(document)) => {
            let document = Document::parse(&document)
                .map_err(|error| AppError::invalid("/document", error.code(), error.to_string()))?;
            Ok(Whom::Document(document))
        }
        _ => {
            let detail = "give either customer_id or document";
            Err(AppError::invalid("", "contradiction", detail).into())
        }
    }
}

fn answer(audience: &Audience, refresh: Option<OperationId>) -> Answer {
    let tag = etag::strong(audience.version);
    Answer::ok(&segment_json(audience, refresh)).with_header(header::ETAG, tag)
}
