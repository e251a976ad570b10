//! Many events in one statement. Payloads are bytes: no JSON parameter takes them.

use diesel::{
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_query,
    sql_types::{BigInt, Binary, Text},
};
use ports::bus::OutboxEvent;

use super::Backend;

/// Events written by one statement: six parameters each, of 32,766 that SQLite takes.
pub(super) const AT_ONCE: usize = 500;

/// What an event itself says.
const COLUMNS: [&str; 6] = [
    "event_id",
    "event_type",
    "aggregate",
    "aggregate_version",
    "workspace",
    "payload",
];

type Query<'e> = BoxedSqlQuery<'e, Backend, SqlQuery>;

/// The text that inserts `events` rows. `shared` has columns that all of them share, with their expressions, and
/// comes first, since SQLite numbers parameters as they appear; `bound` parameters are in it.
pub(super) fn insert(
    table: &str,
    shared: &[(&str, &str)],
    bound: usize,
    events: usize,
    conflict: &str,
) -> String {
    let names = shared.iter().map(|(name, _)| *name).chain(COLUMNS);
    let names: Vec<&str> = names.collect();
    let values: Vec<&str> = shared.iter().map(|(_, value)| *value).collect();
    let values = values.join(", ");
    let row = |event: usize| {
        let first = bound + event * COLUMNS.len() + 1;
        let own: Vec<String> = (first..first + COLUMNS.len())
            .map(|n| format!("${n}"))
            .collect();
        format!("({values}, {})", own.join(", "))
    };
    let rows: Vec<String> = (0..events).map(row).collect();
    let (names, rows) = (names.join(", "), rows.join(", "));
    format!("INSERT INTO {table} ({names}) VALUES {rows} {conflict}")
}

/// A query of a text, to be bound.
pub(super) fn query<'e>(text: String) -> Query<'e> {
    sql_query(text).into_boxed::<Backend>()
}

/// Binds what the events say.
pub(super) fn bind<'e>(mut query: Query<'e>, events: &'e [OutboxEvent]) -> Query<'e> {
    for event in events {
        query = query
            .bind::<Text, _>(event.event_id.as_str())
            .bind::<Text, _>(event.event_type.as_str())
            .bind::<Text, _>(event.aggregate.as_str())
            .bind::<BigInt, _>(event.aggregate_version)
            .bind::<Text, _>(event.workspace.as_str())
            .bind::<Binary, _>(event.payload.as_slice());
    }
    query
}
