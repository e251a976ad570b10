//! Loops that run for the life of the process.

use std::{sync::Arc, time::Duration};

use runtime::Lifecycle;
use tokio_util::sync::CancellationToken;

use crate::application::App;

/// Longest sleep of an idle worker without a signal.
const POLL: Duration = Duration::from_secs(1);
/// Pause after a failed look for work.
const PAUSE: Duration = Duration::from_secs(2);
/// Pause between two looks for scheduled runs.
const SCHEDULES_EVERY: Duration = Duration::from_secs(10);

/// Starts so many workers; each has one run at a time.
pub fn start(app: &Arc<App>, life: &Lifecycle, runs: usize) {
    let (stopping, soft) = (Arc::clone(app), life.soft());
    life.spawn_named("hand-back", async move {
        soft.cancelled().await;
        stopping.stop_work();
    });
    life.spawn_named("imports", work(Arc::clone(app), life.soft(), runs));
    life.spawn_named("schedules", schedules(Arc::clone(app), life.soft()));
}

/// Claims runs while there is room for them. One look for all workers, so that idle ones cost nothing.
async fn work(app: Arc<App>, stop: CancellationToken, runs: usize) {
    let room = Arc::new(tokio::sync::Semaphore::new(runs.max(1)));
    let tasks = tokio_util::task::TaskTracker::new();
    let signal = app.wake().on_work();
    while !stop.is_cancelled() {
        let signalled = signal.notified();
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            break;
        };
        let rest = match app.claim().await {
            Ok(Some(claimed)) => {
                let app = Arc::clone(&app);
                tasks.spawn(async move {
                    app.work_on(claimed).await;
                    drop(permit);
                });
                continue;
            }
            Ok(None) => POLL,
            Err(error) => {
                tracing::warn!(%error, "no run could be claimed");
                PAUSE
            }
        };
        drop(permit);
        tokio::select! {
            () = stop.cancelled() => {}
            () = signalled => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
    tasks.close();
    // Each hands its run back.
    tasks.wait().await;
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
