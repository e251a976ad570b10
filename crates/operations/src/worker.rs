//! Workers: they claim operations while there is room for them.

use std::{sync::Arc, time::Duration};

use domain::operation::OperationKind;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Frame, Jobs};

/// Longest sleep without a signal.
const POLL: Duration = Duration::from_secs(1);
/// Pause after a failed look for work.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs operations of these kinds until `stop` fires, so many at a time; then waits until each is handed
/// back. Kinds that must not starve each other have workers of their own. One look for all that have room,
/// so that idle ones cost nothing.
pub async fn work(
    frame: Arc<Frame>,
    jobs: Jobs,
    kinds: &'static [OperationKind],
    at_a_time: usize,
    stop: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(at_a_time.max(1)));
    let runs = TaskTracker::new();
    let signal = frame.wake().on_work();
    while !stop.is_cancelled() {
        let signalled = signal.notified();
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            break;
        };
        let rest = match frame.claim(kinds).await {
            Ok(Some(claimed)) => {
                let (frame, jobs) = (Arc::clone(&frame), jobs.clone());
                runs.spawn(async move {
                    frame.work_on(claimed, &jobs).await;
                    drop(permit);
                });
                continue;
            }
            Ok(None) => POLL,
            Err(error) => {
                tracing::warn!(%error, "no operation could be claimed");
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
    runs.close();
    runs.wait().await;
}
