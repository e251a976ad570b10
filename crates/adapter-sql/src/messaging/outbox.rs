//! Events that leave with a transaction.

use async_trait::async_trait;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;
use domain::shared::Instant;
use ports::{
    StoreError,
    bus::{OutboxEvent, OutboxWriter},
    trace,
};

use super::{
    Conn,
    rows::{AT_ONCE, bind, insert, query},
};
use crate::core::{
    error::store,
    types::{At, UtcMillis},
};

/// Columns that all events of one call share.
const SHARED: [(&str, &str); 3] = [("added_at", "$1"), ("due", "$1"), ("traceparent", "$2")];

/// Events of one transaction.
pub(super) struct Outbox<'c>(pub(super) &'c mut Conn);

#[async_trait]
impl OutboxWriter for Outbox<'_> {
    async fn add(&mut self, event: OutboxEvent, now: Instant) -> Result<(), StoreError> {
        self.add_all(vec![event], now).await
    }

    async fn add_all(&mut self, events: Vec<OutboxEvent>, now: Instant) -> Result<(), StoreError> {
        let traceparent = trace::current();
        for events in events.chunks(AT_ONCE) {
            let shared = query(insert("outbox", &SHARED, 2, events.len(), ""))
                .bind::<UtcMillis, _>(At(now))
                .bind::<Nullable<Text>, _>(traceparent.as_deref());
            bind(shared, events).execute(self.0).await.map_err(store)?;
        }
        Ok(())
    }
}
