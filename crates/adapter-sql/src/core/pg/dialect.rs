//! What PostgreSQL does in its own way.

use diesel::{
    QueryResult,
    dsl::sql,
    expression::SqlLiteral,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_types::{Array, BigInt, Bool, Text},
};
use diesel_async::{SimpleAsyncConnection, pooled_connection::deadpool::Object};
use ports::{StoreError, store::Durability};
use segment_sql::Param;
use tokio::runtime::Handle;

use super::{Conn, Db, Held};
use crate::core::{
    error,
    types::{At, UtcMillis},
};

/// Ended writes of a content that are kept for other processes.
pub(crate) const ENDED_WRITES: i64 = 64;

/// How segments are asked for.
pub(crate) const SEGMENTS: &dyn segment_sql::Dialect = &segment_sql::OwnStore::Postgres;

/// A parameter of a segment's statement.
pub(crate) fn bind(query: Boxed, param: Param) -> Boxed {
    match param {
        Param::Text(text) | Param::Decimal(text) => query.bind::<Text, _>(text),
        Param::Texts(texts) | Param::Decimals(texts) => query.bind::<Array<Text>, _>(texts),
        Param::Int(number) => query.bind::<BigInt, _>(number),
        Param::Ints(numbers) => query.bind::<Array<BigInt>, _>(numbers),
        Param::Instant(at) => query.bind::<UtcMillis, _>(At(at)),
        Param::Flag(flag) => query.bind::<Bool, _>(flag),
    }
}

type Boxed = BoxedSqlQuery<'static, diesel::pg::Pg, SqlQuery>;

/// The database's time, as of the statement.
pub(crate) const NOW: &str = "statement_timestamp()";

/// Ends a query for rows to take: rows that another transaction is taking are passed over.
pub(crate) const TAKE: &str = "FOR UPDATE SKIP LOCKED";

/// Behind a query whose rows nobody else may change until the transaction ends.
pub(crate) const LOCK: &str = "FOR UPDATE";

/// How an index finds audiences by a part of their text: a condition, whose gaps are the workspace and the part.
pub(crate) const TRIGRAMS: Option<[&str; 3]> =
    Some(["trigrams(workspace, search_key) @> trigrams(", ", ", ")"]);

/// How an index finds audiences by any of their tags: a condition, whose gaps are the workspace and the tags, a line
/// each.
pub(crate) const LINES: Option<[&str; 3]> =
    Some(["lines(workspace, tags_key) && lines(", ", ", ")"]);

/// What a transaction sets for one statement about everybody: it sorts and hashes in memory while it can, and takes
/// longer than others may.
pub(crate) const FOR_ALL: &str =
    "SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = '10min'";

/// Ends a query for rows that nobody is to change until the transaction ends.
pub(crate) const SHARE: &str = "FOR SHARE";

/// The end of a lease that begins now.
pub(crate) fn lease_until(seconds: u32) -> SqlLiteral<UtcMillis> {
    sql(&format!(
        "statement_timestamp() + interval '{seconds} seconds'"
    ))
}

/// Begins a transaction.
pub(crate) async fn begin(held: &mut Held, durability: Durability) -> QueryResult<()> {
    held.batch_execute(match durability {
        Durability::Full => "BEGIN",
        Durability::Derived => "BEGIN; SET LOCAL synchronous_commit = off",
    })
    .await
}

/// Commits. `SELECT 1` fails in a transaction that a failed statement has doomed, where a bare
/// `COMMIT` would roll back and report success.
pub(crate) async fn commit(held: &mut Held) -> QueryResult<()> {
    held.batch_execute("SELECT 1; COMMIT").await
}

/// Flushes what was committed before: with a commit that waits for its own place in the log, and
/// changes nothing.
pub(crate) async fn flush(db: &Db) -> Result<(), StoreError> {
    let mut held = db.hold().await?;
    held.batch_execute("SELECT pg_logical_emit_message(true, 'plateia', '')")
        .await
        .map_err(error::store)
}

/// Rolls back in the background and gives the connection back, or closes it where that fails.
pub(crate) fn abandon(mut held: Held) {
    let Ok(runtime) = Handle::try_current() else {
        drop(Object::take(held));
        return;
    };
    runtime.spawn(async move {
        if held.batch_execute("ROLLBACK").await.is_err() {
            drop(Object::take(held));
        }
    });
}

/// The connection that is held.
pub(crate) fn conn(held: &mut Held) -> &mut Conn {
    held
}

/// Makes a connection ready for statements that commit on their own: it always is.
pub(crate) async fn settle(_held: &mut Held) -> QueryResult<()> {
    Ok(())
}

/// Waits until no other transaction has `queue`, and has it until the transaction ends.
pub(crate) async fn alone(conn: &mut Conn, queue: &str) -> QueryResult<()> {
    conn.batch_execute(&format!(
        "SELECT pg_advisory_xact_lock(hashtext('plateia.{queue}.' || current_schema()))"
    ))
    .await
}

/// Waits until no other transaction has `queue` alone; those that are beside each other go on.
pub(crate) async fn beside(conn: &mut Conn, queue: &str) -> QueryResult<()> {
    conn.batch_execute(&format!(
        "SELECT pg_advisory_xact_lock_shared(hashtext('plateia.{queue}.' || current_schema()))"
    ))
    .await
}

/// The elements of a JSON array as rows with a column `value`.
pub(crate) fn elements(array: &str) -> String {
    format!("jsonb_array_elements(CAST({array} AS jsonb)) AS element (value)")
}

/// An instant from the text of its milliseconds since 1970.
pub(crate) fn millis(text: &str) -> String {
    format!("timestamptz 'epoch' + CAST({text} AS BIGINT) * interval '1 millisecond'")
}
