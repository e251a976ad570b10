//! Many rows in one parameter: a JSON array of objects, which knows no limit of parameters.
//!
//! A row is a struct whose members have the names of the columns that they become, so that a statement names
//! columns only: `INSERT INTO t ({columns}) SELECT {columns} FROM {rows}`.

use diesel::{sql_query, sql_types::Text};
use diesel_async::RunQueryDsl;
use domain::shared::{Instant, WorkspaceId};
use ports::StoreError;
use serde::Serialize;

use super::{Conn, dialect};
use crate::core::error::store;

/// Rows written by one statement.
const BATCH: usize = 1_000;

/// What a member becomes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Text,
    Integer,
    Instant,
    Document,
}

/// A value that a column takes.
pub(crate) trait Value {
    const COLUMN: Column;
}

/// A row.
pub(crate) trait BatchRow: Serialize {
    /// Its members.
    const COLUMNS: &'static [(&'static str, Column)];
}

/// An instant, as milliseconds since 1970.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Millis(i64);

impl From<Instant> for Millis {
    fn from(at: Instant) -> Self {
        Self(at.timestamp_millis())
    }
}

/// A JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a, T: ?Sized>(pub &'a T);

/// A JSON document that was made for the row.
#[derive(Debug, Serialize)]
pub(crate) struct OwnedDocument<T>(pub T);

impl<T> Value for OwnedDocument<T> {
    const COLUMN: Column = Column::Document;
}

impl Value for &str {
    const COLUMN: Column = Column::Text;
}

impl Value for String {
    const COLUMN: Column = Column::Text;
}

impl Value for i64 {
    const COLUMN: Column = Column::Integer;
}

impl Value for u8 {
    const COLUMN: Column = Column::Integer;
}

impl Value for Millis {
    const COLUMN: Column = Column::Instant;
}

impl<T: ?Sized> Value for Document<'_, T> {
    const COLUMN: Column = Column::Document;
}

impl<T: Value> Value for Option<T> {
    const COLUMN: Column = T::COLUMN;
}

/// Defines a row. Its users import [`BatchRow`] and [`Value`] beside it.
macro_rules! batch_row {
    ($(#[$doc:meta])* $access:vis struct $name:ident $(<$life:lifetime>)? {
        $($column:ident: $value:ty,)+
    }) => {
        $(#[$doc])*
        #[derive(serde::Serialize)]
        $access struct $name $(<$life>)? {
            $($access $column: $value,)+
        }

        impl $(<$life>)? BatchRow for $name $(<$life>)? {
            const COLUMNS: &'static [(&'static str, Column)] =
                &[$((stringify!($column), <$value as Value>::COLUMN),)+];
        }
    };
}
pub(crate) use batch_row;

batch_row! {
    /// A row that is a text alone.
    pub(crate) struct Id<'a> {
        id: &'a str,
    }
}

/// The names of the columns.
pub(crate) fn columns<R: BatchRow>() -> String {
    let names: Vec<&str> = R::COLUMNS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// Sets every column but some to the value of the row that could not be inserted.
pub(crate) fn replaced<R: BatchRow>(but: &[&str]) -> String {
    let columns = R::COLUMNS.iter().filter(|(name, _)| !but.contains(name));
    let sets: Vec<String> = columns
        .map(|(name, _)| format!("{name} = excluded.{name}"))
        .collect();
    sets.join(", ")
}

/// The rows in a parameter, as a table `batch`.
pub(crate) fn rows<R: BatchRow>(parameter: &str) -> String {
    let column = |(name, column): &(&str, Column)| {
        let value = match column {
            Column::Text => format!("value ->> '{name}'"),
            Column::Integer => format!("CAST(value ->> '{name}' AS BIGINT)"),
            Column::Instant => dialect::millis(&format!("value ->> '{name}'")),
            Column::Document => format!("value -> '{name}'"),
        };
        format!("{value} AS {name}")
    };
    let columns: Vec<String> = R::COLUMNS.iter().map(column).collect();
    let elements = dialect::elements(parameter);
    format!("(SELECT {} FROM {elements}) AS batch", columns.join(", "))
}

/// Runs a statement whose first parameter is the workspace and whose second the rows.
pub(crate) async fn execute<R: BatchRow>(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    text: &str,
    batch: &[R],
) -> Result<(), StoreError> {
    sql_query(text)
        .bind::<Text, _>(workspace.as_str())
        .bind::<Text, _>(json(batch)?)
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

/// Inserts rows of a workspace; what becomes of those that are there is said behind.
pub(crate) async fn insert<R: BatchRow>(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    into: &str,
    all: &[R],
    conflict: &str,
) -> Result<(), StoreError> {
    let (columns, table) = (columns::<R>(), rows::<R>("$2"));
    let text = format!(
        "INSERT INTO {into} (workspace, {columns})
         SELECT $1, {columns} FROM {table} WHERE true {conflict}"
    );
    for batch in all.chunks(BATCH) {
        execute(conn, workspace, &text, batch).await?;
    }
    Ok(())
}

/// The parameter.
///
/// # Errors
/// `Internal` when a row has no JSON.
pub(crate) fn json<R: BatchRow>(rows: &[R]) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|e| StoreError::Internal(Box::new(e)))
}
