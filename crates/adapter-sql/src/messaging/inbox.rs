//! Events that arrived, from their arrival to their end.

use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::shared::{Instant, WorkspaceId};
use ports::{
    StoreError,
    bus::{
        Delivered, Delivery, EventId, InboxLog, InboxStore, OutboxEvent, Receipt, Settlement,
        Subscription,
    },
};

use super::{
    Conn, Db, dialect, direct,
    rows::{AT_ONCE, bind, insert, query},
};
use crate::{
    core::{
        error::{changed_one, store},
        types::{At, UtcMillis},
    },
    schema::messaging::inbox,
};

pub(super) const READY: &str = "ready";
const RUNNING: &str = "running";
const DONE: &str = "done";
pub(super) const DEAD: &str = "dead";

/// Columns that all events which arrive together share.
const ARRIVED: [(&str, &str); 4] = [
    ("subscription", "$1"),
    ("state", "$2"),
    ("at", "$3"),
    ("received_at", "$3"),
];

/// Deliveries of one transaction.
pub(super) struct Inbox<'c>(pub(super) &'c mut Conn);

/// A row as claims and lists of dead letters read it.
#[derive(Queryable, Selectable, QueryableByName)]
#[diesel(table_name = inbox)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(super) struct InboxRow {
    pub(super) seq: i64,
    pub(super) subscription: String,
    event_id: String,
    event_type: String,
    aggregate: String,
    aggregate_version: i64,
    workspace: String,
    payload: Vec<u8>,
    pub(super) at: At,
    pub(super) attempts: i32,
    fence: i64,
    received_at: At,
    pub(super) reason: String,
}

impl InboxRow {
    pub(super) fn event(self) -> Result<OutboxEvent, StoreError> {
        Ok(OutboxEvent {
            event_id: EventId::new(self.event_id),
            event_type: self.event_type,
            aggregate: self.aggregate,
            aggregate_version: self.aggregate_version,
            workspace: WorkspaceId::parse(&self.workspace)
                .map_err(|_| StoreError::Corrupt("workspace of an event"))?,
            payload: self.payload,
        })
    }

    fn delivery(self, subscription: &Subscription) -> Result<Delivery, StoreError> {
        let (fence, attempt) = (self.fence, self.attempts.unsigned_abs());
        let received_at = self.received_at.0;
        let event = self.event()?;
        let receipt = Receipt {
            subscription: subscription.clone(),
            event_id: event.event_id.clone(),
            fence,
        };
        Ok(Delivery {
            receipt,
            event,
            attempt,
            received_at,
        })
    }
}

/// Ends a claim that still stands; answers how many rows that was.
async fn settle(
    conn: &mut Conn,
    receipt: &Receipt,
    state: &str,
    at: Instant,
    reason: &str,
) -> Result<usize, StoreError> {
    diesel::update(inbox::table)
        .filter(inbox::subscription.eq(receipt.subscription.as_str()))
        .filter(inbox::event_id.eq(receipt.event_id.as_str()))
        .filter(inbox::state.eq(RUNNING))
        .filter(inbox::fence.eq(receipt.fence))
        .set((
            inbox::state.eq(state),
            inbox::at.eq(At(at)),
            inbox::reason.eq(reason),
        ))
        .execute(conn)
        .await
        .map_err(store)
}

/// As [`settle`], on its own, and tells why where nothing was settled.
async fn settle_now(
    db: &Db,
    receipt: &Receipt,
    state: &str,
    at: Instant,
    reason: &str,
) -> Result<Settlement, StoreError> {
    let mut held = direct::writer(db).await?;
    let conn = dialect::conn(&mut held);
    if settle(conn, receipt, state, at, reason).await? == 1 {
        return Ok(Settlement::Applied);
    }
    let state: Option<String> = inbox::table
        .filter(inbox::subscription.eq(receipt.subscription.as_str()))
        .filter(inbox::event_id.eq(receipt.event_id.as_str()))
        .select(inbox::state)
        .first(conn)
        .await
        .optional()
        .map_err(store)?;
    Ok(if state.as_deref() == Some(DONE) {
        Settlement::AlreadyDone
    } else {
        Settlement::Lost
    })
}

#[async_trait]
impl InboxLog for Inbox<'_> {
    async fn complete(&mut self, receipt: &Receipt, now: Instant) -> Result<(), StoreError> {
        settle(self.0, receipt, DONE, now, "")
            .await
            .and_then(changed_one)
    }
}

#[async_trait]
impl InboxStore for Db {
    async fn deliver(
        &self,
        subscription: &Subscription,
        event: &OutboxEvent,
        now: Instant,
    ) -> Result<Delivered, StoreError> {
        let stored = self
            .deliver_all(subscription, std::slice::from_ref(event), now)
            .await?;
        Ok(if stored == 1 {
            Delivered::Stored
        } else {
            Delivered::Duplicate
        })
    }

    async fn deliver_all(
        &self,
        subscription: &Subscription,
        events: &[OutboxEvent],
        now: Instant,
    ) -> Result<usize, StoreError> {
        let mut stored = 0;
        for events in events.chunks(AT_ONCE) {
            let conflict = "ON CONFLICT (subscription, event_id) DO NOTHING";
            let shared = query(insert("inbox", &ARRIVED, 3, events.len(), conflict))
                .bind::<Text, _>(subscription.as_str())
                .bind::<Text, _>(READY)
                .bind::<UtcMillis, _>(At(now));
            stored += bind(shared, events)
                .execute(dialect::conn(&mut direct::writer(self).await?))
                .await
                .map_err(store)?;
        }
        Ok(stored)
    }

    async fn claim(
        &self,
        subscription: &Subscription,
        limit: usize,
        now: Instant,
        lease: Duration,
    ) -> Result<Vec<Delivery>, StoreError> {
        let text = format!(
            "WITH due AS MATERIALIZED (
                 SELECT seq FROM inbox
                 WHERE subscription = $1 AND state IN ('ready', 'running') AND at <= $2
                 ORDER BY at, seq LIMIT $3 {take})
             UPDATE inbox SET state = 'running', at = $4, attempts = attempts + 1, fence = fence + 1
             WHERE seq IN (SELECT seq FROM due) RETURNING *",
            take = dialect::TAKE,
        );
        let mut rows: Vec<InboxRow> = sql_query(text)
            .bind::<Text, _>(subscription.as_str())
            .bind::<UtcMillis, _>(At(now))
            .bind::<BigInt, _>(direct::limit(limit))
            .bind::<UtcMillis, _>(At(now + lease))
            .load(dialect::conn(&mut direct::writer(self).await?))
            .await
            .map_err(store)?;
        rows.sort_unstable_by_key(|row| row.seq);
        rows.into_iter()
            .map(|row| row.delivery(subscription))
            .collect()
    }

    async fn complete(&self, receipt: &Receipt, now: Instant) -> Result<Settlement, StoreError> {
        settle_now(self, receipt, DONE, now, "").await
    }

    async fn retry(
        &self,
        receipt: &Receipt,
        due: Instant,
        reason: &str,
    ) -> Result<Settlement, StoreError> {
        settle_now(self, receipt, READY, due, reason).await
    }

    async fn bury(
        &self,
        receipt: &Receipt,
        reason: &str,
        now: Instant,
    ) -> Result<Settlement, StoreError> {
        settle_now(self, receipt, DEAD, now, reason).await
    }

    async fn purge(&self, done_before: Instant, limit: usize) -> Result<u64, StoreError> {
        sql_query(
            "DELETE FROM inbox WHERE seq IN (
                 SELECT seq FROM inbox WHERE state = 'done' AND at < $1 ORDER BY at LIMIT $2)",
        )
        .bind::<UtcMillis, _>(At(done_before))
        .bind::<BigInt, _>(direct::limit(limit))
        .execute(dialect::conn(&mut direct::writer(self).await?))
        .await
        .map_err(store)
        .map(|rows| rows as u64)
    }
}
