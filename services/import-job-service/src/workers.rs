//! Loops that run for the life of the process.

use std::{sync::Arc, time::Duration};

use domain::operation::OperationKind;
use runtime::Lifecycle;
use tokio_util::sync::CancellationToken;

use crate::application::App;

/// Pause between two looks for scheduled runs.
const SCHEDULES_EVERY: Duration = Duration::from_secs(10);

/// Starts so many workers; each has one run at a time.
pub fn start(app: &Arc<App>, life: &Lifecycle, runs: usize) {
    let (stopping, soft) = (Arc::clone(app), life.soft());
    life.spawn_named("hand-back", async move {
        soft.cancelled().await;
        stopping.stop_work();
    });
    let (frame, jobs) = (Arc::clone(&app.frame), app.jobs());
    life.spawn_named(
        "imports",
        operations::work(frame, jobs, &[OperationKind::Import], runs, life.soft()),
    );
    life.spawn_named("schedules", schedules(Arc::clone(app), life.soft()));
}

async fn schedules(app: Arc<App>, stop: CancellationToken) {
    loop {
        match app.start_due().await {
            Ok(0) => {}
            Ok(clients) => tracing::info!(clients, "scheduled imports started"),
            Err(error) => tracing::warn!(%error, "scheduled imports could not be started"),
        }
        if let Err(error) = app.purge_batches().await {
            tracing::warn!(%error, "old batches could not be deleted");
        }
        if tokio::time::timeout(SCHEDULES_EVERY, stop.cancelled())
            .await
            .is_ok()
        {
            return;
        }
    }
}
