//! Deletes what nobody needs any more.

use std::{sync::Arc, time::Duration};

use domain::shared::Instant;
use ports::{
    Clock, StoreError,
    bus::{InboxStore, OutboxQueue},
};
use tokio_util::sync::CancellationToken;

use crate::before;

/// How long rows are kept.
#[derive(Debug, Clone, Copy)]
pub struct RetentionSettings {
    /// Published events, for a look at what left.
    pub outbox: Duration,
    /// Handled events, against late repetitions. Longer than any outbox keeps an event.
    pub inbox: Duration,
    /// Rows deleted in one transaction, so that writers do not wait.
    pub batch: usize,
    /// Pause between rounds.
    pub every: Duration,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            outbox: Duration::from_hours(24),
            inbox: Duration::from_hours(14 * 24),
            batch: 500,
            every: Duration::from_mins(10),
        }
    }
}

/// Deletes published and handled events after their time.
pub struct Retention {
    outbox: Arc<dyn OutboxQueue>,
    inbox: Arc<dyn InboxStore>,
    clock: Arc<dyn Clock>,
    settings: RetentionSettings,
}

impl Retention {
    /// Keeps one database's outbox and inbox short.
    pub const fn new(
        outbox: Arc<dyn OutboxQueue>,
        inbox: Arc<dyn InboxStore>,
        clock: Arc<dyn Clock>,
        settings: RetentionSettings,
    ) -> Self {
        Self {
            outbox,
            inbox,
            clock,
            settings,
        }
    }

    /// One round: deletes all that is due and answers how many rows.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn round(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let sent_before: Instant = before(now, self.settings.outbox);
        let done_before: Instant = before(now, self.settings.inbox);
        let (mut total, batch) = (0, self.settings.batch);
        loop {
            let sent = self.outbox.purge(sent_before, batch).await?;
            let done = self.inbox.purge(done_before, batch).await?;
            total += sent + done;
            if sent + done == 0 {
                return Ok(total);
            }
        }
    }

    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "old events could not be deleted");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.settings.every) => {}
            }
        }
    }
}
