//! Loops that run for the life of the process.

use std::time::Duration;

use domain::operation::OperationKind;
use runtime::{Lifecycle, repeat};

use crate::use_cases::UseCases;

/// Pause between two looks for scheduled runs.
const SCHEDULES_EVERY: Duration = Duration::from_secs(10);

/// Starts so many workers; each has one run at a time.
pub fn start(cases: &UseCases, life: &Lifecycle, runs: usize) {
    let (stopping, soft) = (cases.stopping.clone(), life.soft());
    life.spawn_named("hand-back", async move {
        soft.cancelled().await;
        stopping.cancel();
    });
    let (frame, jobs) = (cases.worker.frame.clone(), cases.worker.jobs());
    life.spawn_named(
        "imports",
        operations::work(frame, jobs, &[OperationKind::Import], runs, life.soft()),
    );
    let (cases, soft) = (cases.clone(), life.soft());
    life.spawn_named(
        "schedules",
        repeat(SCHEDULES_EVERY, soft, move || schedules(cases.clone())),
    );
}

async fn schedules(cases: UseCases) {
    match cases.start_due_runs.execute().await {
        Ok(0) => {}
        Ok(clients) => tracing::info!(clients, "scheduled imports started"),
        Err(error) => tracing::warn!(%error, "scheduled imports could not be started"),
    }
    if let Err(error) = cases.purge_batches.execute().await {
        tracing::warn!(%error, "old batches could not be deleted");
    }
}
