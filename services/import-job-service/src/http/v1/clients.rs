//! `/api/v1/clients`.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path, Payload, Query},
};
use domain::importing::{ApiToken, ClientSlug};
use http_kit::{
    Answer, Body, Problem, ProblemBody, etag,
    etag::IfMatch,
    paging::{self, List},
    timestamp,
};
use kernel::Actor;
use ports::importing::{ClientId, ImportClient};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{INVALID, broken};
use crate::{
    client::{ClientChange, Ensured, NewClient, client_id},
    http::ApiState,
};

/// Whose CRM is imported.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClientJson {
    /// `cli_` and a decimal.
    #[schema(example = "cli_104629547441512448")]
    pub id: String,
    /// Its name in URLs, unique over the installation.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether runs take it.
    pub active: bool,
    /// Where its CRM answers.
    pub base_url: String,
    /// Always `********`.
    pub token: &'static str,
    /// How fast it is asked; null for the installation's default.
    pub requests_per_minute: Option<u32>,
    /// Whether certificates are verified.
    pub tls_verify: bool,
    /// Cron expression in UTC; null where nothing is imported by itself.
    pub schedule: Option<String>,
    /// When that comes next.
    pub next_run_at: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
}

impl From<&ImportClient> for ClientJson {
    fn from(client: &ImportClient) -> Self {
        Self {
            id: client_id(client.id),
            slug: client.slug.to_string(),
            name: client.name.clone(),
            active: client.active,
            base_url: client.base_url.to_string(),
            token: ApiToken::MASK,
            requests_per_minute: client.requests_per_minute.map(|rate| rate.get()),
            tls_verify: client.tls_verify,
            schedule: client.schedule.as_ref().map(ToString::to_string),
            next_run_at: client.next_run_at.filter(|_| client.active).map(timestamp),
            created_at: timestamp(client.created_at),
            updated_at: timestamp(client.updated_at),
        }
    }
}

/// What makes a client.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClient)]
pub struct New {
    /// `[a-z0-9-]{1,64}`.
    slug: String,
    /// The slug where there is none.
    name: Option<String>,
    /// True where it is missing.
    active: Option<bool>,
    /// `https`, unless the installation allows the host.
    base_url: String,
    /// Sent as `api-key`.
    token: String,
    /// 1 to 60000.
    requests_per_minute: Option<i64>,
    /// True where it is missing.
    tls_verify: Option<bool>,
    /// Cron expression of five fields in UTC.
    schedule: Option<String>,
}

/// New values. Absent members stay as they are; null takes the installation's rate, or no schedule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClientChange)]
pub struct Change {
    slug: Option<String>,
    name: Option<String>,
    active: Option<bool>,
    base_url: Option<String>,
    /// `********`, as it is read, leaves the token as it is.
    token: Option<String>,
    #[serde(default, deserialize_with = "present")]
    requests_per_minute: Option<Option<i64>>,
    tls_verify: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    schedule: Option<Option<String>>,
}

/// Tells null from absent.
fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    slug: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

impl From<New> for NewClient {
    fn from(new: New) -> Self {
        Self {
            slug: new.slug,
            name: new.name,
            active: new.active.unwrap_or(true),
            base_url: new.base_url,
            token: new.token,
            requests_per_minute: new.requests_per_minute,
            tls_verify: new.tls_verify.unwrap_or(true),
            schedule: new.schedule,
        }
    }
}

/// The id in a path: one that cannot be an id names nothing.
pub fn path_id(text: &str) -> Result<ClientId, Problem> {
    let digits = text.strip_prefix("cli_").unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let id = plain.then(|| digits.parse().ok()).flatten();
    id.map(ClientId).ok_or_else(Problem::not_found)
}

/// Path of a client.
pub fn path_of(client: ClientId) -> String {
    format!("/api/v1/clients/{}", client_id(client))
}

fn answer(status: StatusCode, client: &ImportClient) -> Answer {
    let answer = Answer::json(status, &ClientJson::from(client))
        .with_header(header::ETAG, etag::strong(client.version));
    match header::HeaderValue::from_str(&path_of(client.id)) {
        Ok(path) if status == StatusCode::CREATED => answer.with_header(header::LOCATION, path),
        _ => answer,
    }
}

/// Makes a client.
#[utoipa::path(
    post, path = "/api/v1/clients", tag = "clients", operation_id = "createClient",
    request_body = New,
    responses(
        (status = 201, description = "The client", body = ClientJson),
        (status = 409, description = "`slug_taken`", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn create(
    state: Data<ApiState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let Body { value: new, hash } = state.json::<New>(&request, payload, INVALID).await?;
    let (create, by) = (state.cases.create_client.clone(), actor.clone());
    let run = |request_id| async move {
        let client = create.execute(&by, request_id, new.into()).await?;
        Ok(answer(StatusCode::CREATED, &client))
    };
    state.once(&request, &actor, hash, run).await
}

/// Makes a client unless there is one of that slug, which then stays as it is.
#[utoipa::path(
    post, path = "/api/v1/clients/ensure", tag = "clients", operation_id = "ensureClient",
    request_body = New,
    responses(
        (status = 200, description = "It was there", body = ClientJson),
        (status = 201, description = "It was made", body = ClientJson),
        (status = 409, description = "`slug_taken`: another workspace has it", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn ensure(
    state: Data<ApiState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let Body { value: new, hash } = state.json::<New>(&request, payload, INVALID).await?;
    let (ensure, by) = (state.cases.ensure_client.clone(), actor.clone());
    let run = |request_id| async move {
        let Ensured { client, created } = ensure.execute(&by, request_id, new.into()).await?;
        let status = if created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Ok(answer(status, &client))
    };
    state.once(&request, &actor, hash, run).await
}

/// Clients, in the order they were made.
#[utoipa::path(
    get, path = "/api/v1/clients", tag = "clients", operation_id = "listClients",
    params(
        ("slug" = Option<String>, Query, description = "The one of this slug"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 where absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of clients", body = List<ClientJson>))
)]
pub async fn list(
    state: Data<ApiState>,
    request: HttpRequest,
    query: Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let limit = paging::limit(query.limit.as_deref())
        .map_err(|violation| Problem::unprocessable(vec![violation]))?;
    let slug = query.slug.as_deref().map(ClientSlug::parse).transpose();
    let slug = slug.map_err(|_| broken("/slug", "invalid_slug", "no slug can be this"))?;
    let cursor = query.cursor.as_deref();
    let after: Option<i64> = state.open(&actor.workspace, "clients", cursor)?;
    let (clients, more) = state
        .cases
        .clients
        .list(&actor, slug.as_ref(), after.map(ClientId), i64::from(limit))
        .await?;
    let last = clients.last().filter(|_| more);
    let next = last.and_then(|last| state.seal(&actor.workspace, "clients", &last.id.0));
    Ok(HttpResponse::Ok().json(List {
        data: clients.iter().map(ClientJson::from).collect(),
        next_cursor: next,
    }))
}

/// One client.
#[utoipa::path(
    get, path = "/api/v1/clients/{id}", tag = "clients", operation_id = "getClient",
    params(("id" = String, Path, description = "`cli_…`")),
    responses(
        (status = 200, description = "The client", body = ClientJson),
        (status = 404, description = "There is none", body = ProblemBody),
    )
)]
pub async fn get(
    state: Data<ApiState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let client = state.cases.clients.get(&actor, path_id(&id)?).await?;
    Ok(answer(StatusCode::OK, &client).into())
}

/// Changes a client.
#[utoipa::path(
    patch, path = "/api/v1/clients/{id}", tag = "clients", operation_id = "changeClient",
    params(
        ("id" = String, Path, description = "`cli_…`"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` it was read with"),
    ),
    request_body = Change,
    responses(
        (status = 200, description = "The client", body = ClientJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`slug_taken`", body = ProblemBody),
        (status = 412, description = "It has changed since", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn change(
    state: Data<ApiState>,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&id)?;
    let body = state
        .json::<Change>(&request, payload, INVALID)
        .await?
        .value;
    let change = ClientChange {
        slug: body.slug,
        name: body.name,
        active: body.active,
        base_url: body.base_url,
        token: body.token,
        requests_per_minute: body.requests_per_minute,
        tls_verify: body.tls_verify,
        schedule: body.schedule,
    };
    let client = apply(&state, &request, actor, id, change).await?;
    Ok(client)
}

/// Lets no run take a client any more. Again: no change.
#[utoipa::path(
    delete, path = "/api/v1/clients/{id}", tag = "clients", operation_id = "deactivateClient",
    params(("id" = String, Path, description = "`cli_…`")),
    responses(
        (status = 200, description = "The client, not active; what was imported stays", body = ClientJson),
        (status = 404, description = "There is none", body = ProblemBody),
    )
)]
pub async fn deactivate(
    state: Data<ApiState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&id)?;
    let client = state.cases.clients.get(&actor, id).await?;
    if !client.active {
        return Ok(answer(StatusCode::OK, &client).into());
    }
    let change = ClientChange {
        active: Some(false),
        ..ClientChange::default()
    };
    apply(&state, &request, actor, id, change).await
}

/// Changes a client as it was when it passed the precondition.
async fn apply(
    state: &ApiState,
    request: &HttpRequest,
    actor: Actor,
    id: ClientId,
    change: ClientChange,
) -> Result<HttpResponse, Problem> {
    let version = state.cases.clients.get(&actor, id).await?.version;
    IfMatch::from_headers(request.headers()).check(version)?;
    let use_case = state.cases.change_client.clone();
    let run = async move {
        let client = use_case.execute(&actor, id, version, change).await?;
        Ok(answer(StatusCode::OK, &client))
    };
    state.change(run).await
}
