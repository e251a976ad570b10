//! What goes on beside the deliveries.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use ports::{Clock, sending::SendingStore};
use runtime::{Lifecycle, repeat};

/// Pause between two looks for dispatches that need not be known any more.
const EVERY: Duration = Duration::from_secs(600);
/// How long a dispatch is known. An inbox knows for 14 days what it has handled.
const KEPT_FOR: TimeDelta = TimeDelta::days(30);
/// Rows deleted in one step.
const AT_ONCE: usize = 500;

/// Forgets dispatches in time.
pub fn start(store: &Arc<dyn SendingStore>, clock: &Arc<dyn Clock>, life: &Lifecycle) {
    let (store, clock) = (Arc::clone(store), Arc::clone(clock));
    let round = move || forget(Arc::clone(&store), Arc::clone(&clock));
    life.spawn_named("sent dispatches", repeat(EVERY, life.soft(), round));
}

async fn forget(store: Arc<dyn SendingStore>, clock: Arc<dyn Clock>) {
    let before = clock.now() - KEPT_FOR;
    loop {
        match store.purge_dispatches(before, AT_ONCE).await {
            Ok(0) => return,
            Ok(count) => tracing::debug!(count, "dispatches forgotten"),
            Err(error) => {
                tracing::warn!(%error, "dispatches could not be forgotten");
                return;
            }
        }
    }
}
