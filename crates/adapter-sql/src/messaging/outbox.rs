//! Events that leave with a transaction.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::shared::Instant;
use ports::{
    StoreError,
    bus::{OutboxEvent, OutboxWriter},
    trace,
};

use super::Conn;
use crate::{
    core::{error::store, types::At},
    schema::messaging::outbox,
};

/// Events of one transaction.
pub(super) struct Outbox<'c>(pub(super) &'c mut Conn);

#[async_trait]
impl OutboxWriter for Outbox<'_> {
    async fn add(&mut self, event: OutboxEvent, now: Instant) -> Result<(), StoreError> {
        diesel::insert_into(outbox::table)
            .values((
                outbox::event_id.eq(event.event_id.as_str()),
                outbox::event_type.eq(&event.event_type),
                outbox::aggregate.eq(&event.aggregate),
                outbox::aggregate_version.eq(event.aggregate_version),
                outbox::workspace.eq(event.workspace.as_str()),
                outbox::payload.eq(&event.payload),
                outbox::added_at.eq(At(now)),
                outbox::due.eq(At(now)),
                outbox::traceparent.eq(trace::current()),
            ))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }
}
