//! Reading a long answer part by part.

use diesel::{deserialize::QueryableByName, pg::Pg, sql_query};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use ports::StoreError;
use segment_sql::Statement;

use super::{
    Db, Held,
    dialect::{FOR_ALL, abandon, bind},
};
use crate::core::error;

/// An answer that is read to its end is planned for its end.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL cursor_tuple_fraction = 1";

/// An answer that is read part by part, as of one instant, in a transaction of its own.
pub(crate) struct Cursor {
    held: Option<Held>,
}

impl Cursor {
    /// Opens one; this database has them.
    pub(crate) async fn open(db: &Db, asked: Statement) -> Result<Option<Self>, StoreError> {
        let mut held = db.hold().await?;
        // From here on it is given back as it was, also where this is dropped.
        let begun = held.batch_execute(&format!("{BEGIN}; {FOR_ALL}")).await;
        let mut cursor = Self { held: Some(held) };
        begun.map_err(error::store)?;
        let text = format!("DECLARE part NO SCROLL CURSOR FOR {}", asked.text);
        let declared = sql_query(text).into_boxed::<Pg>();
        let declared = asked.params.into_iter().fold(declared, bind);
        declared
            .execute(cursor.held()?)
            .await
            .map_err(error::store)?;
        Ok(Some(cursor))
    }

    /// The next rows; fewer at the end.
    pub(crate) async fn next<R>(&mut self, rows: usize) -> Result<Vec<R>, StoreError>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        sql_query(format!("FETCH {rows} FROM part"))
            .load(self.held()?)
            .await
            .map_err(error::store)
    }

    fn held(&mut self) -> Result<&mut Held, StoreError> {
        // Only dropping it takes it.
        self.held
            .as_mut()
            .ok_or(StoreError::Corrupt("a cursor without connection"))
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            abandon(held);
        }
    }
}
