//! Reading a long answer part by part: not here, where a statement is answered as a whole.

use std::convert::Infallible;

use ports::StoreError;
use segment_sql::Statement;

use super::Db;

/// There is none.
pub(crate) struct Cursor(Infallible);

impl Cursor {
    /// This database has none.
    pub(crate) async fn open(_: &Db, _: Statement) -> Result<Option<Self>, StoreError> {
        Ok(None)
    }

    /// Never called.
    pub(crate) async fn next<R>(&mut self, _: usize) -> Result<Vec<R>, StoreError> {
        match self.0 {}
    }
}
