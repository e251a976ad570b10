//! Deletes what nobody needs any more.

use async_trait::async_trait;
use diesel::{sql_query, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use domain::shared::Instant;
use ports::{
    StoreError,
    idempotency::KEPT_FOR,
    store::{EVENTS_KEPT_FOR, Housekeeping, PurgeCounts, RECEIPTS_KEPT_FOR},
};

use super::{Conn, Db, customers, dialect, direct, feed};
use crate::{
    error::store,
    types::{At, UtcMillis},
};

const IDEMPOTENCY: &str = "
    DELETE FROM idempotency WHERE (workspace, method, path, key) IN (
        SELECT workspace, method, path, key FROM idempotency
        WHERE created_at < $1 ORDER BY created_at LIMIT $2)";

const RECEIPTS: &str = "
    DELETE FROM receipts WHERE write_id IN (
        SELECT write_id FROM receipts WHERE created_at < $1 ORDER BY created_at LIMIT $2)";

async fn delete(
    conn: &mut Conn,
    text: &str,
    before: Instant,
    limit: usize,
) -> Result<u64, StoreError> {
    sql_query(text)
        .bind::<UtcMillis, _>(At(before))
        .bind::<BigInt, _>(direct::limit(limit))
        .execute(conn)
        .await
        .map_err(store)
        .map(|rows| rows as u64)
}

#[async_trait]
impl Housekeeping for Db {
    async fn purge(&self, now: Instant, limit: usize) -> Result<PurgeCounts, StoreError> {
        // The writer is let go after each table, so that requests do not wait for all of them.
        let idempotency = {
            let mut held = direct::writer(self).await?;
            delete(dialect::conn(&mut held), IDEMPOTENCY, now - KEPT_FOR, limit).await?
        };
        let receipts = {
            let mut held = direct::writer(self).await?;
            delete(
                dialect::conn(&mut held),
                RECEIPTS,
                now - RECEIPTS_KEPT_FOR,
                limit,
            )
            .await?
        };
        let mut held = direct::writer(self).await?;
        let (conn, limit) = (dialect::conn(&mut held), direct::limit(limit));
        let user_events = feed::purge_events(conn, now - EVENTS_KEPT_FOR, limit).await? as u64;
        Ok(PurgeCounts {
            idempotency,
            receipts,
            user_events,
        })
    }

    async fn purge_customer_events(
        &self,
        before: Instant,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let mut held = direct::writer(self).await?;
        let conn = dialect::conn(&mut held);
        customers::purge_events(conn, before, direct::limit(limit)).await
    }
}
