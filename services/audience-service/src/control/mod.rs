//! The operations of this service as workers run them and as requests stop, retry and undo them.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    operation::{Operation, OperationKind, Report},
    shared::OperationId,
};
pub use operations::WorkOutcome;
use operations::{Control, End, Ending, Frame, Jobs, Run};
use ports::{
    StoreError,
    store::{AudienceStore, Durability, UnitOfWork},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Actor, AppError, AppResult, RequestId,
    events::Events,
    operation::{EndOperation, FindOperation, ReleaseHeld, unfinished},
    removal::UndoOperation,
};

/// Operations that share workers, so that one kind cannot starve another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Files into audiences, copies, and audiences of others.
    Intake,
    /// Removals.
    Recycle,
    /// Deletion of what nobody can bring back.
    Purge,
    /// Resolution of segments, and scores.
    Refresh,
}

impl Pool {
    /// Every pool.
    pub const ALL: [Self; 4] = [Self::Intake, Self::Recycle, Self::Purge, Self::Refresh];

    /// What its workers take.
    pub const fn kinds(self) -> &'static [OperationKind] {
        match self {
            Self::Intake => &[
                OperationKind::Upload,
                OperationKind::Create,
                OperationKind::Duplicate,
                OperationKind::Derive,
                OperationKind::Suppress,
            ],
            Self::Recycle => &[OperationKind::Recycle],
            Self::Purge => &[OperationKind::Purge],
            Self::Refresh => &[
                OperationKind::Refresh,
                OperationKind::Score,
                OperationKind::Preview,
            ],
        }
    }
}

/// Ends operations whose run failed or was cancelled.
pub(crate) struct EndUnfinished {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) release: ReleaseHeld,
    pub(crate) ends: EndOperation,
}

#[async_trait]
impl End for EndUnfinished {
    async fn end(&self, run: &Run, ending: Ending) -> AppResult<()> {
        let operation = &run.operation;
        let report = unfinished(operation, ending.report);
        let ending = Ending { report, ..ending };
        let mut uow = self.store.begin(Durability::Full).await?;
        self.release.release(uow.as_mut(), operation).await?;
        self.ends
            .leased(uow.as_mut(), &run.lease, operation, &ending)
            .await?;
        Ok(uow.commit().await?)
    }
}

/// The operations of this service.
pub struct Operations {
    pub(crate) frame: Arc<Frame>,
    pub(crate) jobs: Jobs,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) events: Events,
    pub(crate) release: ReleaseHeld,
    /// Finds them.
    pub find: FindOperation,
    /// Takes them back.
    pub undo: UndoOperation,
}

impl Operations {
    /// Claims one operation of the pool and runs it to its end, or until the lease is lost.
    ///
    /// # Errors
    /// Store errors of the claim.
    pub async fn work_once(&self, pool: Pool) -> AppResult<WorkOutcome> {
        Ok(self.frame.work_once(pool.kinds(), &self.jobs).await?)
    }

    /// Runs the operations of the pool until `stop` fires.
    pub fn work(
        &self,
        pool: Pool,
        at_a_time: usize,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (frame, jobs) = (Arc::clone(&self.frame), self.jobs.clone());
        operations::work(frame, jobs, pool.kinds(), at_a_time, stop)
    }

    /// Asks an operation to stop. A queued one ends at once, a running one at its next checkpoint.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `operation_ended`.
    #[tracing::instrument(name = "operation.cancel", skip_all)]
    pub async fn cancel(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: OperationId,
    ) -> AppResult<Operation> {
        operations::cancel(self, actor, request_id, id).await?;
        self.find.get(actor, id).await
    }

    /// Puts a failed or cancelled operation back into the queue; it goes on from its checkpoint.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `operation_not_retryable`, or `name_taken` when the name of the
    /// audience it was to make was given away.
    #[tracing::instrument(name = "operation.retry", skip_all)]
    pub async fn retry(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: OperationId,
    ) -> AppResult<Operation> {
        operations::retry(self, actor, request_id, id).await?;
        self.find.get(actor, id).await
    }
}

#[async_trait]
impl Control for Operations {
    type Unit = dyn UnitOfWork;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.store.begin(Durability::Full).await
    }

    fn unfinished(&self, operation: &Operation) -> Option<Report> {
        unfinished(operation, None)
    }

    async fn ended(
        &self,
        unit: &mut (dyn UnitOfWork + 'static),
        ended: &Operation,
    ) -> AppResult<()> {
        self.release.release(unit, ended).await?;
        let event = self.events.operation_finished(ended)?;
        Ok(self.events.emit(unit, event).await?)
    }

    async fn reserve_again(
        &self,
        unit: &mut (dyn UnitOfWork + 'static),
        operation: &Operation,
    ) -> AppResult<()> {
        let error = operation.error.as_ref();
        if error.is_some_and(|error| error.code == "superseded") {
            let detail = "the audience was cleared since; recycle it again";
            return Err(AppError::conflict("operation_not_retryable", detail));
        }
        self.release.visibility.reserve(unit, operation).await
    }
}
