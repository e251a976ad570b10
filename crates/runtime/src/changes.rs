//! State changes that outlive the request which asked for them.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The change panicked, or the process ended under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the change ended without a result")]
pub struct Interrupted;

/// Runs state changes as tasks of the process, tracked until they end.
///
/// A web worker's own runtime is torn down with its connections; these tasks live on the runtime
/// of the process, so neither a client that disconnects nor a worker that stops cuts one short.
#[derive(Debug, Clone)]
pub struct Changes {
    runtime: Handle,
    tracker: TaskTracker,
}

impl Changes {
    /// Runs changes on `runtime`, known to `tracker`.
    pub const fn new(runtime: Handle, tracker: TaskTracker) -> Self {
        Self { runtime, tracker }
    }

    /// Runs `change` to its end, whether or not the returned future is still awaited.
    ///
    /// # Errors
    /// When the change panicked or the runtime was shut down.
    pub async fn run<T, F>(&self, change: F) -> Result<T, Interrupted>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (done, result) = oneshot::channel();
        let task = async move {
            match AssertUnwindSafe(change).catch_unwind().await {
                // Nobody waits any more; the change itself is what counts.
                Ok(value) => drop(done.send(value)),
                Err(_) => tracing::error!("a state change panicked"),
            }
        };
        self.tracker.spawn_on(task.in_current_span(), &self.runtime);
        result.await.map_err(|_| Interrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes() -> Changes {
        Changes::new(Handle::current(), TaskTracker::new())
    }

    #[tokio::test]
    async fn a_change_goes_on_when_nobody_waits() {
        let changes = changes();
        let (go, gate) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let mut waiting = Box::pin(changes.run(async move {
            gate.await.unwrap();
            tell.send("done").unwrap();
        }));
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(waiting);
        go.send(()).unwrap();
        assert_eq!(told.await, Ok("done"));
        changes.tracker.close();
        changes.tracker.wait().await;
    }

    #[tokio::test]
    async fn a_panic_is_contained() {
        let result: Result<(), _> = changes().run(async { panic!("defect") }).await;
        assert_eq!(result, Err(Interrupted));
    }
}
