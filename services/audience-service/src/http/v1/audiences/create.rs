//! Creating an audience: from contacts in the request, from an uploaded file, or from other audiences.

use actix_web::http::{
    StatusCode,
    header::{self, HeaderValue},
};
use api_types::{
    audiences::{CreatedJson, NewAudience},
    operations::OperationJson,
};
use domain::{
    audience::{AudienceStatus, Definition, Source},
    shared::{UploadId, one_of},
};
use http_kit::{
    Answer, ApiResult, Idempotent, JsonBody, Problem, Wait, etag, operations::accepted,
};

use super::{
    from,
    json::{audience_json, name, tags},
};
use crate::{
    AppError,
    contact::write::ContactItems,
    creation::CreationRequest,
    http::{Caller, state::at_most, v1::contacts::written_json},
    upload::UploadInto,
};

/// Creates an audience.
#[utoipa::path(
    post, path = "/audiences", tag = "audiences", operation_id = "createAudience",
    request_body = NewAudience,
    responses(
        (status = 201, description = "Created", body = CreatedJson),
        (status = 200, description = "Made within the wait", body = OperationJson),
        (
            status = 202,
            description = "It is made from the file or from other audiences in the background",
            body = OperationJson,
        ),
        (status = 404, description = "One of the other audiences is not there"),
        (status = 409, description = "`name_taken`; of the other audiences `audience_deleted`"),
    ),
)]
pub async fn create(
    caller: Caller,
    Wait(wait): Wait,
    Idempotent(once, JsonBody(new)): Idempotent<JsonBody<NewAudience>>,
) -> ApiResult {
    let tags = tags(&new.tags)?;
    let status = match &new.status {
        Some(text) => one_of("/status", text, AudienceStatus::CHOSEN)?,
        None => AudienceStatus::Active,
    };
    if let Some(from) = &new.from {
        let others = [
            ("/data", new.data.is_some()),
            ("/upload_id", new.upload_id.is_some()),
        ];
        if let Some((at, _)) = others.into_iter().find(|(_, given)| *given) {
            let detail = "give one of data, upload_id and from";
            return Err(AppError::invalid(at, "contradiction", detail).into());
        }
        let wanted = from::request(from.clone(), from::name(&new.name)?, tags, status)?;
        let begin = move |request_id| async move {
            let (app, actor) = (&caller.app, &caller.actor);
            let started = app.derive.execute(actor, request_id, wanted).await?;
            accepted(app.operations.as_ref(), actor, started.operation, wait).await
        };
        return once.run(begin).await;
    }
    if new.name.is_empty() {
        return Err(AppError::invalid("/name", "required", "is required").into());
    }
    let name = name(&new.name)?;
    if let Some(upload) = &new.upload_id {
        let command = from_file(upload, &new)?;
        let begin = move |request_id| async move {
            let (app, actor) = (&caller.app, &caller.actor);
            let started = app
                .uploads
                .bring_in
                .into_new(actor, request_id, name, tags, status, command);
            accepted(
                app.operations.as_ref(),
                actor,
                started.await?.operation,
                wait,
            )
            .await
        };
        return once.run(begin).await;
    }
    let items = new.data.unwrap_or_default();
    at_most(caller.item_limit, &items)?;
    let create = CreationRequest {
        name,
        tags,
        icon: None,
        status,
        definition: Definition::default(),
        source: Source::Api,
        contacts: ContactItems {
            items,
            strict: new.strict,
            require_valid_document: new.require_valid_document,
        },
    };
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let created = app.create.execute(actor, request_id, create).await?;
        let audience = audience_json(&created.audience);
        let location = HeaderValue::from_str(&format!("/api/v1/audiences/{}", audience.id));
        let tag = etag::strong(created.audience.version);
        let written = written_json(&caller.contact_ids, &actor.workspace, created);
        let answer = Answer::json(StatusCode::CREATED, &CreatedJson { audience, written });
        let answer = answer.with_header(header::ETAG, tag);
        Ok(match location {
            Ok(location) => answer.with_header(header::LOCATION, location),
            Err(_) => answer,
        })
    })
    .await
}

fn from_file(upload: &str, new: &NewAudience) -> Result<UploadInto, Problem> {
    if new.data.is_some() {
        let detail = "give either data or upload_id";
        return Err(AppError::invalid("/data", "contradiction", detail).into());
    }
    let upload: UploadId = upload.parse().map_err(|_| {
        AppError::invalid("/upload_id", "unknown_upload", "there is no such upload")
    })?;
    Ok(UploadInto {
        upload,
        mapping: new.mapping.clone(),
        require_valid_document: new.require_valid_document,
    })
}
