//! `/api/v1/clients`.

use actix_web::http::{StatusCode, header};
use domain::{
    importing::{ApiToken, ClientSlug},
    shared::ClientId,
};
use http_kit::{
    Answer, ApiResult, Id, Idempotent, JsonBody, Query, etag,
    etag::IfMatch,
    paging::{self, List},
    timestamp,
};
use ports::importing::ImportClient;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::broken;
use crate::{
    client::{ClientChange, Ensured, NewClient},
    http::Caller,
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
            id: client.id.to_string(),
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

/// Which clients.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The one of this slug
    #[param(value_type = String, required = false)]
    slug: Option<String>,
    /// 1 to 1000, 100 where absent
    limit: Option<String>,
    /// `next_cursor` of the page before
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

impl From<Change> for ClientChange {
    fn from(change: Change) -> Self {
        Self {
            slug: change.slug,
            name: change.name,
            active: change.active,
            base_url: change.base_url,
            token: change.token,
            requests_per_minute: change.requests_per_minute,
            tls_verify: change.tls_verify,
            schedule: change.schedule,
        }
    }
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

/// Path of a client.
pub fn path_of(client: ClientId) -> String {
    format!("/api/v1/clients/{client}")
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
    post, path = "/clients", tag = "clients", operation_id = "createClient",
    request_body = New,
    responses(
        (status = 201, description = "The client", body = ClientJson),
        (status = 409, description = "`slug_taken`"),
        (status = 422, description = "A rule is broken"),
    )
)]
pub async fn create(
    caller: Caller,
    Idempotent(once, JsonBody(new)): Idempotent<JsonBody<New>>,
) -> ApiResult {
    once.run(move |request_id| async move {
        let create = &caller.cases.create_client;
        let client = create
            .execute(&caller.actor, request_id, new.into())
            .await?;
        Ok(answer(StatusCode::CREATED, &client))
    })
    .await
}

/// Makes a client unless there is one of that slug, which then stays as it is.
#[utoipa::path(
    post, path = "/clients/ensure", tag = "clients", operation_id = "ensureClient",
    request_body = New,
    responses(
        (status = 200, description = "It was there", body = ClientJson),
        (status = 201, description = "It was made", body = ClientJson),
        (status = 409, description = "`slug_taken`: another workspace has it"),
        (status = 422, description = "A rule is broken"),
    )
)]
pub async fn ensure(
    caller: Caller,
    Idempotent(once, JsonBody(new)): Idempotent<JsonBody<New>>,
) -> ApiResult {
    once.run(move |request_id| async move {
        let ensure = &caller.cases.ensure_client;
        let ensured = ensure
            .execute(&caller.actor, request_id, new.into())
            .await?;
        let Ensured { client, created } = ensured;
        let status = if created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Ok(answer(status, &client))
    })
    .await
}

/// Clients, in the order they were made.
#[utoipa::path(
    get, path = "/clients", tag = "clients", operation_id = "listClients",
    params(ListQuery),
    responses((status = 200, description = "A page of clients", body = List<ClientJson>))
)]
pub async fn list(caller: Caller, Query(query): Query<ListQuery>) -> ApiResult {
    let limit = paging::limit(query.limit.as_deref())?;
    let slug = query.slug.as_deref().map(ClientSlug::parse).transpose();
    let slug = slug.map_err(|_| broken("/slug", "invalid_slug", "not a slug"))?;
    let cursors = caller.cursors("clients");
    let after: Option<i64> = cursors.open(query.cursor.as_deref())?;
    let after = after.map(ClientId::from_raw);
    let clients = &caller.cases.clients;
    let page = clients
        .list(&caller.actor, slug.as_ref(), after, i64::from(limit))
        .await?;
    let position = |last: &ImportClient| last.id.raw();
    let json = |client: ImportClient| ClientJson::from(&client);
    Ok(Answer::ok(&cursors.page(page, position, json)))
}

/// One client.
#[utoipa::path(
    get, path = "/clients/{id}", tag = "clients", operation_id = "getClient",
    params(Id<ClientId>),
    responses((status = 200, description = "The client", body = ClientJson))
)]
pub async fn get(caller: Caller, Id(id): Id<ClientId>) -> ApiResult {
    let client = caller.cases.clients.get(&caller.actor, id).await?;
    Ok(answer(StatusCode::OK, &client))
}

/// Changes a client.
#[utoipa::path(
    patch, path = "/clients/{id}", tag = "clients", operation_id = "changeClient",
    params(Id<ClientId>, IfMatch),
    request_body = Change,
    responses(
        (status = 200, description = "The client", body = ClientJson),
        (status = 409, description = "`slug_taken`"),
        (status = 412, description = "It has changed since"),
        (status = 422, description = "A rule is broken"),
    )
)]
pub async fn change(
    caller: Caller,
    Id(id): Id<ClientId>,
    expected: IfMatch,
    JsonBody(change): JsonBody<Change>,
) -> ApiResult {
    apply(caller, id, expected, change.into()).await
}

/// Lets no run take a client any more. Again: no change.
#[utoipa::path(
    delete, path = "/clients/{id}", tag = "clients", operation_id = "deactivateClient",
    params(Id<ClientId>),
    responses(
        (status = 200, description = "The client, not active; what was imported stays", body = ClientJson),
    )
)]
pub async fn deactivate(caller: Caller, Id(id): Id<ClientId>, expected: IfMatch) -> ApiResult {
    let client = caller.cases.clients.get(&caller.actor, id).await?;
    if !client.active {
        return Ok(answer(StatusCode::OK, &client));
    }
    let change = ClientChange {
        active: Some(false),
        ..ClientChange::default()
    };
    apply(caller, id, expected, change).await
}

/// Changes a client as it was when it passed the precondition.
async fn apply(caller: Caller, id: ClientId, expected: IfMatch, change: ClientChange) -> ApiResult {
    let version = caller.cases.clients.get(&caller.actor, id).await?.version;
    expected.check(version)?;
    let run = |caller: Caller| async move {
        let use_case = &caller.cases.change_client;
        let client = use_case.execute(&caller.actor, id, version, change).await?;
        Ok(answer(StatusCode::OK, &client))
    };
    caller.change(run).await
}
