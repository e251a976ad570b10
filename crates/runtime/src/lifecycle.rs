//! Start to end of a process.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use tokio::{
    runtime::Handle,
    signal::unix::{SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Changes, Readiness};

/// How long the end of a process may take. Nothing else says when something is cut off at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// For what is running, from the soft token to the hard one.
    pub running: Duration,
    /// For handing work back, from then on.
    pub handing_back: Duration,
}

impl Default for Grace {
    /// Twenty seconds in all.
    fn default() -> Self {
        Self {
            running: Duration::from_secs(18),
            handing_back: Duration::from_secs(2),
        }
    }
}

/// Shutdown in two steps, the tasks it waits for, and the readiness of the process.
///
/// *Soft* asks everybody to take no new work and to end what is running; *hard* asks to let go at
/// once, handing work back. Clones share everything.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    runtime: Handle,
    grace: Grace,
    soft: CancellationToken,
    hard: CancellationToken,
    failed: CancellationToken,
    tasks: TaskTracker,
    readiness: Readiness,
}

impl Lifecycle {
    /// A lifecycle whose tasks run on `runtime`, which must outlive every web worker.
    pub fn new(runtime: Handle) -> Self {
        let soft = CancellationToken::new();
        let readiness = Readiness::default();
        let stopping = soft.clone();
        readiness.register("lifecycle", move || {
            let stopping = stopping.is_cancelled();
            async move {
                if stopping {
                    Err("shutting down".to_owned())
                } else {
                    Ok(())
                }
            }
        });
        Self {
            runtime,
            grace: Grace::default(),
            soft,
            hard: CancellationToken::new(),
            failed: CancellationToken::new(),
            tasks: TaskTracker::new(),
            readiness,
        }
    }

    /// With another time to end in.
    #[must_use]
    pub const fn with_grace(mut self, grace: Grace) -> Self {
        self.grace = grace;
        self
    }

    /// How long its end may take.
    pub const fn grace(&self) -> Grace {
        self.grace
    }

    /// Fires when no new work may begin.
    pub fn soft(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Fires when work must be let go.
    pub fn hard(&self) -> CancellationToken {
        self.hard.clone()
    }

    /// Readiness checks; not ready from the beginning of the shutdown on.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Runs state changes that the shutdown waits for.
    pub fn changes(&self) -> Changes {
        Changes::new(self.runtime.clone(), self.tasks.clone())
    }

    /// Runs a task for the life of the process. It should end soon after [`Self::soft`] fires; if
    /// it ends or panics before, the process is no longer whole and begins to shut down as failed.
    pub fn spawn_named<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let life = self.clone();
        let supervised = async move {
            let outcome = AssertUnwindSafe(task).catch_unwind().await;
            if outcome.is_err() {
                tracing::error!(task = name, "task panicked");
                life.fail();
            } else if !life.soft.is_cancelled() {
                tracing::error!(task = name, "task ended before the shutdown");
                life.fail();
            } else {
                tracing::debug!(task = name, "task ended");
            }
        };
        self.tasks.spawn_on(supervised, &self.runtime);
    }

    /// Begins the shutdown.
    pub fn shutdown(&self) {
        self.soft.cancel();
    }

    /// Begins the shutdown of a process that cannot go on.
    pub fn fail(&self) {
        self.failed.cancel();
        self.soft.cancel();
    }

    /// Whether the process ends because something in it failed.
    pub fn has_failed(&self) -> bool {
        self.failed.is_cancelled()
    }

    /// Begins the shutdown at the first SIGTERM or SIGINT, and the hard one at the second.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn watch_signals(&self) -> std::io::Result<()> {
        let entered = self.runtime.enter();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        drop(entered);
        let life = self.clone();
        self.runtime.spawn(async move {
            for token in [&life.soft, &life.hard] {
                let name = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                };
                tracing::info!(signal = name, "shutting down");
                token.cancel();
            }
        });
        Ok(())
    }

    /// Waits for the shutdown to begin, then for tasks and changes to end; after [`Grace::running`] fires
    /// [`Self::hard`] and waits for [`Grace::handing_back`]. Answers whether all of them ended.
    pub async fn drain(&self) -> bool {
        self.soft.cancelled().await;
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => return true,
            () = tokio::time::sleep(self.grace.running) => {}
            () = self.hard.cancelled() => {}
        }
        self.hard.cancel();
        let ended = tokio::time::timeout(self.grace.handing_back, self.tasks.wait())
            .await
            .is_ok();
        if !ended {
            tracing::warn!(
                tasks = self.tasks.len(),
                "tasks were still running at the end"
            );
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life() -> Lifecycle {
        Lifecycle::new(Handle::current())
    }

    #[tokio::test(start_paused = true)]
    async fn drains_tasks_that_heed_the_soft_token() {
        let life = life();
        let soft = life.soft();
        life.spawn_named("worker", async move { soft.cancelled().await });
        assert!(life.readiness().report().await.is_ready());
        life.shutdown();
        assert!(!life.readiness().report().await.is_ready());
        assert!(life.drain().await);
        assert!(!life.hard().is_cancelled());
        assert!(!life.has_failed());
    }

    #[tokio::test(start_paused = true)]
    async fn fires_the_hard_token_after_the_grace() {
        let life = life();
        let hard = life.hard();
        life.spawn_named("stubborn", async move { hard.cancelled().await });
        life.shutdown();
        assert!(life.drain().await);
        assert!(life.hard().is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_end_is_told_of_after_twenty_seconds() {
        let life = life();
        life.spawn_named("stuck", std::future::pending());
        life.shutdown();
        let began = tokio::time::Instant::now();
        assert!(!life.drain().await);
        assert_eq!(began.elapsed(), Duration::from_secs(20));
    }

    #[tokio::test]
    async fn a_task_that_ends_early_or_panics_fails_the_process() {
        for panics in [false, true] {
            let life = life();
            life.spawn_named("worker", async move { assert!(!panics, "defect") });
            life.soft().cancelled().await;
            assert!(life.has_failed());
        }
    }

    #[tokio::test]
    async fn the_drain_waits_for_changes_nobody_awaits() {
        let life = life();
        let (go, gate) = tokio::sync::oneshot::channel::<()>();
        let changes = life.changes();
        let mut change = Box::pin(changes.run(async move { gate.await.is_ok() }));
        assert!(futures::poll!(&mut change).is_pending());
        drop(change);
        life.shutdown();
        let mut drained = Box::pin(life.drain());
        assert!(futures::poll!(&mut drained).is_pending());
        go.send(()).unwrap();
        assert!(drained.await);
    }
}
