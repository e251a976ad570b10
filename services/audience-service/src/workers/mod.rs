//! Loops that run for the life of the process.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use runtime::Lifecycle;
use tokio_util::sync::CancellationToken;

use crate::{AppResult, UseCases, control::Pool};

/// Pause between two looks for files that nothing needs.
const FILES_EVERY: Duration = Duration::from_secs(600);
/// Pause between two looks for rows that have served their time.
const ROWS_EVERY: Duration = Duration::from_secs(60);
/// Pause between two looks for writes of processes that are gone.
const WRITES_EVERY: Duration = Duration::from_secs(5);
/// How long an uploaded file is kept, and what an operation that failed would go on from.
const FILES_KEPT: TimeDelta = TimeDelta::days(7);
/// After how long without a write a scratch file cannot be one of a request that is being answered.
const SCRATCH_UNTOUCHED: TimeDelta = TimeDelta::hours(1);

/// Starts the workers of each pool.
pub fn start(app: &Arc<UseCases>, life: &Lifecycle, per_pool: usize) {
    for pool in Pool::ALL {
        let work = app.operations.work(pool, per_pool, life.soft());
        life.spawn_named("operations", work);
    }
    let stopping = Arc::clone(app);
    let soft = life.soft();
    life.spawn_named("hand-back", async move {
        soft.cancelled().await;
        stopping.stop_work();
    });
    life.spawn_named("files", sweep_files(Arc::clone(app), life.soft()));
    life.spawn_named("rows", sweep_rows(Arc::clone(app), life.soft()));
    life.spawn_named("writes", repair_writes(Arc::clone(app), life.soft()));
}

/// Files, which have to be looked for.
async fn sweep_files(app: Arc<UseCases>, stop: CancellationToken) {
    loop {
        let now = app.clock.now();
        tell(
            "old files",
            app.upkeep.files.uploads(now - FILES_KEPT).await,
        );
        let scratch = app
            .upkeep
            .files
            .scratch(now - SCRATCH_UNTOUCHED, now - FILES_KEPT);
        tell("scratch files", scratch.await);
        if rest(&stop, FILES_EVERY).await {
            return;
        }
    }
}

/// Rows, which are found by their age.
async fn sweep_rows(app: Arc<UseCases>, stop: CancellationToken) {
    loop {
        tell("expired rows", app.upkeep.expired.rows().await);
        tell("old events", app.upkeep.expired.customer_events().await);
        let dropped = app.upkeep.abandoned.drop_all().await;
        tell("abandoned audiences", dropped.map(|count| count as u64));
        if rest(&stop, ROWS_EVERY).await {
            return;
        }
    }
}

/// Writes that a process began and will not end.
async fn repair_writes(app: Arc<UseCases>, stop: CancellationToken) {
    loop {
        if let Err(error) = app.upkeep.repair.lapsed().await {
            tracing::warn!(%error, "interrupted writes could not be repaired");
        }
        if rest(&stop, WRITES_EVERY).await {
            return;
        }
    }
}

/// Pauses; answers whether it is time to stop.
async fn rest(stop: &CancellationToken, pause: Duration) -> bool {
    tokio::time::timeout(pause, stop.cancelled()).await.is_ok()
}

fn tell(what: &str, deleted: AppResult<u64>) {
    match deleted {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "{what} deleted"),
        Err(error) => tracing::warn!(%error, "{what} could not be deleted"),
    }
}
