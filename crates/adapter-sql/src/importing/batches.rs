//! Batches.

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::shared::{Instant, OperationId};
use ports::{
    StoreError,
    importing::{Batch, BatchId, BatchRepository, BatchRun, ImportKind},
};

use super::{
    Conn, direct,
    json_rows::{BatchRow, Column, Value, batch_row, columns, json, rows as table},
};
use crate::core::{
    error::store,
    types::{At, UtcMillis},
};

/// Batches of one transaction.
pub(super) struct Batches<'c>(pub(super) &'c mut Conn);

batch_row! {
    struct LinkRow {
        operation: i64,
    }
}

#[derive(QueryableByName)]
struct StoredBatch {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    slug: Option<String>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = UtcMillis)]
    created_at: At,
}

#[derive(QueryableByName)]
struct RunRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    state: String,
}

const OLD: &str =
    "SELECT id FROM import_batches WHERE created_at < $1 ORDER BY created_at LIMIT $2";

#[async_trait]
impl BatchRepository for Batches<'_> {
    async fn add(&mut self, batch: &Batch, runs: &[OperationId]) -> Result<(), StoreError> {
        sql_query(
            "INSERT INTO import_batches (id, slug, kind, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind::<BigInt, _>(batch.id.raw())
        .bind::<Nullable<Text>, _>(batch.slug.as_deref())
        .bind::<Text, _>(batch.kind.as_str())
        .bind::<UtcMillis, _>(At(batch.created_at))
        .execute(self.0)
        .await
        .map_err(store)?;
        let run = |run: &OperationId| LinkRow {
            operation: run.raw(),
        };
        let runs: Vec<LinkRow> = runs.iter().map(run).collect();
        let (columns, table) = (columns::<LinkRow>(), table::<LinkRow>("$2"));
        let text = format!(
            "INSERT INTO import_batch_runs (batch, {columns}) SELECT $1, {columns} FROM {table}"
        );
        sql_query(text)
            .bind::<BigInt, _>(batch.id.raw())
            .bind::<Text, _>(json(&runs)?)
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn purge(&mut self, before: Instant, limit: i64) -> Result<u64, StoreError> {
        let mut gone = 0;
        for text in [
            format!("DELETE FROM import_batch_runs WHERE batch IN ({OLD})"),
            format!("DELETE FROM import_batches WHERE id IN ({OLD})"),
        ] {
            gone = sql_query(text)
                .bind::<UtcMillis, _>(At(before))
                .bind::<BigInt, _>(limit)
                .execute(self.0)
                .await
                .map_err(store)?;
        }
        Ok(gone as u64)
    }
}

/// A batch with its runs.
pub(super) async fn get(
    conn: &mut Conn,
    id: BatchId,
) -> Result<Option<(Batch, Vec<BatchRun>)>, StoreError> {
    let corrupt = || StoreError::Corrupt("import batch");
    let batch: Option<StoredBatch> =
        sql_query("SELECT id, slug, kind, created_at FROM import_batches WHERE id = $1")
            .bind::<BigInt, _>(id.raw())
            .get_result(conn)
            .await
            .optional()
            .map_err(store)?;
    let Some(batch) = batch else {
        return Ok(None);
    };
    let batch = Batch {
        id: OperationId::from_raw(batch.id),
        slug: batch.slug,
        kind: ImportKind::parse(&batch.kind).ok_or_else(corrupt)?,
        created_at: batch.created_at.0,
    };
    let runs: Vec<RunRow> = sql_query(
        "SELECT o.id, c.slug, o.state FROM import_batch_runs b
         JOIN operations o ON o.id = b.operation
         JOIN import_runs r ON r.operation = o.id
         JOIN import_clients c ON c.id = r.client
         WHERE b.batch = $1 ORDER BY o.id LIMIT $2",
    )
    .bind::<BigInt, _>(id.raw())
    .bind::<BigInt, _>(direct::limit(MOST_RUNS))
    .load(conn)
    .await
    .map_err(store)?;
    let run = |row: RunRow| {
        Ok(BatchRun {
            operation: OperationId::from_raw(row.id),
            slug: row.slug,
            state: row.state.parse().map_err(|()| corrupt())?,
        })
    };
    let runs = runs
        .into_iter()
        .map(run)
        .collect::<Result<_, StoreError>>()?;
    Ok(Some((batch, runs)))
}

/// Most runs of a batch that are shown.
const MOST_RUNS: usize = 10_000;
