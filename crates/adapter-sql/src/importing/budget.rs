//! The rate budget: one row per budget, taken in turns, by the clock of the database.

use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Binary, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    importing::{Admission, BudgetKey, Pace, RequestsPerMinute},
    shared::Instant,
};
use ports::{
    StoreError,
    crm::{RateBudget, Reserved},
    store::Durability,
};

use super::{Conn, Db, Transaction, dialect};
use crate::core::{
    error::store,
    types::{At, UtcMillis},
};

#[derive(QueryableByName)]
struct Budget {
    #[diesel(sql_type = Binary)]
    pace: Vec<u8>,
    #[diesel(sql_type = UtcMillis)]
    now: At,
}

/// Makes the row where it is missing, and has it until the transaction ends.
const LOCK: &str = "
    INSERT INTO import_budgets (key, pace) VALUES ($1, $2)
    ON CONFLICT (key) DO UPDATE SET pace = import_budgets.pace";

/// The budget and the time, read by a statement that begins when the row is ours: who waited for it
/// must not go by the time from before.
async fn take(conn: &mut Conn, key: &BudgetKey) -> Result<(Pace, Instant), StoreError> {
    sql_query(LOCK)
        .bind::<Text, _>(key.as_str())
        .bind::<Binary, _>(Pace::default().to_bytes())
        .execute(conn)
        .await
        .map_err(store)?;
    let text = format!(
        "SELECT pace, {now} AS now FROM import_budgets WHERE key = $1",
        now = dialect::NOW
    );
    let budget: Budget = sql_query(text)
        .bind::<Text, _>(key.as_str())
        .get_result(conn)
        .await
        .map_err(store)?;
    let pace = Pace::from_bytes(&budget.pace).ok_or(StoreError::Corrupt("rate budget"))?;
    Ok((pace, budget.now.0))
}

async fn put(conn: &mut Conn, key: &BudgetKey, pace: &Pace) -> Result<(), StoreError> {
    sql_query("UPDATE import_budgets SET pace = $1 WHERE key = $2")
        .bind::<Binary, _>(pace.to_bytes())
        .bind::<Text, _>(key.as_str())
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

#[async_trait]
impl RateBudget for Db {
    async fn reserve(
        &self,
        key: &BudgetKey,
        limit: RequestsPerMinute,
        wanted: u32,
    ) -> Result<Reserved, StoreError> {
        let mut transaction = Transaction::begin(self, Durability::Full).await?;
        let (mut pace, now) = take(transaction.conn(), key).await?;
        let reserved = match pace.admit(now, limit, wanted) {
            // Nothing to store; the row is given back.
            Admission::WaitUntil(until) => {
                let wait = (until - now).to_std().unwrap_or_default();
                return Ok(Reserved::Wait(wait.max(Duration::from_millis(1))));
            }
            Admission::Granted(count) => Reserved::Granted(count),
        };
        put(transaction.conn(), key, &pace).await?;
        transaction.commit().await?;
        Ok(reserved)
    }

    async fn pause(&self, key: &BudgetKey, time: Duration) -> Result<(), StoreError> {
        let mut transaction = Transaction::begin(self, Durability::Full).await?;
        let (mut pace, now) = take(transaction.conn(), key).await?;
        pace.pause(now + time);
        put(transaction.conn(), key, &pace).await?;
        transaction.commit().await
    }
}
