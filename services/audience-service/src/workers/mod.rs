//! Loops that run for the life of the process.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use runtime::Lifecycle;
use tokio_util::sync::CancellationToken;

use crate::application::{
    App, AppResult,
    operations::{Pool, WorkOutcome},
};

/// Longest sleep of an idle worker without a signal.
const POLL: Duration = Duration::from_secs(1);
/// Pause after a failed look for work.
const PAUSE: Duration = Duration::from_secs(2);
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
pub fn start(app: &Arc<App>, life: &Lifecycle, per_pool: usize) {
    for pool in Pool::ALL {
        for _ in 0..per_pool.max(1) {
            life.spawn_named("operations", work(Arc::clone(app), pool, life.soft()));
        }
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

async fn work(app: Arc<App>, pool: Pool, stop: CancellationToken) {
    let signal = app.wake().on_work();
    while !stop.is_cancelled() {
        let signalled = signal.notified();
        let rest = match app.work_once(pool).await {
            Ok(WorkOutcome::Worked) => continue,
            Ok(WorkOutcome::Idle) => POLL,
            Err(error) => {
                tracing::warn!(%error, "no operation could be claimed");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = signalled => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// Files, which have to be looked for.
async fn sweep_files(app: Arc<App>, stop: CancellationToken) {
    loop {
        let now = app.deps().clock.now();
        tell("old files", app.sweep_files(now - FILES_KEPT).await);
        let scratch = app.sweep_scratch(now - SCRATCH_UNTOUCHED, now - FILES_KEPT);
        tell("scratch files", scratch.await);
        if rest(&stop, FILES_EVERY).await {
            return;
        }
    }
}

/// Rows, which are found by their age.
async fn sweep_rows(app: Arc<App>, stop: CancellationToken) {
    loop {
        tell("expired rows", app.purge_expired().await);
        tell("old events", app.purge_customer_events().await);
        let dropped = app.drop_abandoned_creations().await;
        tell("abandoned audiences", dropped.map(|count| count as u64));
        if rest(&stop, ROWS_EVERY).await {
            return;
        }
    }
}

/// Writes that a process began and will not end.
async fn repair_writes(app: Arc<App>, stop: CancellationToken) {
    loop {
        if let Err(error) = app.repair_lapsed().await {
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
