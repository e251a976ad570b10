//! The rows of a query for people.

use async_trait::async_trait;
use ports::warehouse::{WarehouseError, WarehousePeople, WarehousePerson};

use super::error::{contradicts, told};
use crate::{Rows, Value};

/// Columns before those of the person: `id`, `member_key`, `version`, `unsubscribed`.
const KEY: usize = 1;
const WRITTEN: usize = 4;

/// People that are still to come, of whom one page is in memory.
pub struct People(Rows);

impl People {
    pub const fn of(rows: Rows) -> Self {
        Self(rows)
    }
}

#[async_trait]
impl WarehousePeople for People {
    async fn next(&mut self) -> Result<Vec<WarehousePerson>, WarehouseError> {
        let page = self.0.next_page().await.map_err(told)?;
        let people = page.unwrap_or_default().into_iter().map(person);
        let people: Option<Vec<WarehousePerson>> = people.collect();
        people.ok_or_else(|| contradicts("row_not_of_query"))
    }

    async fn billed(&mut self) -> Result<u64, WarehouseError> {
        Ok(self.0.bytes().await.map_err(told)?.billed)
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
