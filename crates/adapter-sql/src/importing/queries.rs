//! Reads outside a transaction, and the list of runs.

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    importing::{ClientSlug, ExternalId},
    operation::{Operation, OperationState},
    shared::{ClientId, OperationId, WorkspaceId},
};
use ports::{
    StoreError,
    importing::{
        Batch, BatchId, BatchRun, ImportClient, ImportKind, ImportQueries, MessageFilter, Run,
        RunFilter, StoredMessage, TicketFilter, TicketRow,
    },
};

use super::{Conn, Db, batches, clients, listed, operations};
use crate::core::error::store;

#[async_trait]
impl ImportQueries for Db {
    async fn client(
        &self,
        workspace: &WorkspaceId,
        id: ClientId,
    ) -> Result<Option<ImportClient>, StoreError> {
        clients::get(&mut *self.reader().await?, workspace, id).await
    }

    async fn clients(
        &self,
        workspace: &WorkspaceId,
        slug: Option<&ClientSlug>,
        after: Option<ClientId>,
        limit: i64,
    ) -> Result<Vec<ImportClient>, StoreError> {
        clients::list(&mut *self.reader().await?, workspace, slug, after, limit).await
    }

    async fn run(
        &self,
        workspace: &WorkspaceId,
        id: OperationId,
    ) -> Result<Option<Run>, StoreError> {
        run(&mut *self.reader().await?, workspace, id).await
    }

    async fn runs(
        &self,
        workspace: &WorkspaceId,
        filter: &RunFilter,
    ) -> Result<Vec<Run>, StoreError> {
        runs(&mut *self.reader().await?, workspace, filter).await
    }

    async fn batch(&self, id: BatchId) -> Result<Option<(Batch, Vec<BatchRun>)>, StoreError> {
        batches::get(&mut *self.reader().await?, id).await
    }

    async fn tickets(
        &self,
        client: ClientId,
        filter: &TicketFilter,
    ) -> Result<Vec<TicketRow>, StoreError> {
        listed::tickets(&mut *self.reader().await?, client, filter).await
    }

    async fn messages(
        &self,
        client: ClientId,
        ticket: &ExternalId,
        filter: &MessageFilter,
    ) -> Result<Option<Vec<StoredMessage>>, StoreError> {
        listed::messages(&mut *self.reader().await?, client, ticket, filter).await
    }
}

#[derive(QueryableByName)]
struct Owned {
    #[diesel(sql_type = BigInt)]
    operation: i64,
    #[diesel(sql_type = BigInt)]
    client: i64,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

impl Owned {
    fn with(self, operation: Operation) -> Result<Run, StoreError> {
        let corrupt = || StoreError::Corrupt("import run");
        Ok(Run {
            operation,
            client: ClientId::from_raw(self.client),
            slug: ClientSlug::parse(&self.slug).map_err(|_| corrupt())?,
            kind: ImportKind::parse(&self.kind).ok_or_else(corrupt)?,
        })
    }
}

async fn run(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    id: OperationId,
) -> Result<Option<Run>, StoreError> {
    let Some(operation) = operations::get(conn, workspace, id).await? else {
        return Ok(None);
    };
    let owned: Option<Owned> = sql_query(
        "SELECT r.operation, r.client, c.slug, r.kind FROM import_runs r
         JOIN import_clients c ON c.id = r.client WHERE r.operation = $1",
    )
    .bind::<BigInt, _>(id.raw())
    .get_result(conn)
    .await
    .optional()
    .map_err(store)?;
    owned.map(|owned| owned.with(operation)).transpose()
}

async fn runs(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    filter: &RunFilter,
) -> Result<Vec<Run>, StoreError> {
    let owned: Vec<Owned> = sql_query(
        "SELECT r.operation, r.client, c.slug, r.kind FROM operations o
         JOIN import_runs r ON r.operation = o.id
         JOIN import_clients c ON c.id = r.client
         WHERE o.workspace = $1 AND o.id < $2 AND ($3 IS NULL OR r.client = $3)
           AND ($4 IS NULL OR r.kind = $4) AND ($5 IS NULL OR o.state = $5)
         ORDER BY o.id DESC LIMIT $6",
    )
    .bind::<Text, _>(workspace.as_str())
    .bind::<BigInt, _>(filter.before.map_or(i64::MAX, OperationId::raw))
    .bind::<Nullable<BigInt>, _>(filter.client.map(|client| client.raw()))
    .bind::<Nullable<Text>, _>(filter.kind.map(ImportKind::as_str))
    .bind::<Nullable<Text>, _>(filter.state.map(OperationState::as_str))
    .bind::<BigInt, _>(filter.limit)
    .load(conn)
    .await
    .map_err(store)?;
    let ids: Vec<i64> = owned.iter().map(|row| row.operation).collect();
    let operations = operations::by_ids(conn, &ids).await?;
    owned
        .into_iter()
        .zip(operations)
        .map(|(owned, operation)| owned.with(operation))
        .collect()
}
