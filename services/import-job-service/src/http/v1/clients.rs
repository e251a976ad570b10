//! `/api/v1/clients`.

use actix_web::http::{StatusCode, header};
use api_types::{
    List,
    imports::{ClientChange, ClientJson, NewClient},
};
use domain::{
    importing::{ApiToken, ClientSlug},
    shared::ClientId,
};
use http_kit::{
    Answer, ApiResult, Id, Idempotent, JsonBody, Query, etag, etag::IfMatch, paging, timestamp,
};
use ports::importing::ImportClient;
use serde::Deserialize;
use utoipa::IntoParams;

use super::broken;
use crate::{
    client::{self, Ensured},
    http::Caller,
};

fn client_json(client: &ImportClient) -> ClientJson {
    ClientJson {
        id: client.id.to_string(),
        slug: client.slug.to_string(),
        name: client.name.clone(),
        active: client.active,
        base_url: client.base_url.to_string(),
        token: ApiToken::MASK.into(),
        requests_per_minute: client.requests_per_minute.map(|rate| rate.get()),
        tls_verify: client.tls_verify,
        schedule: client.schedule.as_ref().map(ToString::to_string),
        next_run_at: client.next_run_at.filter(|_| client.active).map(timestamp),
        created_at: timestamp(client.created_at),
        updated_at: timestamp(client.updated_at),
    }
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

fn change_of(change: ClientChange) -> client::ClientChange {
    client::ClientChange {
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

fn new_client(new: NewClient) -> client::NewClient {
    client::NewClient {
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

/// Path of a client.
pub fn path_of(client: ClientId) -> String {
    format!("/api/v1/clients/{client}")
}

fn answer(status: StatusCode, client: &ImportClient) -> Answer {
    let answer = Answer::json(status, &client_json(client))
        .with_header(header::ETAG, etag::strong(client.version));
    match header::HeaderValue::from_str(&path_of(client.id)) {
        Ok(path) if status == StatusCode::CREATED => answer.with_header(header::LOCATION, path),
        _ => answer,
    }
}

/// Makes a client.
#[utoipa::path(
    post, path = "/clients", tag = "clients", operation_id = "createClient",
    request_body = NewClient,
    responses(
        (status = 201, description = "The client", body = ClientJson),
        (status = 409, description = "`slug_taken`"),
        (status = 422, description = "A rule is broken"),
    )
)]
pub async fn create(
    caller: Caller,
    Idempotent(once, JsonBody(new)): Idempotent<JsonBody<NewClient>>,
) -> ApiResult {
    once.run(move |request_id| async move {
        let create = &caller.cases.create_client;
        let client = create
            .execute(&caller.actor, request_id, new_client(new))
            .await?;
        Ok(answer(StatusCode::CREATED, &client))
    })
    .await
}

/// Makes a client unless there is one of that slug, which then stays as it is.
#[utoipa::path(
    post, path = "/clients/ensure", tag = "clients", operation_id = "ensureClient",
    request_body = NewClient,
    responses(
        (status = 200, description = "It was there", body = ClientJson),
        (status = 201, description = "It was made", body = ClientJson),
        (status = 409, description = "`slug_taken`: another workspace has it"),
        (status = 422, description = "A rule is broken"),
    )
)]
pub async fn ensure(
    caller: Caller,
    Idempotent(once, JsonBody(new)): Idempotent<JsonBody<NewClient>>,
) -> ApiResult {
    once.run(move |request_id| async move {
        let ensure = &caller.cases.ensure_client;
        let ensured = ensure
            .execute(&caller.actor, request_id, new_client(new))
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
    let json = |client: ImportClient| client_json(&client);
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
    request_body = ClientChange,
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
    JsonBody(change): JsonBody<ClientChange>,
) -> ApiResult {
    apply(caller, id, expected, change_of(change)).await
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
    let change = client::ClientChange {
        active: Some(false),
        ..client::ClientChange::default()
    };
    apply(caller, id, expected, change).await
}

/// Changes a client as it was when it passed the precondition.
async fn apply(
    caller: Caller,
    id: ClientId,
    expected: IfMatch,
    change: client::ClientChange,
) -> ApiResult {
    let version = caller.cases.clients.get(&caller.actor, id).await?.version;
    expected.check(version)?;
    let run = |caller: Caller| async move {
        let use_case = &caller.cases.change_client;
        let client = use_case.execute(&caller.actor, id, version, change).await?;
        Ok(answer(StatusCode::OK, &client))
    };
    caller.change(run).await
}
