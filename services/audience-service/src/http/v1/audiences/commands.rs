//! Changing audiences.

use api_types::{
    audiences::{AudienceChange, AudienceCopy, AudienceJson, ClearedJson},
    operations::OperationJson,
};
use domain::{
    audience::{self, AudienceStatus},
    shared::{AudienceId, one_of},
};
use http_kit::{
    Answer, ApiResult, Id, Idempotent, JsonBody, OptionalBody, Wait, etag::IfMatch,
    operations::accepted,
};
use serde::Deserialize;

use super::json::{answer, audience_json, name, tags};
use crate::http::Caller;

/// Changes name, labels or status.
#[utoipa::path(
    patch, path = "/audiences/{id}", tag = "audiences", operation_id = "changeAudience",
    request_body = AudienceChange,
    params(Id<AudienceId>, IfMatch),
    responses(
        (status = 200, description = "The audience", body = AudienceJson),
        (
            status = 409,
            description = "`name_taken`, `audience_deleted`; becoming a draft, `audience_in_use`",
        ),
        (status = 412, description = "It has changed since"),
    ),
)]
pub async fn change(
    caller: Caller,
    Id(id): Id<AudienceId>,
    condition: IfMatch,
    JsonBody(body): JsonBody<AudienceChange>,
) -> ApiResult {
    let status = body.status.as_deref();
    let status = status.map(|s| one_of("/status", s, AudienceStatus::CHOSEN));
    let change = audience::AudienceChange {
        name: body.name.as_deref().map(name).transpose()?,
        tags: body.tags.as_deref().map(tags).transpose()?,
        status: status.transpose()?,
        icon: None,
    };
    let known = caller.app.find.visible(&caller.actor, id).await?;
    let version = condition.expect(known.version)?;
    let run = |caller: Caller| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let activates = |status: &AudienceStatus| *status == AudienceStatus::Active;
        let segment = known.definition.is_segment();
        let status = change.status.filter(|status| segment && activates(status));
        let change = match status {
            // A segment is active when its members are resolved.
            Some(_) => audience::AudienceChange {
                status: None,
                ..change
            },
            None => change,
        };
        let mut changed = app.change.change(actor, id, version, change).await?;
        if let Some(status) = status {
            let define = &app.segments.define;
            let published = define
                .publish(actor, caller.request_id(), id, status)
                .await?;
            changed = published.audience;
        }
        Ok(answer(&changed))
    };
    caller.change(run).await
}

/// Deletes an audience; it can be restored. Again: no change.
#[utoipa::path(
    delete, path = "/audiences/{id}", tag = "audiences", operation_id = "deleteAudience",
    params(Id<AudienceId>, IfMatch),
    responses(
        (status = 200, description = "The audience", body = AudienceJson),
        (status = 409, description = "`audience_in_use`, with `used_by`: kind, id and name of each"),
        (status = 412, description = "It has changed since"),
    ),
)]
pub async fn drop_audience(
    caller: Caller,
    Id(id): Id<AudienceId>,
    condition: IfMatch,
) -> ApiResult {
    let known = caller.app.find.visible(&caller.actor, id).await?;
    let version = condition.expect(known.version)?;
    let run = |caller: Caller| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let dropped = app.change.drop(actor, id, version, None).await?;
        Ok(answer(&dropped))
    };
    caller.change(run).await
}

/// Brings a deleted audience back. Again: no change.
#[utoipa::path(
    post, path = "/audiences/{id}/restore", tag = "audiences", operation_id = "restoreAudience",
    params(Id<AudienceId>),
    responses(
        (status = 200, description = "The audience", body = AudienceJson),
        (status = 409, description = "`name_taken`"),
    ),
)]
pub async fn restore(
    caller: Caller,
    Id(id): Id<AudienceId>,
    Idempotent(once, _): Idempotent<OptionalBody<AnyObject>>,
) -> ApiResult {
    once.run(move |_| async move {
        let restored = caller.app.change.restore(&caller.actor, id, None).await?;
        Ok(answer(&restored))
    })
    .await
}

/// An object whose members mean nothing.
#[derive(Debug, Default, Deserialize)]
pub struct AnyObject {}

/// Copies an audience in the background. The copy shows when it is complete.
#[utoipa::path(
    post, path = "/audiences/{id}/duplicate", tag = "audiences", operation_id = "duplicateAudience",
    request_body = AudienceCopy,
    params(Id<AudienceId>),
    responses(
        (
            status = 200, description = "The operation, which ended within the wait",
            body = OperationJson,
        ),
        (status = 202, description = "The operation", body = OperationJson),
        (status = 409, description = "`name_taken`, `audience_deleted`"),
    ),
)]
pub async fn duplicate(
    caller: Caller,
    Id(id): Id<AudienceId>,
    Wait(wait): Wait,
    Idempotent(once, OptionalBody(copy)): Idempotent<OptionalBody<AudienceCopy>>,
) -> ApiResult {
    let name = copy.name.as_deref().map(name).transpose()?;
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let started = app.duplicate.execute(actor, request_id, id, name).await?;
        accepted(app.operations.as_ref(), actor, started.operation, wait).await
    })
    .await
}

/// Empties an audience at once, whatever its size.
#[utoipa::path(
    post, path = "/audiences/{id}/clear", tag = "audiences", operation_id = "clearAudience",
    params(Id<AudienceId>),
    responses(
        (status = 200, description = "The audience, empty", body = ClearedJson),
        (status = 409, description = "`audience_deleted`"),
    ),
)]
pub async fn clear(
    caller: Caller,
    Id(id): Id<AudienceId>,
    Idempotent(once, _): Idempotent<OptionalBody<AnyObject>>,
) -> ApiResult {
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let cleared = app.clear.execute(actor, request_id, id, None).await?;
        Ok(Answer::ok(&ClearedJson {
            audience: audience_json(&cleared.audience),
            operation_id: cleared.operation.to_string(),
        }))
    })
    .await
}
