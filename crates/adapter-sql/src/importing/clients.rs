//! Clients.

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Binary, Integer, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    importing::{BaseUrl, BudgetKey, ClientSlug, RequestsPerMinute},
    scheduling::Cron,
    shared::{ClientId, Instant, WorkspaceId},
};
use ports::{
    StoreError,
    importing::{ClientRepository, ImportClient},
};

use super::Conn;
use crate::core::{
    error::{changed_one, store},
    types::{At, UtcMillis},
};

/// Clients of one transaction.
pub(super) struct Clients<'c>(pub(super) &'c mut Conn);

#[derive(QueryableByName)]
struct ClientRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    active: i32,
    #[diesel(sql_type = Text)]
    base_url: String,
    #[diesel(sql_type = Binary)]
    sealed_token: Vec<u8>,
    #[diesel(sql_type = Text)]
    budget: String,
    #[diesel(sql_type = Nullable<Integer>)]
    requests_per_minute: Option<i32>,
    #[diesel(sql_type = Integer)]
    tls_verify: i32,
    #[diesel(sql_type = Nullable<Text>)]
    schedule: Option<String>,
    #[diesel(sql_type = Nullable<UtcMillis>)]
    next_run_at: Option<At>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = UtcMillis)]
    created_at: At,
    #[diesel(sql_type = UtcMillis)]
    updated_at: At,
}

impl TryFrom<ClientRow> for ImportClient {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        let corrupt = || StoreError::Corrupt("import client");
        Ok(Self {
            id: ClientId::from_raw(row.id),
            workspace: WorkspaceId::parse(&row.workspace).map_err(|_| corrupt())?,
            slug: ClientSlug::parse(&row.slug).map_err(|_| corrupt())?,
            name: row.name,
            active: row.active != 0,
            base_url: BaseUrl::parse(&row.base_url).map_err(|_| corrupt())?,
            sealed_token: row.sealed_token,
            budget: BudgetKey::from_stored(row.budget),
            requests_per_minute: row.requests_per_minute.map(rate).transpose()?,
            tls_verify: row.tls_verify != 0,
            schedule: row
                .schedule
                .map(|text| Cron::in_utc(&text).map_err(|_| corrupt()))
                .transpose()?,
            next_run_at: row.next_run_at.map(|at| at.0),
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

fn rate(number: i32) -> Result<RequestsPerMinute, StoreError> {
    RequestsPerMinute::new(i64::from(number)).map_err(|_| StoreError::Corrupt("rate of a client"))
}

fn stored_rate(client: &ImportClient) -> Option<i32> {
    client.requests_per_minute.map(whole)
}

fn whole(rate: RequestsPerMinute) -> i32 {
    i32::try_from(rate.get()).unwrap_or(i32::MAX)
}

fn many(rows: Vec<ClientRow>) -> Result<Vec<ImportClient>, StoreError> {
    rows.into_iter().map(ImportClient::try_from).collect()
}

const ADD: &str = "
    INSERT INTO import_clients (id, workspace, slug, name, active, base_url, sealed_token, budget,
                                requests_per_minute, tls_verify, version, created_at, updated_at,
                                schedule, next_run_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

const UPDATE: &str = "
    UPDATE import_clients
    SET slug = $1, name = $2, active = $3, base_url = $4, sealed_token = $5, budget = $6,
        requests_per_minute = $7, tls_verify = $8, version = $9, updated_at = $10, schedule = $11,
        next_run_at = $12
    WHERE workspace = $13 AND id = $14 AND version = $15";

#[async_trait]
impl ClientRepository for Clients<'_> {
    async fn add(&mut self, client: &ImportClient) -> Result<(), StoreError> {
        sql_query(ADD)
            .bind::<BigInt, _>(client.id.raw())
            .bind::<Text, _>(client.workspace.as_str())
            .bind::<Text, _>(client.slug.as_str())
            .bind::<Text, _>(&client.name)
            .bind::<Integer, _>(i32::from(client.active))
            .bind::<Text, _>(client.base_url.as_str())
            .bind::<Binary, _>(&client.sealed_token)
            .bind::<Text, _>(client.budget.as_str())
            .bind::<Nullable<Integer>, _>(stored_rate(client))
            .bind::<Integer, _>(i32::from(client.tls_verify))
            .bind::<BigInt, _>(client.version)
            .bind::<UtcMillis, _>(At(client.created_at))
            .bind::<UtcMillis, _>(At(client.updated_at))
            .bind::<Nullable<Text>, _>(client.schedule.as_ref().map(Cron::as_str))
            .bind::<Nullable<UtcMillis>, _>(client.next_run_at.map(At))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn update(&mut self, client: &ImportClient) -> Result<(), StoreError> {
        let changed = sql_query(UPDATE)
            .bind::<Text, _>(client.slug.as_str())
            .bind::<Text, _>(&client.name)
            .bind::<Integer, _>(i32::from(client.active))
            .bind::<Text, _>(client.base_url.as_str())
            .bind::<Binary, _>(&client.sealed_token)
            .bind::<Text, _>(client.budget.as_str())
            .bind::<Nullable<Integer>, _>(stored_rate(client))
            .bind::<Integer, _>(i32::from(client.tls_verify))
            .bind::<BigInt, _>(client.version)
            .bind::<UtcMillis, _>(At(client.updated_at))
            .bind::<Nullable<Text>, _>(client.schedule.as_ref().map(Cron::as_str))
            .bind::<Nullable<UtcMillis>, _>(client.next_run_at.map(At))
            .bind::<Text, _>(client.workspace.as_str())
            .bind::<BigInt, _>(client.id.raw())
            .bind::<BigInt, _>(client.version - 1)
            .execute(self.0)
            .await
            .map_err(store)?;
        changed_one(changed)
    }

    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: ClientId,
    ) -> Result<Option<ImportClient>, StoreError> {
        get(self.0, workspace, id).await
    }

    async fn by_slug(&mut self, slug: &ClientSlug) -> Result<Option<ImportClient>, StoreError> {
        let row: Option<ClientRow> = sql_query("SELECT * FROM import_clients WHERE slug = $1")
            .bind::<Text, _>(slug.as_str())
            .get_result(self.0)
            .await
            .optional()
            .map_err(store)?;
        row.map(ImportClient::try_from).transpose()
    }

    async fn list(
        &mut self,
        workspace: &WorkspaceId,
        after: Option<ClientId>,
        limit: i64,
    ) -> Result<Vec<ImportClient>, StoreError> {
        list(self.0, workspace, None, after, limit).await
    }

    async fn active(
        &mut self,
        after: Option<ClientId>,
        limit: i64,
    ) -> Result<Vec<ImportClient>, StoreError> {
        sql_query("SELECT * FROM import_clients WHERE active = 1 AND id > $1 ORDER BY id LIMIT $2")
            .bind::<BigInt, _>(after.map_or(i64::MIN, ClientId::raw))
            .bind::<BigInt, _>(limit)
            .load(self.0)
            .await
            .map_err(store)
            .and_then(many)
    }

    async fn lowest_rate(
        &mut self,
        budget: &BudgetKey,
        default: RequestsPerMinute,
    ) -> Result<RequestsPerMinute, StoreError> {
        #[derive(QueryableByName)]
        struct Lowest {
            #[diesel(sql_type = Nullable<Integer>)]
            lowest: Option<i32>,
        }
        let Lowest { lowest } = sql_query(
            "SELECT MIN(COALESCE(requests_per_minute, $1)) AS lowest FROM import_clients
             WHERE active = 1 AND budget = $2",
        )
        .bind::<Integer, _>(whole(default))
        .bind::<Text, _>(budget.as_str())
        .get_result(self.0)
        .await
        .map_err(store)?;
        lowest.map_or(Ok(default), rate)
    }

    async fn due(&mut self, now: Instant, limit: i64) -> Result<Vec<ImportClient>, StoreError> {
        sql_query(
            "SELECT * FROM import_clients WHERE active = 1 AND next_run_at <= $1
             ORDER BY next_run_at, id LIMIT $2",
        )
        .bind::<UtcMillis, _>(At(now))
        .bind::<BigInt, _>(limit)
        .load(self.0)
        .await
        .map_err(store)
        .and_then(many)
    }

    async fn reschedule(
        &mut self,
        id: ClientId,
        from: Instant,
        to: Option<Instant>,
    ) -> Result<bool, StoreError> {
        let moved = sql_query(
            "UPDATE import_clients SET next_run_at = $1 WHERE id = $2 AND next_run_at = $3",
        )
        .bind::<Nullable<UtcMillis>, _>(to.map(At))
        .bind::<BigInt, _>(id.raw())
        .bind::<UtcMillis, _>(At(from))
        .execute(self.0)
        .await
        .map_err(store)?;
        Ok(moved > 0)
    }
}

pub(super) async fn get(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    id: ClientId,
) -> Result<Option<ImportClient>, StoreError> {
    let row: Option<ClientRow> =
        sql_query("SELECT * FROM import_clients WHERE workspace = $1 AND id = $2")
            .bind::<Text, _>(workspace.as_str())
            .bind::<BigInt, _>(id.raw())
            .get_result(conn)
            .await
            .optional()
            .map_err(store)?;
    row.map(ImportClient::try_from).transpose()
}

pub(super) async fn list(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    slug: Option<&ClientSlug>,
    after: Option<ClientId>,
    limit: i64,
) -> Result<Vec<ImportClient>, StoreError> {
    sql_query(
        "SELECT * FROM import_clients
         WHERE workspace = $1 AND id > $2 AND ($3 IS NULL OR slug = $3) ORDER BY id LIMIT $4",
    )
    .bind::<Text, _>(workspace.as_str())
    .bind::<BigInt, _>(after.map_or(i64::MIN, ClientId::raw))
    .bind::<Nullable<Text>, _>(slug.map(ClientSlug::as_str))
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await
    .map_err(store)
    .and_then(many)
}
