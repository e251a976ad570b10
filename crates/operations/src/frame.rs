//! Claiming operations and running them to their end.

use std::{sync::Arc, time::Instant};

use domain::{
    operation::{Failure, Failures, OperationKind, OperationState, Rest, Stalls},
    shared::OperationId,
};
use kernel::{AppError, Stop, Topic, Wake};
use ports::{
    Clock, StoreError,
    store::{Claimed, Durability, LeaseError, OperationQueries, OperationStore, OperationUpdate},
    trace,
};
use tokio_util::sync::CancellationToken;

use crate::{Ending, Jobs, Run};

/// How long a lease lasts without a heartbeat.
pub(crate) const LEASE_SECONDS: u32 = 30;
/// Claims without any progress after which an operation is given up: it would take down one worker
/// after another.
const MAX_CLAIMS: u32 = 10;

/// What a look for work found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkOutcome {
    /// An operation was run.
    Worked,
    /// There was none.
    Idle,
}

/// The frame of one service's operations in this process.
pub struct Frame {
    pub(crate) store: Arc<dyn OperationStore>,
    pub(crate) queries: Arc<dyn OperationQueries>,
    pub(crate) wake: Wake,
    pub(crate) stopping: CancellationToken,
    /// What of this process's work stands still.
    pub stalls: Stalls,
    pub(crate) clock: Arc<dyn Clock>,
    /// Name of this process in leases; new with every start.
    owner: String,
}

impl Frame {
    /// Operations are handed back when `stopping` fires.
    pub fn new(
        store: Arc<dyn OperationStore>,
        queries: Arc<dyn OperationQueries>,
        wake: Wake,
        clock: Arc<dyn Clock>,
        owner: String,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            store,
            queries,
            wake,
            stopping,
            stalls: Stalls::default(),
            clock,
            owner,
        }
    }

    /// Claims one operation of these kinds and runs it to its end, or until the lease is lost.
    ///
    /// # Errors
    /// Store errors of the claim.
    pub async fn work_once(
        self: &Arc<Self>,
        kinds: &[OperationKind],
        jobs: &Jobs,
    ) -> Result<WorkOutcome, StoreError> {
        let Some(claimed) = self.claim(kinds).await? else {
            return Ok(WorkOutcome::Idle);
        };
        self.work_on(claimed, jobs).await;
        Ok(WorkOutcome::Worked)
    }

    /// Takes the next operation of these kinds.
    ///
    /// # Errors
    /// Store errors.
    pub async fn claim(&self, kinds: &[OperationKind]) -> Result<Option<Claimed>, StoreError> {
        let claimed = self.try_claim(kinds).await;
        let full = matches!(claimed, Err(StoreError::DiskFull));
        self.stalls.taking(kinds, full);
        claimed
    }

    async fn try_claim(&self, kinds: &[OperationKind]) -> Result<Option<Claimed>, StoreError> {
        let now = self.clock.now();
        let mut unit = self.store.begin_operations(Durability::Full).await?;
        let claimed = unit
            .operations()
            .claim(kinds, &self.owner, LEASE_SECONDS, now)
            .await?;
        if claimed.is_some() {
            unit.commit().await?;
        }
        Ok(claimed)
    }

    /// Works on an operation to its end, or until its lease is lost.
    pub async fn work_on(self: &Arc<Self>, claimed: Claimed, jobs: &Jobs) {
        let Claimed {
            operation,
            lease,
            claims,
            traceparent,
        } = claimed;
        let (id, kind) = (operation.id, operation.kind);
        tracing::info!(operation = %id, %kind, "operation started");
        let mut run = Run::new(Arc::clone(self), operation, lease);
        let work = async {
            let ending = if claims > MAX_CLAIMS {
                let detail =
                    "the workers that took it crashed again and again without any progress";
                Some(Ending::failed(
                    Failure::new("too_many_crashes", detail),
                    None,
                ))
            } else {
                let outcome = self.run_with_retries(&mut run, jobs).await;
                self.ending(&run, outcome).await
            };
            let Some(ending) = ending else { return };
            if let Err(error) = jobs.end(&run, ending).await {
                // The lease lapses, and a later claim finds the operation again.
                tracing::error!(%error, operation = %id, "operation could not be ended");
            }
        };
        // What comes of it belongs to the trace of who asked for it.
        trace::scope(traceparent, work).await;
        drop(run);
        self.publish_change(id);
        self.wake.outbox();
        // Another operation may have waited for this one's audience.
        self.wake.work();
    }

    async fn run_with_retries(&self, run: &mut Run, jobs: &Jobs) -> Result<(), AppError> {
        let mut failures = Failures::none();
        loop {
            let reached = run.signals.progress();
            let Err(error) = attempt(run, jobs).await else {
                return Ok(());
            };
            let Some(stall) = error.stall() else {
                return Err(error);
            };
            let progressed = run.signals.progress() != reached;
            let another = failures.another(stall, progressed, Instant::now());
            let Some(Rest { pause, told }) = another else {
                return Err(error);
            };
            tracing::warn!(%error, operation = %run.operation.id, "trying again");
            if told {
                run.stand(stall).await;
            }
            tokio::select! {
                stop = run.signals.stopped() => return Err(stop.into()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// How an operation ends whose run did not end it itself.
    async fn ending(&self, run: &Run, outcome: Result<(), AppError>) -> Option<Ending> {
        let operation = &run.operation;
        let Err(error) = outcome else {
            tracing::info!(operation = %operation.id, "operation ended");
            return None;
        };
        match error {
            AppError::Stop(Stop::LeaseLost) => {
                tracing::warn!(operation = %operation.id, "operation taken over elsewhere");
                None
            }
            AppError::Stop(Stop::Stopping) => {
                if let Err(error) = self.hand_back(run).await {
                    tracing::warn!(%error, operation = %operation.id, "not handed back");
                }
                None
            }
            AppError::Stop(stop @ Stop::Cancelled) => {
                let failure = Failure::new("cancelled", stop.to_string());
                Some(Ending::cancelled(failure, None))
            }
            error => {
                let failure = error.failure();
                if failure.code == "internal" {
                    tracing::error!(%error, operation = %operation.id, "operation failed");
                } else {
                    tracing::warn!(%error, operation = %operation.id, "operation failed");
                }
                Some(Ending::failed(failure, None))
            }
        }
    }

    /// Gives an operation back to the queue, to be gone on with after a restart or elsewhere.
    async fn hand_back(&self, run: &Run) -> Result<(), StoreError> {
        let update = OperationUpdate {
            state: Some(OperationState::Queued),
            ..OperationUpdate::default()
        };
        let mut unit = self.store.begin_operations(Durability::Full).await?;
        let given_back = unit.operations().update_leased(&run.lease, &update).await;
        match given_back {
            Ok(()) => unit.commit().await,
            Err(LeaseError::Lost) => Ok(()),
            Err(LeaseError::Store(error)) => Err(error),
        }
    }

    pub(crate) fn publish_change(&self, id: OperationId) {
        self.wake.publish(Topic::Operation(id.raw()));
    }
}

async fn attempt(run: &mut Run, jobs: &Jobs) -> Result<(), AppError> {
    run.begin_run().await?;
    jobs.run(run).await
}
