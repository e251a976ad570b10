//! Loops that run for the life of the process.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures::{FutureExt, future::BoxFuture};
use runtime::{Lifecycle, repeat};

use crate::{AppResult, UseCases, control::Pool};

/// Pause between two looks for files that nothing needs.
const FILES_EVERY: Duration = Duration::from_secs(600);
/// Pause between two looks for rows that have served their time.
const ROWS_EVERY: Duration = Duration::from_secs(60);
/// Pause between two looks for writes of processes that are gone.
const WRITES_EVERY: Duration = Duration::from_secs(5);
/// Pause between two looks at what has changed in live audiences.
const LIVE_EVERY: Duration = Duration::from_millis(500);
/// Pause between two looks for refreshes that are due.
const SCHEDULES_EVERY: Duration = Duration::from_secs(10);
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
    for (name, every, round) in [
        ("files", FILES_EVERY, sweep_files as fn(_) -> _),
        ("rows", ROWS_EVERY, sweep_rows),
        ("writes", WRITES_EVERY, repair_writes),
        ("live", LIVE_EVERY, follow_changes),
        ("member-events", LIVE_EVERY, publish_members),
        ("schedules", SCHEDULES_EVERY, start_refreshes),
    ] {
        let app = Arc::clone(app);
        let rounds = repeat(every, life.soft(), move || round(Arc::clone(&app)));
        life.spawn_named(name, rounds);
    }
}

type Round = BoxFuture<'static, ()>;

/// Files, which have to be looked for.
fn sweep_files(app: Arc<UseCases>) -> Round {
    async move {
        let (now, files) = (app.clock.now(), &app.upkeep.files);
        tell("old files", files.uploads(now - FILES_KEPT).await);
        let scratch = files.scratch(now - SCRATCH_UNTOUCHED, now - FILES_KEPT);
        tell("scratch files", scratch.await);
    }
    .boxed()
}

/// Rows, which are found by their age.
fn sweep_rows(app: Arc<UseCases>) -> Round {
    async move {
        let expired = &app.upkeep.expired;
        tell("events of feeds", expired.user_events().await);
        tell("events of customers", expired.customer_events().await);
        tell("refreshes of audiences", expired.refreshes().await);
        let dropped = app.upkeep.abandoned.drop_all().await;
        tell("abandoned audiences", dropped.map(|count| count as u64));
    }
    .boxed()
}

/// Writes that a process began and will not end.
fn repair_writes(app: Arc<UseCases>) -> Round {
    async move {
        if let Err(error) = app.upkeep.repair.lapsed().await {
            tracing::warn!(%error, "interrupted writes could not be repaired");
        }
    }
    .boxed()
}

/// Changes of customers, and time, in live audiences.
fn follow_changes(app: Arc<UseCases>) -> Round {
    async move {
        if let Err(error) = app.upkeep.live.round().await {
            tracing::warn!(%error, "live audiences could not be looked at");
        }
    }
    .boxed()
}

/// Who enters and leaves segments.
fn publish_members(app: Arc<UseCases>) -> Round {
    async move {
        if let Err(error) = app.upkeep.member_events.round().await {
            tracing::warn!(%error, "events of members could not be published");
        }
    }
    .boxed()
}

/// Refreshes whose time has come.
fn start_refreshes(app: Arc<UseCases>) -> Round {
    async move {
        match app.upkeep.refreshes.execute().await {
            Ok(0) => {}
            Ok(audiences) => tracing::info!(audiences, "scheduled refreshes started"),
            Err(error) => tracing::warn!(%error, "scheduled refreshes could not be started"),
        }
    }
    .boxed()
}

fn tell(what: &str, deleted: AppResult<u64>) {
    match deleted {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "{what} deleted"),
        Err(error) => tracing::warn!(%error, "{what} could not be deleted"),
    }
}
