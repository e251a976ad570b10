//! Batches that travel as one JSON parameter, which knows no limit of parameters.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::{importing::ExternalId, shared::Instant};
use ports::{
    StoreError,
    importing::{ClientId, Stored},
};
use serde::Serialize;

use super::Conn;
use crate::core::error::store;

/// A row that was written.
#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

/// The rows as JSON.
pub(super) fn json(rows: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|e| StoreError::Internal(Box::new(e)))
}

/// Ids, one a row.
pub(super) fn ids<'a>(ids: impl Iterator<Item = &'a ExternalId>) -> Result<String, StoreError> {
    json(&ids.map(|id| [id.as_str()]).collect::<Vec<_>>())
}

/// An instant as a batch carries it.
pub(super) fn millis(at: Option<Instant>) -> Option<i64> {
    at.map(|at| at.timestamp_millis())
}

/// Runs an upsert of rows that returns `id` and `revision`. It names the client `$1`, then the rows.
pub(super) async fn upsert(
    conn: &mut Conn,
    text: String,
    client: ClientId,
    rows: String,
) -> Result<Stored, StoreError> {
    let written: Vec<Written> = sql_query(text)
        .bind::<BigInt, _>(client.0)
        .bind::<Text, _>(rows)
        .load(conn)
        .await
        .map_err(store)?;
    let mut stored = Stored::default();
    for Written { id, revision } in written {
        let id = ExternalId::from_stored(id);
        if revision == 1 {
            stored.created.push(id);
        } else {
            stored.updated.push(id);
        }
    }
    Ok(stored)
}

/// Runs a statement that names the client `$1`, then the rows.
pub(super) async fn execute(
    conn: &mut Conn,
    text: String,
    client: ClientId,
    rows: String,
) -> Result<(), StoreError> {
    sql_query(text)
        .bind::<BigInt, _>(client.0)
        .bind::<Text, _>(rows)
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}
