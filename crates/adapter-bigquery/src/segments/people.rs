//! The rows of a query for people.

use std::sync::Arc;

use async_trait::async_trait;
use ports::warehouse::{WarehouseError, WarehousePeople, WarehousePerson};

use super::{
    error::{contradicts, told},
    results::{Key, Results},
};
use crate::{Rows, Timer, Value};

/// Columns before those of the person: `id`, `member_key`, `version`, `unsubscribed`.
const KEY: usize = 1;
const WRITTEN: usize = 4;

/// Where the rows come from.
pub enum Origin {
    /// A query that is asked once.
    Query,
    /// A query whose result is remembered from its first page on.
    Kept(Key),
    /// A result that was there.
    Result(Key),
}

/// People that are still to come, of whom one page is in memory.
pub struct People {
    pub rows: Rows,
    pub from: Origin,
    pub results: Arc<Results>,
    pub timer: Arc<dyn Timer>,
}

#[async_trait]
impl WarehousePeople for People {
    async fn next(&mut self) -> Result<Vec<WarehousePerson>, WarehouseError> {
        let page = match (self.rows.next_page().await, &self.from) {
            (Ok(page), _) => page,
            (Err(_), Origin::Result(key)) if self.rows.total().is_none() => {
                self.results.forget(key);
                return Err(WarehouseError::Away {
                    code: "source_unavailable",
                    detail: "BigQuery has the result no more; it is to be asked again".to_owned(),
                    retry_after: None,
                });
            }
            (Err(error), _) => return Err(told(error)),
        };
        if let Origin::Kept(key) = &self.from {
            let (begun, now) = (self.rows.begun(), self.timer.now());
            self.results.keep(key.clone(), begun, now);
            self.from = Origin::Query;
        }
        let people = page.unwrap_or_default().into_iter().map(person);
        let people: Option<Vec<WarehousePerson>> = people.collect();
        people.ok_or_else(|| contradicts("row_not_of_query"))
    }

    async fn billed(&mut self) -> Result<u64, WarehouseError> {
        match self.from {
            Origin::Result(_) => Ok(0),
            _ => Ok(self.rows.bytes().await.map_err(told)?.billed),
        }
    }
}

fn person(row: Vec<Value>) -> Option<WarehousePerson> {
    let mut texts = row.into_iter().enumerate().map(|(at, value)| match value {
        Value::Text(text) => Some(Some(text)),
        Value::Null => Some(None),
        // Numbers stand before what is read.
        _ if at < WRITTEN => Some(None),
        _ => None,
    });
    let key = texts.nth(KEY)??;
    let mut rest = texts.skip(WRITTEN - KEY - 1);
    let mut next = || rest.next().flatten();
    Some(WarehousePerson {
        key: key?,
        written: next()??,
        name: next()?,
        phone: next()?,
        email: next()?,
    })
}
