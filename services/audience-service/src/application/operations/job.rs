//! The frame a worker runs an operation in: its lease, its heartbeat, its checkpoints.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::operation::{Operation, OperationState, Progress, Report, Stall};
use ports::store::{Durability, Lease, LeaseError, OperationUpdate};

use super::end::Ending;
use crate::application::{App, AppError, AppResult, Topic};

/// How long a lease lasts without a heartbeat.
pub(crate) const LEASE_SECONDS: u32 = 30;
/// More runs than one lease ever sees.
const RUNS_PER_LEASE: i64 = 10_000;
/// How often a worker says that it is alive.
const BEAT: Duration = Duration::from_secs(3);

/// What the heartbeat learned.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    cancel: AtomicBool,
    lost: AtomicBool,
    stopping: Arc<AtomicBool>,
}

impl Signals {
    /// Whether work should go on.
    pub fn check(&self) -> AppResult<()> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(AppError::LeaseLost);
        }
        if self.cancel.load(Ordering::Relaxed) {
            return Err(AppError::Cancelled);
        }
        if self.stopping.load(Ordering::Relaxed) {
            return Err(AppError::Stopping);
        }
        Ok(())
    }
}

/// An operation in the hands of this worker.
pub struct Job {
    pub(crate) app: Arc<App>,
    pub(crate) operation: Operation,
    pub(crate) lease: Lease,
    pub(crate) signals: Arc<Signals>,
    /// Runs under this lease.
    runs: u16,
    beat: tokio::task::JoinHandle<()>,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.beat.abort();
        self.app.stalls.is_gone(self.operation.id);
    }
}

impl Job {
    pub(crate) fn new(app: Arc<App>, operation: Operation, lease: Lease) -> Self {
        let stopping = Arc::clone(&app.stopping);
        let signals = Arc::new(Signals {
            stopping,
            ..Signals::default()
        });
        signals
            .cancel
            .store(operation.cancel_requested, Ordering::Relaxed);
        app.stalls.goes_on(operation.id);
        let beat = tokio::spawn(keep_alive(
            Arc::clone(&app),
            lease.clone(),
            Arc::clone(&signals),
        ));
        Self {
            app,
            operation,
            lease,
            signals,
            runs: 0,
            beat,
        }
    }

    /// Counts one more run under this lease. The run before may have ended the operation without
    /// hearing so: what others did since is not to be worked on.
    pub(crate) async fn begin_run(&mut self) -> AppResult<()> {
        if self.runs > 0 {
            self.ensure_held().await?;
        }
        self.runs += 1;
        Ok(())
    }

    /// Prolongs the lease, or says that it is lost.
    pub(crate) async fn ensure_held(&self) -> AppResult<()> {
        Ok(beat(&self.app, &self.lease).await.map(drop)?)
    }

    /// Number of this run: grows with every run of the operation, 1 for the very first.
    pub(crate) fn run_number(&self) -> i64 {
        (self.lease.fence - 1) * RUNS_PER_LEASE + i64::from(self.runs)
    }

    /// Stores how far the work is and from where to go on. Answers `Cancelled` or `LeaseLost` when
    /// the work should stop.
    pub(crate) async fn checkpoint(
        &mut self,
        progress: Progress,
        report: Option<Report>,
        checkpoint: serde_json::Value,
    ) -> AppResult<()> {
        self.operation.progress = progress;
        self.operation.report = report.or_else(|| self.operation.report.take());
        self.operation.checkpoint = checkpoint;
        let update = OperationUpdate {
            progress: Some(progress),
            report: self.operation.report.clone(),
            checkpoint: Some(self.operation.checkpoint.clone()),
            ..OperationUpdate::default()
        };
        self.store(&update).await?;
        // Only now: whoever stops here ends with a report of what is stored.
        self.signals.check()
    }

    /// Says that the work stands still, and why. Where that cannot be stored, this process still
    /// tells who asks it.
    pub(super) async fn stand(&mut self, stall: Stall) {
        self.app.stalls.stands(self.operation.id, stall);
        let reason = Some(stall.to_string());
        if let Err(error) = self.show(OperationState::Waiting, reason).await {
            tracing::debug!(%error, operation = %self.operation.id, "not stored that it waits");
            let topic = Topic::Operation(self.operation.id.raw());
            self.app.wake.publish(topic);
        }
    }

    /// Says that the work goes on.
    pub(super) async fn go_on(&mut self) -> AppResult<()> {
        self.show(OperationState::Running, None).await?;
        self.app.stalls.goes_on(self.operation.id);
        Ok(())
    }

    /// Shows the operation in another state that keeps its lease.
    async fn show(&mut self, state: OperationState, reason: Option<String>) -> AppResult<()> {
        // Before the store has it: a commit whose reply is lost may be done.
        self.operation.state = state;
        let update = OperationUpdate {
            state: Some(state),
            reason,
            ..OperationUpdate::default()
        };
        self.store(&update).await
    }

    async fn store(&self, update: &OperationUpdate) -> AppResult<()> {
        let mut uow = self.app.deps.store.begin(Durability::Derived).await?;
        uow.operations().update_leased(&self.lease, update).await?;
        uow.commit().await?;
        self.app
            .wake
            .publish(Topic::Operation(self.operation.id.raw()));
        Ok(())
    }

    /// Ends the operation with nothing else to store.
    pub(crate) async fn end(&self, ending: &Ending) -> AppResult<()> {
        let mut uow = self.app.deps.store.begin(Durability::Full).await?;
        self.app
            .end_leased(uow.as_mut(), &self.lease, &self.operation, ending)
            .await?;
        uow.commit().await?;
        self.app.announce(&self.operation);
        Ok(())
    }
}

/// Prolongs the lease until the job ends, and listens for a cancel in this process meanwhile.
async fn keep_alive(app: Arc<App>, lease: Lease, signals: Arc<Signals>) {
    let mut topics = app.wake.subscribe();
    let topic = Topic::Cancel(lease.operation.raw());
    let mut next = tokio::time::Instant::now() + BEAT;
    loop {
        let told = async {
            while let Ok(heard) = topics.recv().await {
                if heard == topic {
                    return;
                }
            }
            std::future::pending().await
        };
        // Told or not, a heartbeat is what finds out.
        let _ = tokio::time::timeout_at(next, told).await;
        next = tokio::time::Instant::now() + BEAT;
        match beat(&app, &lease).await {
            Ok(cancel) => signals.cancel.store(cancel, Ordering::Relaxed),
            Err(LeaseError::Lost) => return signals.lost.store(true, Ordering::Relaxed),
            Err(LeaseError::Store(error)) => {
                tracing::warn!(%error, operation = %lease.operation, "heartbeat failed");
            }
        }
    }
}

async fn beat(app: &App, lease: &Lease) -> Result<bool, LeaseError> {
    let mut uow = app.deps.store.begin(Durability::Derived).await?;
    let cancel = uow.operations().heartbeat(lease, LEASE_SECONDS).await?;
    uow.commit().await?;
    Ok(cancel)
}
