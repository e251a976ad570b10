//! Single statements that commit on their own: one turn of the writer, one commit.

use diesel::{sql_query, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use domain::shared::Instant;
use ports::StoreError;

use super::{Conn, Db, Held, dialect};
use crate::core::{
    error::store,
    types::{At, UtcMillis},
};

/// A connection to write on outside a unit of work, durable like one.
pub(super) async fn writer(db: &Db) -> Result<Held, StoreError> {
    let mut held = db.hold().await?;
    dialect::settle(&mut held).await.map_err(store)?;
    Ok(held)
}

/// A number of rows that a caller asks for, as both databases take it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A count that no table makes negative.
pub(super) fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or_default()
}

/// Runs a statement that deletes at most `$2` rows from before `$1`; answers how many it deleted.
pub(super) async fn purge(
    conn: &mut Conn,
    text: &str,
    before: Instant,
    limit: usize,
) -> Result<u64, StoreError> {
    sql_query(text)
        .bind::<UtcMillis, _>(At(before))
        .bind::<BigInt, _>(self::limit(limit))
        .execute(conn)
        .await
        .map_err(store)
        .map(|rows| rows as u64)
}

/// As [`purge`], in a transaction of its own. The writer is let go after it, so that requests do not wait
/// for all that is due.
pub(super) async fn purge_alone(
    db: &Db,
    text: &str,
    before: Instant,
    limit: usize,
) -> Result<u64, StoreError> {
    let mut held = writer(db).await?;
    purge(dialect::conn(&mut held), text, before, limit).await
}
