//! An operation in the hands of a worker: its lease, its heartbeat, its checkpoints.

use std::{sync::Arc, time::Duration};

use domain::operation::{Operation, OperationState, Progress, Report, Stall};
use kernel::{AppError, Stop, Topic};
use ports::store::{Durability, Lease, LeaseError, OperationUpdate};

use crate::{Frame, Signals, frame::LEASE_SECONDS};

/// More runs than one lease ever sees.
const RUNS_PER_LEASE: i64 = 10_000;
/// How often a worker says that it is alive.
const BEAT: Duration = Duration::from_secs(3);

/// An operation in the hands of this worker.
pub struct Run {
    /// The operation, as far as this worker knows.
    pub operation: Operation,
    /// The proof that it has it.
    pub lease: Lease,
    /// What its heartbeat learns.
    pub signals: Arc<Signals>,
    frame: Arc<Frame>,
    /// Runs under this lease.
    runs: u16,
    beat: tokio::task::JoinHandle<()>,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.beat.abort();
        self.frame.stalls.is_gone(self.operation.id);
    }
}

impl Run {
    pub(crate) fn new(frame: Arc<Frame>, operation: Operation, lease: Lease) -> Self {
        let signals = Arc::new(Signals::new(frame.stopping.clone()));
        if operation.cancel_requested {
            signals.tell(Stop::Cancelled);
        }
        frame.stalls.goes_on(operation.id);
        let (beating, told) = (Arc::clone(&frame), Arc::clone(&signals));
        let beat = tokio::spawn(keep_alive(beating, lease.clone(), told));
        Self {
            operation,
            lease,
            signals,
            frame,
            runs: 0,
            beat,
        }
    }

    /// Counts one more run under this lease. The run before may have ended the operation without
    /// hearing so: what others did since is not to be worked on.
    pub(crate) async fn begin_run(&mut self) -> Result<(), AppError> {
        if self.runs > 0 {
            self.ensure_held().await?;
        }
        self.runs += 1;
        if self.operation.state == OperationState::Waiting {
            self.show(OperationState::Running, None).await?;
            self.frame.stalls.goes_on(self.operation.id);
        }
        Ok(())
    }

    /// Prolongs the lease.
    ///
    /// # Errors
    /// `Stop` when it is lost; store errors.
    pub async fn ensure_held(&self) -> Result<(), AppError> {
        Ok(self.frame.beat(&self.lease).await.map(drop)?)
    }

    /// Number of this run: grows with every run of the operation, 1 for the very first.
    pub fn run_number(&self) -> i64 {
        (self.lease.fence - 1) * RUNS_PER_LEASE + i64::from(self.runs)
    }

    /// Stores how far the work is and from where to go on.
    ///
    /// # Errors
    /// `Stop` when the work should not go on; store errors.
    pub(crate) async fn checkpoint(
        &mut self,
        progress: Progress,
        report: Option<Report>,
        checkpoint: serde_json::Value,
    ) -> Result<(), AppError> {
        if self.operation.checkpoint != checkpoint || self.operation.progress != progress {
            self.signals.progressed();
        }
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
        Ok(self.signals.check()?)
    }

    /// Gives the operation up until a request changes it, and says why: no worker has it until then.
    ///
    /// # Errors
    /// `Stop` when the lease is lost; store errors.
    pub async fn park(
        &mut self,
        reason: &str,
        report: Report,
        checkpoint: serde_json::Value,
    ) -> Result<(), AppError> {
        self.operation.state = OperationState::Waiting;
        let update = OperationUpdate {
            state: Some(OperationState::Waiting),
            reason: Some(reason.to_owned()),
            report: Some(report),
            checkpoint: Some(checkpoint),
            parks: true,
            ..OperationUpdate::default()
        };
        self.store(&update).await
    }

    /// Says that the work stands still, and why. Where that cannot be stored, this process still
    /// tells who asks it.
    pub(crate) async fn stand(&mut self, stall: Stall) {
        self.frame.stalls.record(self.operation.id, stall);
        let reason = Some(stall.to_string());
        if let Err(error) = self.show(OperationState::Waiting, reason).await {
            tracing::debug!(%error, operation = %self.operation.id, "not stored that it waits");
            self.frame.publish_change(self.operation.id);
        }
    }

    /// Shows the operation in another state that keeps its lease.
    async fn show(
        &mut self,
        state: OperationState,
        reason: Option<String>,
    ) -> Result<(), AppError> {
        // Before the store has it: a commit whose reply is lost may be done.
        self.operation.state = state;
        let update = OperationUpdate {
            state: Some(state),
            reason,
            ..OperationUpdate::default()
        };
        self.store(&update).await
    }

    async fn store(&self, update: &OperationUpdate) -> Result<(), AppError> {
        let store = &self.frame.store;
        let mut unit = store.begin_operations(Durability::Derived).await?;
        unit.operations().update_leased(&self.lease, update).await?;
        unit.commit().await?;
        self.frame.publish_change(self.operation.id);
        Ok(())
    }
}

/// Prolongs the lease until the job ends, and listens for a cancel in this process meanwhile.
async fn keep_alive(frame: Arc<Frame>, lease: Lease, signals: Arc<Signals>) {
    let mut topics = frame.wake.subscribe();
    let cancel = Topic::Cancel(lease.operation.raw());
    let mut next = tokio::time::Instant::now() + BEAT;
    loop {
        // Told or not, a heartbeat is what finds out.
        let _ = tokio::time::timeout_at(next, cancel.heard(&mut topics)).await;
        next = tokio::time::Instant::now() + BEAT;
        match frame.beat(&lease).await {
            Ok(true) => signals.tell(Stop::Cancelled),
            Ok(false) => {}
            Err(LeaseError::Lost) => return signals.tell(Stop::LeaseLost),
            Err(LeaseError::Store(error)) => {
                tracing::warn!(%error, operation = %lease.operation, "heartbeat failed");
            }
        }
    }
}

impl Frame {
    async fn beat(&self, lease: &Lease) -> Result<bool, LeaseError> {
        let mut unit = self.store.begin_operations(Durability::Derived).await?;
        let cancel = unit.operations().heartbeat(lease, LEASE_SECONDS).await?;
        unit.commit().await?;
        Ok(cancel)
    }
}
