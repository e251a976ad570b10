//! Single statements that commit on their own: one turn of the writer, one commit.

use ports::StoreError;

use super::{Db, Held, dialect};
use crate::error::store;

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
