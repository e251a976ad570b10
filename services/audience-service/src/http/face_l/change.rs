//! The commands of face L that change something.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload, Query},
};
use domain::{
    audience::{Audience, AudienceStatus, Source, Tags},
    shared::{AudienceId, AudienceName, OperationId},
};
use http_kit::{Answer, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    body::{Command, audience_id, broken, decimal_id},
    refused,
};
use crate::{
    application::{
        AppError,
        audiences::CreateAudience,
        contacts::{AddContacts, ContactsAdded, WriteCounts},
    },
    http::{ApiState, contact_json::timestamp, error::problem},
};

/// Answer to a write of contacts.
#[derive(Serialize)]
struct Written {
    id: String,
    snowflake_id: String,
    name: String,
    contacts: i64,
    received: usize,
    inserted: i64,
    updated: i64,
    unchanged: i64,
    rejected: usize,
    errors: Vec<ItemError>,
}

#[derive(Serialize)]
struct ItemError {
    index: usize,
    field: String,
    code: &'static str,
    detail: String,
}

impl From<ContactsAdded> for Written {
    fn from(added: ContactsAdded) -> Self {
        let id = added.audience.id.decimal();
        let WriteCounts {
            inserted,
            updated,
            unchanged,
        } = added.counts;
        let rejected = added.rejected.len();
        let error = |r: crate::application::contacts::Rejection| ItemError {
            index: r.index,
            field: r.error.field,
            code: r.error.code,
            detail: r.error.detail,
        };
        Self {
            snowflake_id: id.clone(),
            id,
            name: added.audience.name.as_str().to_owned(),
            contacts: added.audience.contacts,
            received: added.received,
            inserted,
            updated,
            unchanged,
            rejected,
            errors: added.rejected.into_iter().map(error).collect(),
        }
    }
}

/// Answer to the other commands.
#[derive(Serialize)]
struct Changed {
    id: String,
    snowflake_id: String,
    contacts: i64,
    deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<String>,
}

impl Changed {
    fn new(audience: &Audience, operation: Option<OperationId>) -> Self {
        let id = audience.id.decimal();
        Self {
            snowflake_id: id.clone(),
            id,
            contacts: audience.contacts,
            deleted_at: audience.deleted_at.map(timestamp),
            operation_id: operation.map(|o| o.to_string()),
        }
    }
}

/// `POST /create`.
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
        .once(&request, &actor, body.hash, move |ticket| async move {
            let strict = contacts.strict;
            let create = CreateAudience {
                name,
                tags: Tags::default(),
                status: AudienceStatus::Active,
                source: Source::Api,
                contacts,
            };
            let created = app.create_audience(&caller, ticket, create).await;
            let created = created.map_err(|e| refused_write(e, strict))?;
            Ok(Answer::json(StatusCode::CREATED, &Written::from(created)))
        })
        .await
}

/// `POST /insert`.
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
        .once(&request, &actor, body.hash, move |ticket| async move {
            let strict = contacts.strict;
            let added = app
                .add_contacts(&caller, ticket, id, Some(Source::Api), contacts)
                .await;
            let added = added.map_err(|e| refused_write(e, strict))?;
            Ok(Answer::json(StatusCode::OK, &Written::from(added)))
        })
        .await
}

/// `DELETE /delete`: empties an audience.
pub async fn delete(
    state: Data<ApiState>,
    request: HttpRequest,
    query: Query<ById>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let (id, _) = target(&state, &request, &query, payload).await?;
    let (app, ticket) = (state.app.clone(), state.ticket());
    let change = async move {
        let cleared = app
            .clear_audience(&actor, ticket, id, Some(Source::Api))
            .await;
        let cleared = cleared.map_err(refused)?;
        let changed = Changed::new(&cleared.audience, Some(cleared.operation));
        Ok(Answer::json(StatusCode::OK, &changed))
    };
    state.change(change).await
}

/// `DELETE /drop`.
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
        let dropped = app.drop_audience(&actor, id, None, Some(Source::Api)).await;
        Ok(Answer::json(
            StatusCode::OK,
            &Changed::new(&dropped.map_err(refused)?, None),
        ))
    };
    state.change(change).await
}

/// `POST /restore`.
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
            let restored = app.restore_audience(&caller, id, Some(Source::Api)).await;
            Ok(Answer::json(
                StatusCode::OK,
                &Changed::new(&restored.map_err(refused)?, None),
            ))
        })
        .await
}

/// The id in the query string, for gateways that drop a DELETE's body.
#[derive(Deserialize)]
pub struct ById {
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
    let by_query = named.and_then(decimal_id);
    if by_query.is_some_and(|other| other != id) {
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

fn contacts(state: &ApiState, command: Command, base: &str) -> Result<AddContacts, Problem> {
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
    Ok(AddContacts {
        items,
        strict: command.strict,
        require_valid_document: command.require_valid_document,
    })
}

/// Under `strict`, one bad item refuses the whole request with 422.
fn refused_write(error: AppError, strict: bool) -> Problem {
    let invalid = if strict {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::BAD_REQUEST
    };
    problem(error, invalid)
}
