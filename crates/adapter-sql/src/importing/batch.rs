//! Batches of rows of one client.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::{importing::ExternalId, shared::ClientId};
use ports::{StoreError, importing::Stored};
use serde_json::{Map, Value as Json};

use super::{
    Conn,
    json_rows::{BatchRow, Id, columns, json, replaced, rows as table},
};
use crate::core::error::store;

/// A row that was written.
#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

/// Ids as rows.
pub(super) fn ids<'a>(ids: impl Iterator<Item = &'a ExternalId>) -> Vec<Id<'a>> {
    ids.map(|id| Id { id: id.as_str() }).collect()
}

/// Members that are not known, as they are kept.
pub(super) fn members(extra: &Map<String, Json>) -> String {
    Json::Object(extra.clone()).to_string()
}

/// Stores rows whose fingerprint is not the stored one. They are told apart by some columns.
pub(super) async fn upsert<R: BatchRow>(
    conn: &mut Conn,
    client: ClientId,
    into: &str,
    key: &[&str],
    rows: &[R],
) -> Result<Stored, StoreError> {
    let text = format!(
        "INSERT INTO {into} (client, {columns}, revision)
         SELECT $1, {columns}, 1 FROM {table} WHERE true
         ON CONFLICT (client, {names}) DO UPDATE SET {replaced}, revision = {into}.revision + 1
         WHERE {into}.fingerprint <> excluded.fingerprint
         RETURNING id, revision",
        columns = columns::<R>(),
        table = table::<R>("$2"),
        names = key.join(", "),
        replaced = replaced::<R>(key),
    );
    let written: Vec<Written> = sql_query(text)
        .bind::<BigInt, _>(client.raw())
        .bind::<Text, _>(json(rows)?)
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

/// Inserts rows; what becomes of those that are there is said behind.
pub(super) async fn insert<R: BatchRow>(
    conn: &mut Conn,
    client: ClientId,
    into: &str,
    rows: &[R],
    conflict: &str,
) -> Result<(), StoreError> {
    let (columns, table) = (columns::<R>(), table::<R>("$2"));
    let text = format!(
        "INSERT INTO {into} (client, {columns})
         SELECT $1, {columns} FROM {table} WHERE true {conflict}"
    );
    execute(conn, text, client, rows).await
}

/// Runs a statement that names the client `$1`, then the rows.
pub(super) async fn execute<R: BatchRow>(
    conn: &mut Conn,
    text: String,
    client: ClientId,
    rows: &[R],
) -> Result<(), StoreError> {
    sql_query(text)
        .bind::<BigInt, _>(client.raw())
        .bind::<Text, _>(json(rows)?)
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}
