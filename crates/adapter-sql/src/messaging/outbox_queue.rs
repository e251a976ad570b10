//! Events on their way out, as the relay takes them.

use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Binary, Integer, Text},
};
use diesel_async::RunQueryDsl;
use domain::shared::{Instant, WorkspaceId};
use ports::{
    StoreError,
    bus::{EventId, OutboxClaim, OutboxEvent, OutboxQueue, OutboxStats, Retry},
    store::Durability,
};

use super::{Db, dialect, direct, transaction::Transaction};
use crate::{
    core::{
        error::store,
        types::{At, UtcMillis},
    },
    schema::messaging::outbox,
};

/// An event that was claimed.
#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    event_id: String,
    #[diesel(sql_type = Text)]
    event_type: String,
    #[diesel(sql_type = Text)]
    aggregate: String,
    #[diesel(sql_type = BigInt)]
    aggregate_version: i64,
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = Binary)]
    payload: Vec<u8>,
    #[diesel(sql_type = UtcMillis)]
    added_at: At,
    #[diesel(sql_type = Integer)]
    attempts: i32,
}

impl TryFrom<Claimed> for OutboxClaim {
    type Error = StoreError;

    fn try_from(row: Claimed) -> Result<Self, StoreError> {
        Ok(Self {
            event: OutboxEvent {
                event_id: EventId::new(row.event_id),
                event_type: row.event_type,
                aggregate: row.aggregate,
                aggregate_version: row.aggregate_version,
                workspace: WorkspaceId::parse(&row.workspace)
                    .map_err(|_| StoreError::Corrupt("workspace of an event"))?,
                payload: row.payload,
            },
            attempt: row.attempts.unsigned_abs(),
            added_at: row.added_at.0,
        })
    }
}

/// An event waits while an earlier one of its aggregate is leased or waits for its next try.
const CLAIM: &str = "
    UPDATE outbox SET due = $1, attempts = attempts + 1
    WHERE seq IN (
        SELECT o.seq FROM outbox o
        WHERE o.sent_at IS NULL AND o.due <= $2 AND NOT EXISTS (
            SELECT 1 FROM outbox e
            WHERE e.aggregate = o.aggregate AND e.seq < o.seq AND e.sent_at IS NULL AND e.due > $2)
        ORDER BY o.seq LIMIT $3)
    RETURNING seq, event_id, event_type, aggregate, aggregate_version, workspace, payload, added_at,
              attempts";

#[async_trait]
impl OutboxQueue for Db {
    async fn claim(
        &self,
        limit: usize,
        now: Instant,
        lease: Duration,
    ) -> Result<Vec<OutboxClaim>, StoreError> {
        // One relay claims at a time: passing over rows that another one is taking would overtake
        // the earlier events of an aggregate.
        let mut transaction = Transaction::begin(self, Durability::Full).await?;
        dialect::alone(transaction.conn(), "outbox")
            .await
            .map_err(store)?;
        let mut rows: Vec<Claimed> = sql_query(CLAIM)
            .bind::<UtcMillis, _>(At(now + lease))
            .bind::<UtcMillis, _>(At(now))
            .bind::<BigInt, _>(direct::limit(limit))
            .load(transaction.conn())
            .await
            .map_err(store)?;
        transaction.commit().await?;
        rows.sort_unstable_by_key(|row| row.seq);
        rows.into_iter().map(OutboxClaim::try_from).collect()
    }

    async fn mark_sent(&self, events: &[EventId], now: Instant) -> Result<(), StoreError> {
        let ids: Vec<&str> = events.iter().map(EventId::as_str).collect();
        diesel::update(outbox::table)
            .filter(outbox::event_id.eq_any(ids))
            .filter(outbox::sent_at.is_null())
            .set(outbox::sent_at.eq(Some(At(now))))
            .execute(dialect::conn(&mut direct::writer(self).await?))
            .await
            .map_err(store)
            .map(drop)
    }

    async fn reschedule(&self, retries: &[Retry]) -> Result<(), StoreError> {
        let mut transaction = Transaction::begin(self, Durability::Full).await?;
        for retry in retries {
            diesel::update(outbox::table)
                .filter(outbox::event_id.eq(retry.event_id.as_str()))
                .filter(outbox::attempts.eq(retry.attempt.cast_signed()))
                .filter(outbox::sent_at.is_null())
                .set((
                    outbox::due.eq(At(retry.due)),
                    outbox::error.eq(Some(&retry.error)),
                ))
                .execute(transaction.conn())
                .await
                .map_err(store)?;
        }
        transaction.commit().await
    }

    async fn stats(&self) -> Result<OutboxStats, StoreError> {
        let mut reader = self.reader().await?;
        let waiting: i64 = outbox::table
            .filter(outbox::sent_at.is_null())
            .count()
            .get_result(&mut *reader)
            .await
            .map_err(store)?;
        let oldest: Option<At> = outbox::table
            .filter(outbox::sent_at.is_null())
            .order(outbox::seq)
            .select(outbox::added_at)
            .first(&mut *reader)
            .await
            .optional()
            .map_err(store)?;
        Ok(OutboxStats {
            waiting: direct::count(waiting),
            oldest: oldest.map(|at| at.0),
        })
    }

    async fn purge(&self, sent_before: Instant, limit: usize) -> Result<u64, StoreError> {
        sql_query(
            "DELETE FROM outbox WHERE seq IN (
                 SELECT seq FROM outbox WHERE sent_at < $1 ORDER BY sent_at LIMIT $2)",
        )
        .bind::<UtcMillis, _>(At(sent_before))
        .bind::<BigInt, _>(direct::limit(limit))
        .execute(dialect::conn(&mut direct::writer(self).await?))
        .await
        .map_err(store)
        .map(|rows| rows as u64)
    }
}
