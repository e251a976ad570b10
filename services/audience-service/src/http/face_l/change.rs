//! The commands of face L that change something.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload, Query},
};
use domain::{
    audience::{AudienceStatus, Source, Tags},
    shared::{AudienceId, AudienceName},
};
use http_kit::{Answer, Problem, ProblemBody};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::{
    answer::{Changed, Written},
    body::{Command, audience_id, broken, decimal_id},
    refused,
};
use crate::{
    application::{AppError, contact::write::ContactItems, creation::CreationRequest},
    http::ApiState,
};

/// Creates a list with its first contacts. Bad ones are told, the others written.
#[utoipa::path(
    post,
    path = "/create",
    tag = "lists",
    operation_id = "createList",
    request_body = Command,
    responses(
        (status = 201, description = "Created", body = Written),
        (status = 400, description = "A rule is broken", body = ProblemBody),
        (status = 409, description = "`name_taken`", body = ProblemBody),
        (status = 413, description = "More than 64 MiB or 100,000 items", body = ProblemBody),
        (status = 422, description = "`strict`, and a contact is bad", body = ProblemBody),
    )
)]
pub async fn create(
    state: Data<ApiState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let body = state
        .json::<Command>(&request, payload, StatusCode::BAD_REQUEST)
        .await?;
    let (mut command, base) = body.value.open();
    let name = name(command.name.take(), base)?;
    let contacts = contacts(&state, command, base)?;
    let (app, caller) = (state.app.clone(), actor.clone());
    state
        .once(&request, &actor, body.hash, move |request_id| async move {
            let refusal = Refusal {
                strict: contacts.strict,
                base,
            };
            let create = CreationRequest {
                name,
                tags: Tags::default(),
                status: AudienceStatus::Active,
                source: Source::Api,
                contacts,
            };
            let created = app.create.execute(&caller, request_id, create).await;
            let created = created.map_err(|e| refusal.problem(e))?;
            Ok(Answer::json(StatusCode::CREATED, &Written::from(created)))
        })
        .await
}

/// Writes contacts; the last one written for a document counts.
#[utoipa::path(
    post,
    path = "/insert",
    tag = "lists",
    operation_id = "insertIntoList",
    request_body = Command,
    responses(
        (status = 200, description = "What became of them", body = Written),
        (status = 400, description = "A rule is broken", body = ProblemBody),
        (status = 403, description = "`audience_not_api_managed`", body = ProblemBody),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`audience_deleted`", body = ProblemBody),
        (status = 413, description = "More than 64 MiB or 100,000 items", body = ProblemBody),
        (status = 422, description = "`strict`, and a contact is bad", body = ProblemBody),
    )
)]
pub async fn insert(
    state: Data<ApiState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let body = state
        .json::<Command>(&request, payload, StatusCode::BAD_REQUEST)
        .await?;
    let (command, base) = body.value.open();
    let id = audience_id(command.snowflake_id.as_ref(), base)?;
    let contacts = contacts(&state, command, base)?;
    let (app, caller) = (state.app.clone(), actor.clone());
    state
        .once(&request, &actor, body.hash, move |request_id| async move {
            let refusal = Refusal {
                strict: contacts.strict,
                base,
            };
            let added = app
                .contacts
                .add
                .execute(&caller, request_id, id, Some(Source::Api), contacts)
                .await;
            let added = added.map_err(|e| refusal.problem(e))?;
            Ok(Answer::json(StatusCode::OK, &Written::from(added)))
        })
        .await
}

/// Empties a list at once, whatever its size; `operation_id` can be undone.
#[utoipa::path(
    delete,
    path = "/delete",
    tag = "lists",
    operation_id = "emptyList",
    params(ById),
    request_body = Option<Command>,
    responses(
        (status = 200, description = "The list", body = Changed),
        (status = 400, description = "A rule is broken", body = ProblemBody),
        (status = 403, description = "`audience_not_api_managed`", body = ProblemBody),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`audience_deleted`", body = ProblemBody),
    )
)]
pub async fn delete(
    state: Data<ApiState>,
    request: HttpRequest,
    query: Query<ById>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let (id, _) = target(&state, &request, &query, payload).await?;
    let (app, request_id) = (state.app.clone(), state.request_id());
    let change = async move {
        let cleared = app
            .clear
            .execute(&actor, request_id, id, Some(Source::Api))
            .await;
        let cleared = cleared.map_err(refused)?;
        let changed = Changed::new(&cleared.audience, Some(cleared.operation));
        Ok(Answer::json(StatusCode::OK, &changed))
    };
    state.change(change).await
}

/// Deletes a list; it can be restored. Again: no change.
#[utoipa::path(
    delete,
    path = "/drop",
    tag = "lists",
    operation_id = "dropList",
    params(ById),
    request_body = Option<Command>,
    responses(
        (status = 200, description = "The list", body = Changed),
        (status = 400, description = "A rule is broken", body = ProblemBody),
        (status = 403, description = "`audience_not_api_managed`", body = ProblemBody),
        (status = 404, description = "There is none", body = ProblemBody),
    )
)]
pub async fn drop_list(
    state: Data<ApiState>,
    request: HttpRequest,
    query: Query<ById>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let (id, _) = target(&state, &request, &query, payload).await?;
    let app = state.app.clone();
    let change = async move {
        let dropped = app.change.drop(&actor, id, None, Some(Source::Api)).await;
        Ok(Answer::json(
            StatusCode::OK,
            &Changed::new(&dropped.map_err(refused)?, None),
        ))
    };
    state.change(change).await
}

/// Brings a deleted list back. Again: no change.
#[utoipa::path(
    post,
    path = "/restore",
    tag = "lists",
    operation_id = "restoreList",
    params(ById),
    request_body = Option<Command>,
    responses(
        (status = 200, description = "The list", body = Changed),
        (status = 400, description = "A rule is broken", body = ProblemBody),
        (status = 403, description = "`audience_not_api_managed`", body = ProblemBody),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`name_taken`", body = ProblemBody),
    )
)]
pub async fn restore(
    state: Data<ApiState>,
    request: HttpRequest,
    query: Query<ById>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let (id, hash) = target(&state, &request, &query, payload).await?;
    let (app, caller) = (state.app.clone(), actor.clone());
    state
        .once(&request, &actor, hash, move |_ticket| async move {
            let restored = app.change.restore(&caller, id, Some(Source::Api)).await;
            Ok(Answer::json(
                StatusCode::OK,
                &Changed::new(&restored.map_err(refused)?, None),
            ))
        })
        .await
}

/// The id in the query string, for gateways that drop a DELETE's body.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ById {
    /// The list, as in the body.
    snowflake_id: Option<String>,
}

/// The audience that a command names, in its body or its query, and the hash of the body.
async fn target(
    state: &ApiState,
    request: &HttpRequest,
    query: &ById,
    payload: Payload,
) -> Result<(AudienceId, [u8; 32]), Problem> {
    let invalid = StatusCode::BAD_REQUEST;
    let body = state
        .optional_json::<Command>(request, payload, invalid)
        .await?;
    let (command, base) = body.value.open();
    let named = query.snowflake_id.as_deref();
    let id = match (command.snowflake_id, named) {
        (None, Some(text)) => decimal_id(text).ok_or_else(|| {
            broken(
                "/snowflake_id".into(),
                "invalid_id",
                "snowflake_id must be a decimal id",
            )
        })?,
        (value, _) => audience_id(value.as_ref(), base)?,
    };
    if named.is_some_and(|text| decimal_id(text) != Some(id)) {
        let detail = "the query names another audience than the body";
        return Err(broken("/snowflake_id".into(), "contradiction", detail));
    }
    Ok((id, body.hash))
}

fn name(value: Option<Value>, base: &str) -> Result<AudienceName, Problem> {
    let pointer = format!("{base}/name");
    match value {
        Some(Value::String(text)) => {
            AudienceName::parse(&text).map_err(|e| refused(AppError::name(&pointer, e)))
        }
        None | Some(Value::Null) => Err(broken(pointer, "required", "name is missing")),
        Some(_) => Err(broken(pointer, "invalid_type", "name must be a string")),
    }
}

fn contacts(state: &ApiState, command: Command, base: &str) -> Result<ContactItems, Problem> {
    let Some(items) = command.data else {
        return Err(broken(
            format!("{base}/data"),
            "required",
            "data is missing",
        ));
    };
    if items.len() > state.item_limit {
        let detail = format!("more than {} items", state.item_limit);
        return Err(Problem::too_large(detail));
    }
    Ok(ContactItems {
        items,
        strict: command.strict,
        require_valid_document: command.require_valid_document,
    })
}

/// How a write of contacts is refused.
struct Refusal {
    /// One bad item refuses the whole request, with 422.
    strict: bool,
    /// Where in the body the command was.
    base: &'static str,
}

impl Refusal {
    fn problem(&self, mut error: AppError) -> Problem {
        if let AppError::Invalid(violations) = &mut error {
            for violation in violations {
                violation.pointer.insert_str(0, self.base);
            }
        }
        let invalid = match self.strict {
            true => StatusCode::UNPROCESSABLE_ENTITY,
            false => StatusCode::BAD_REQUEST,
        };
        Problem::of(error, invalid)
    }
}
