//! What SQLite does in its own way.

use diesel::{
    QueryResult,
    connection::SimpleConnection,
    dsl::sql,
    expression::SqlLiteral,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_types::{BigInt, Bool, Text},
};
use diesel_async::SimpleAsyncConnection;
use ports::{StoreError, store::Durability};
use segment_sql::Param;
use tokio::runtime::Handle;

use super::{Conn, Db, Held};
use crate::core::types::{At, UtcMillis};

/// Ended writes that are kept for other processes: there are none.
pub(crate) const ENDED_WRITES: i64 = 0;

/// How segments are asked for.
pub(crate) const SEGMENTS: &dyn segment_sql::Dialect = &segment_sql::OwnStore::Sqlite;

/// A parameter of a segment's statement. Lists are JSON.
pub(crate) fn bind(query: Boxed, param: Param) -> Boxed {
    match param {
        Param::Text(text) | Param::Decimal(text) => query.bind::<Text, _>(text),
        Param::Texts(texts) | Param::Decimals(texts) => {
            query.bind::<Text, _>(serde_json::Value::from(texts).to_string())
        }
        Param::Int(number) => query.bind::<BigInt, _>(number),
        Param::Ints(numbers) => query.bind::<Text, _>(serde_json::Value::from(numbers).to_string()),
        Param::Instant(at) => query.bind::<UtcMillis, _>(At(at)),
        Param::Flag(flag) => query.bind::<Bool, _>(flag),
    }
}

type Boxed = BoxedSqlQuery<'static, diesel::sqlite::Sqlite, SqlQuery>;

/// The database's time, as of the statement.
pub(crate) const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// Ends a query for rows to take: nothing to add, a writer is alone.
pub(crate) const TAKE: &str = "";

/// Behind a query whose rows nobody else may change until the transaction ends: there is one writer.
pub(crate) const LOCK: &str = "";

/// How an index finds audiences by a part of their text: a covering index is walked as it is.
pub(crate) const TRIGRAMS: Option<[&str; 3]> = None;

/// How an index finds audiences by their tags: as by a part of their text.
pub(crate) const LINES: Option<[&str; 3]> = None;

/// What a transaction sets for one statement about everybody: nothing.
pub(crate) const FOR_ALL: &str = "";

/// Ends a query for rows that nobody is to change until the transaction ends: nothing to add either.
pub(crate) const SHARE: &str = "";

/// The end of a lease that begins now.
pub(crate) fn lease_until(seconds: u32) -> SqlLiteral<UtcMillis> {
    sql(&format!("{NOW} + {seconds} * 1000"))
}

/// Begins a transaction, first undoing what an abandoned one left open. `synchronous` can only be
/// set between transactions, and is set only when it changes.
pub(crate) async fn begin(held: &mut Held, durability: Durability) -> QueryResult<()> {
    let dirty = std::mem::replace(&mut held.dirty, true);
    let pragma = match (held.durability.take(), durability) {
        (Some(now), wanted) if now == wanted => None,
        (_, Durability::Full) => Some("PRAGMA synchronous = FULL"),
        (_, Durability::Derived) => Some("PRAGMA synchronous = NORMAL"),
    };
    held.spawn_blocking(move |conn| {
        if dirty {
            // Fails when nothing is open, which is as good.
            let _ = conn.batch_execute("ROLLBACK");
        }
        if let Some(pragma) = pragma {
            conn.batch_execute(pragma)?;
        }
        conn.batch_execute("BEGIN IMMEDIATE")
    })
    .await?;
    held.durability = Some(durability);
    Ok(())
}

/// Commits.
pub(crate) async fn commit(held: &mut Held) -> QueryResult<()> {
    held.batch_execute("COMMIT").await?;
    held.dirty = false;
    Ok(())
}

/// Nothing to wait for: the database crashes with this process only, or with the whole machine, and
/// then everything is repaired before anybody is answered.
pub(crate) async fn flush(_: &Db) -> Result<(), StoreError> {
    Ok(())
}

/// Rolls back in the background and lets the next writer in. Should that not come to pass, the next
/// writer does it.
pub(crate) fn abandon(mut held: Held) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            held.dirty = held.batch_execute("ROLLBACK").await.is_err();
        });
    }
}

/// The connection that is held.
pub(crate) fn conn(held: &mut Held) -> &mut Conn {
    held
}

/// Makes the writer ready for statements that commit on their own, durably: undoes what an abandoned
/// transaction left open.
pub(crate) async fn settle(held: &mut Held) -> QueryResult<()> {
    if held.dirty {
        // Fails when nothing is open, which is as good.
        let _ = held.batch_execute("ROLLBACK").await;
        held.dirty = false;
    }
    if held.durability.take() != Some(Durability::Full) {
        held.batch_execute("PRAGMA synchronous = FULL").await?;
    }
    held.durability = Some(Durability::Full);
    Ok(())
}

/// Waits until no other transaction has `queue`: a writer is alone.
pub(crate) async fn alone(_conn: &mut Conn, _queue: &str) -> QueryResult<()> {
    Ok(())
}

/// Waits until no other transaction has `queue` alone: a writer is alone.
pub(crate) async fn beside(_conn: &mut Conn, _queue: &str) -> QueryResult<()> {
    Ok(())
}

/// The elements of a JSON array as rows with a column `value`.
pub(crate) fn elements(array: &str) -> String {
    format!("json_each({array}) AS element")
}

/// An instant from the text of its milliseconds since 1970.
pub(crate) fn millis(text: &str) -> String {
    format!("CAST({text} AS INTEGER)")
}
