//! Creating an audience, from contacts in the request or from an uploaded file.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Data, Payload},
};
use domain::{
    audience::{AudienceStatus, Source, Tags},
    shared::{AudienceName, UploadId},
};
use http_kit::operations::accepted;
use http_kit::{Answer, Problem, ProblemBody, etag};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::json::{AudienceJson, name, one_of, tags};
use crate::{
    application::{
        AppError, contact::write::ContactItems, creation::CreationRequest, upload::UploadInto,
    },
    http::{
        ApiState,
        v1::{contacts::WrittenJson, operations::OperationJson},
    },
};

/// A new audience.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAudience {
    /// 1 to 255 characters, unique among those not deleted.
    name: String,
    /// Labels.
    #[serde(default)]
    tags: Vec<String>,
    /// `active` (as a rule) or `draft`.
    status: Option<String>,
    /// First contacts, at most 100,000.
    #[schema(value_type = Option<Vec<Object>>)]
    data: Option<Vec<Value>>,
    /// Write nothing unless every contact is valid.
    #[serde(default)]
    strict: bool,
    /// Reject contacts whose check digits are wrong.
    #[serde(default)]
    require_valid_document: bool,
    /// An uploaded file to take the contacts from, instead of `data`.
    upload_id: Option<String>,
    /// Column name to target, where the guess is to be corrected.
    mapping: Option<BTreeMap<String, String>>,
}

/// A created audience and what became of its first contacts.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedJson {
    #[serde(flatten)]
    audience: AudienceJson,
    #[serde(flatten)]
    written: WrittenJson,
}

/// Creates an audience.
#[utoipa::path(
    post,
    path = "/audiences",
    tag = "audiences",
    operation_id = "createAudience",
    request_body = NewAudience,
    responses(
        (status = 201, description = "Created", body = CreatedJson),
        (status = 200, description = "Made from the file within the wait", body = OperationJson),
        (status = 202, description = "It is made from the file in the background", body = OperationJson),
        (status = 409, description = "`name_taken`", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn create(
    state: Data<ApiState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let body = state.json::<NewAudience>(&request, payload, StatusCode::UNPROCESSABLE_ENTITY);
    let body = body.await?;
    let new = body.value;
    let (name, tags) = (name(&new.name)?, tags(&new.tags)?);
    let status = match &new.status {
        Some(text) => one_of("/status", text)?,
        None => AudienceStatus::Active,
    };
    if let Some(upload) = &new.upload_id {
        let command = from_file(upload, &new)?;
        return create_from_file(&state, &request, body.hash, name, tags, status, command).await;
    }
    let items = new.data.unwrap_or_default();
    if items.len() > state.item_limit {
        return Err(Problem::too_large(format!(
            "more than {} items",
            state.item_limit
        )));
    }
    let contacts = ContactItems {
        items,
        strict: new.strict,
        require_valid_document: new.require_valid_document,
    };
    let create = CreationRequest {
        name,
        tags,
        status,
        source: Source::Api,
        contacts,
    };
    let (app, caller) = (state.app.clone(), actor.clone());
    let (ids, workspace) = (state.contact_ids.clone(), actor.workspace.clone());
    state
        .once(&request, &actor, body.hash, move |request_id| async move {
            let created = app.create.execute(&caller, request_id, create).await?;
            let audience = AudienceJson::from(&created.audience);
            let location = HeaderValue::from_str(&format!("/api/v1/audiences/{}", audience.id));
            let tag = etag::strong(created.audience.version);
            let written = WrittenJson::new(&ids, &workspace, created);
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

async fn create_from_file(
    state: &Data<ApiState>,
    request: &HttpRequest,
    hash: [u8; 32],
    name: AudienceName,
    tags: Tags,
    status: AudienceStatus,
    command: UploadInto,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(request).await?;
    let (app, caller) = (state.app.clone(), actor.clone());
    let wait = http_kit::prefer::wait(request.headers());
    state
        .once(request, &actor, hash, move |request_id| async move {
            let started = app
                .uploads
                .bring_in
                .into_new(&caller, request_id, name, tags, status, command);
            let started = started.await?;
            accepted(app.operations.as_ref(), &caller, started.operation, wait).await
        })
        .await
}
