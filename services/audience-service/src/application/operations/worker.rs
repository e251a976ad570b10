//! Claiming operations and running them.

use std::{sync::Arc, time::Instant};

use domain::operation::{Failure, Failures, Operation, OperationKind, OperationState, Rest, Stall};
use ports::{
    ErrorClass, StoreError,
    files::FileError,
    store::{Claimed, Durability, LeaseError, OperationUpdate},
    trace,
};

use super::{
    end::Ending,
    job::{Job, LEASE_SECONDS},
};
use crate::application::{App, AppError, AppResult};

/// Claims without any progress after which an operation is given up: it would take down one worker
/// after another.
const MAX_CLAIMS: u32 = 10;

/// Operations that share workers, so that one kind cannot starve another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Files into audiences, and copies.
    Intake,
    /// Removals.
    Recycle,
    /// Deletion of what nobody can bring back.
    Purge,
}

impl Pool {
    /// Every pool.
    pub const ALL: [Self; 3] = [Self::Intake, Self::Recycle, Self::Purge];

    /// What its workers take.
    pub const fn kinds(self) -> &'static [OperationKind] {
        match self {
            Self::Intake => &[
                OperationKind::Upload,
                OperationKind::Create,
                OperationKind::Duplicate,
            ],
            Self::Recycle => &[OperationKind::Recycle],
            Self::Purge => &[OperationKind::Purge],
        }
    }
}

/// What a look for work found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkOutcome {
    /// An operation was run.
    Worked,
    /// There was none.
    Idle,
}

impl App {
    /// Claims one operation of the pool and runs it to its end, or until the lease is lost.
    ///
    /// # Errors
    /// Store errors of the claim.
    pub async fn work_once(self: &Arc<Self>, pool: Pool) -> AppResult<WorkOutcome> {
        let claimed = self.claim(pool).await;
        let full = matches!(claimed, Err(AppError::InsufficientStorage));
        self.stalls.taking(pool.kinds(), full);
        let Some(claimed) = claimed? else {
            return Ok(WorkOutcome::Idle);
        };
        let Claimed {
            operation,
            lease,
            claims,
            traceparent,
        } = claimed;
        tracing::info!(operation = %operation.id, kind = %operation.kind, "operation started");
        let mut job = Job::new(Arc::clone(self), operation, lease);
        let work = async {
            let outcome = if claims > MAX_CLAIMS {
                Err(AppError::CrashedTooOften)
            } else {
                self.run_with_retries(&mut job).await
            };
            self.conclude(job, outcome).await;
        };
        // What comes of it belongs to the trace of who asked for it.
        trace::scope(traceparent, work).await;
        // Another operation may have waited for this one's audience.
        self.wake.work();
        Ok(WorkOutcome::Worked)
    }

    async fn claim(&self, pool: Pool) -> AppResult<Option<Claimed>> {
        let now = self.deps.clock.now();
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        let owner = &self.deps.owner;
        let claimed = uow
            .operations()
            .claim(pool.kinds(), owner, LEASE_SECONDS, now)
            .await?;
        if claimed.is_some() {
            uow.commit().await?;
        }
        Ok(claimed)
    }

    async fn run_with_retries(&self, job: &mut Job) -> AppResult<()> {
        let mut failures = Failures::none();
        loop {
            let reached = job.operation.checkpoint.clone();
            let Err(error) = self.go_on(job).await else {
                return Ok(());
            };
            let Some(stall) = stall(&error) else {
                return Err(error);
            };
            let progressed = job.operation.checkpoint != reached;
            let another = failures.another(stall, progressed, Instant::now());
            let Some(Rest { pause, told }) = another else {
                return Err(error);
            };
            tracing::warn!(%error, operation = %job.operation.id, "trying again");
            if told {
                job.stand(stall).await;
            }
            tokio::time::sleep(pause).await;
            job.signals.check()?;
        }
    }

    async fn go_on(&self, job: &mut Job) -> AppResult<()> {
        if job.operation.state == OperationState::Waiting {
            job.go_on().await?;
        }
        self.run(job).await
    }

    async fn run(&self, job: &mut Job) -> AppResult<()> {
        job.begin_run().await?;
        match job.operation.kind {
            OperationKind::Upload | OperationKind::Create => self.run_upload(job).await,
            OperationKind::Recycle => self.run_recycle(job).await,
            OperationKind::Duplicate => self.run_duplicate(job).await,
            OperationKind::Purge => self.run_purge(job).await,
            // A clear is done with the request that asked for it.
            OperationKind::Clear => Ok(()),
            // No pool here takes imports.
            OperationKind::Import => Ok(()),
        }
    }

    /// Ends an operation whose run did not end it itself.
    async fn conclude(&self, job: Job, outcome: AppResult<()>) {
        let operation = &job.operation;
        let ending = match outcome {
            Ok(()) => {
                tracing::info!(operation = %operation.id, "operation ended");
                return;
            }
            Err(AppError::LeaseLost) => {
                tracing::warn!(operation = %operation.id, "operation taken over elsewhere");
                return;
            }
            Err(AppError::Stopping) => {
                if let Err(error) = self.hand_back(&job).await {
                    tracing::warn!(%error, operation = %operation.id, "not handed back");
                }
                return;
            }
            Err(AppError::Cancelled) => {
                Ending::cancelled(Failure::new("cancelled", "cancelled on request"), None)
            }
            Err(error) => {
                tracing::error!(%error, operation = %operation.id, "operation failed");
                Ending::failed(failure(&error), None)
            }
        };
        if let Err(error) = self.conclude_with(&job, ending).await {
            // The lease lapses, and a later claim finds the operation again.
            tracing::error!(%error, operation = %operation.id, "operation could not be ended");
        }
    }

    async fn conclude_with(&self, job: &Job, ending: Ending) -> AppResult<()> {
        let report = self.unfinished_report(job).await?;
        let ending = &Ending { report, ..ending };
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        self.abandon_new_audience(uow.as_mut(), &job.operation)
            .await?;
        self.withdraw_removal(uow.as_mut(), &job.operation).await?;
        self.end_leased(uow.as_mut(), &job.lease, &job.operation, ending)
            .await?;
        uow.commit().await?;
        self.announce(&job.operation);
        Ok(())
    }

    /// Gives an operation back to the queue, to be gone on with after a restart or elsewhere.
    ///
    /// # Errors
    /// Store errors.
    async fn hand_back(&self, job: &Job) -> AppResult<()> {
        let update = OperationUpdate {
            state: Some(OperationState::Queued),
            ..OperationUpdate::default()
        };
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        let given_back = uow.operations().update_leased(&job.lease, &update).await;
        match given_back {
            Ok(()) => Ok(uow.commit().await?),
            Err(LeaseError::Lost) => Ok(()),
            Err(LeaseError::Store(error)) => Err(error.into()),
        }
    }
}

/// Why an operation stands still that failed with this, where another run may succeed.
fn stall(error: &AppError) -> Option<Stall> {
    match error {
        AppError::InsufficientStorage | AppError::File(FileError::DiskFull) => {
            Some(Stall::DiskFull)
        }
        AppError::Store(error) if may_pass(error) => Some(Stall::StoreAway),
        _ => None,
    }
}

/// Whether another run may succeed: a store came back, or a lock lost to another replica is free.
pub(super) fn may_pass(error: &StoreError) -> bool {
    matches!(error.class(), ErrorClass::Transient) || matches!(error, StoreError::StaleVersion)
}

/// What the report of a failed operation says. Internal causes are in the log only.
fn failure(error: &AppError) -> Failure {
    match error {
        AppError::File(error) => file_failure(error),
        AppError::Conflict { code, detail, .. } | AppError::Gone { code, detail } => {
            Failure::new(*code, detail.clone())
        }
        AppError::NotFound => Failure::new("not_found", "the audience is no longer there"),
        AppError::CrashedTooOften => Failure::new("too_many_crashes", error.to_string()),
        AppError::InsufficientStorage => Failure::new("disk_full", error.to_string()),
        AppError::Store(StoreError::Unavailable(_)) => {
            Failure::new("unavailable", "a store could not be reached; retry later")
        }
        _ => Failure::new("internal", "an internal error; the log has its cause"),
    }
}

pub(crate) fn file_failure(error: &FileError) -> Failure {
    let code = match error {
        FileError::Malformed { code, .. } => code.as_str(),
        FileError::TooLarge { .. } => "file_too_large",
        FileError::DiskFull => "disk_full",
        FileError::NotFound => "file_not_found",
        _ => "file_unreadable",
    };
    Failure::new(code, error.to_string())
}

/// Whether this kind of operation makes an audience that stays invisible until it succeeds.
pub(crate) fn makes_audience(operation: &Operation) -> bool {
    matches!(
        operation.kind,
        OperationKind::Create | OperationKind::Duplicate
    )
}
