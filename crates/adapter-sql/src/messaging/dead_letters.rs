//! Deliveries that were given up.

use async_trait::async_trait;
use diesel::{dsl::sql, prelude::*, sql_types::Bool};
use diesel_async::RunQueryDsl;
use domain::shared::Instant;
use ports::{
    StoreError,
    bus::{DeadLetter, DeadLetterCursor, DeadLetters, Redrive, Subscription},
};

use super::{
    Backend, Db, dialect, direct,
    inbox::{DEAD, InboxRow, READY},
};
use crate::{
    core::{error::store, types::At},
    schema::messaging::inbox,
};

/// Written out, because a partial index is not used for a parameter.
const IS_DEAD: &str = "state = 'dead'";

fn letter(mut row: InboxRow) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        subscription: Subscription::parse(&row.subscription)
            .map_err(|_| StoreError::Corrupt("subscription of a dead letter"))?,
        attempts: row.attempts.unsigned_abs(),
        reason: std::mem::take(&mut row.reason),
        buried_at: row.at.0,
        event: row.event()?,
    })
}

#[async_trait]
impl DeadLetters for Db {
    async fn list(
        &self,
        subscription: Option<&Subscription>,
        after: Option<&DeadLetterCursor>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let mut query = inbox::table
            .filter(sql::<Bool>(IS_DEAD))
            .order((inbox::at, inbox::subscription, inbox::event_id))
            .limit(direct::limit(limit))
            .select(InboxRow::as_select())
            .into_boxed::<Backend>();
        if let Some(subscription) = subscription {
            query = query.filter(inbox::subscription.eq(subscription.as_str()));
        }
        if let Some(after) = after {
            let (at, owner, id) = (
                At(after.buried_at),
                after.subscription.as_str(),
                after.event_id.as_str(),
            );
            let later_in_owner = inbox::subscription.eq(owner).and(inbox::event_id.gt(id));
            // The first of two filters bounds the index range, the second one breaks ties.
            query = query.filter(inbox::at.ge(at)).filter(
                inbox::at
                    .gt(at)
                    .or(inbox::subscription.gt(owner))
                    .or(later_in_owner),
            );
        }
        let rows: Vec<InboxRow> = query
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        rows.into_iter().map(letter).collect()
    }

    async fn count(&self) -> Result<u64, StoreError> {
        inbox::table
            .filter(sql::<Bool>(IS_DEAD))
            .count()
            .get_result(&mut *self.reader().await?)
            .await
            .map_err(store)
            .map(direct::count)
    }

    async fn redrive(&self, which: &Redrive, now: Instant) -> Result<u64, StoreError> {
        let (owner, id) = match which {
            Redrive::One(owner, id) => (Some(owner), Some(id)),
            Redrive::Subscription(owner) => (Some(owner), None),
            Redrive::All => (None, None),
        };
        let mut update = diesel::update(inbox::table)
            .set((
                inbox::state.eq(READY),
                inbox::at.eq(At(now)),
                inbox::attempts.eq(0),
            ))
            .filter(inbox::state.eq(DEAD))
            .into_boxed::<Backend>();
        if let Some(owner) = owner {
            update = update.filter(inbox::subscription.eq(owner.as_str()));
        }
        if let Some(id) = id {
            update = update.filter(inbox::event_id.eq(id.as_str()));
        }
        update
            .execute(dialect::conn(&mut direct::writer(self).await?))
            .await
            .map_err(store)
            .map(|rows| rows as u64)
    }
}
