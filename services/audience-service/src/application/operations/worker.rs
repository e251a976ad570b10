//! What this service's operations do in the frame that runs them.

use async_trait::async_trait;
use domain::operation::{Operation, OperationKind};
use operations::{Ending, Handler, Job, WorkOutcome};
use ports::store::Durability;

use crate::application::{App, AppResult};

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

impl App {
    /// Claims one operation of the pool and runs it to its end, or until the lease is lost.
    ///
    /// # Errors
    /// Store errors of the claim.
    pub async fn work_once(&self, pool: Pool) -> AppResult<WorkOutcome> {
        Ok(self.frame.work_once(pool.kinds(), self).await?)
    }
}

#[async_trait]
impl Handler for App {
    async fn run(&self, job: &mut Job) -> AppResult<()> {
        match job.operation.kind {
            OperationKind::Upload | OperationKind::Create => self.run_upload(job).await,
            OperationKind::Recycle => self.run_recycle(job).await,
            OperationKind::Duplicate => self.run_duplicate(job).await,
            OperationKind::Purge => self.run_purge(job).await,
            // A clear is done with the request that asked for it; no pool here takes imports.
            OperationKind::Clear | OperationKind::Import => Ok(()),
        }
    }

    async fn end(&self, job: &Job, ending: Ending) -> AppResult<()> {
        let report = self.unfinished_report(job).await?;
        let ending = &Ending { report, ..ending };
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        self.abandon_new_audience(uow.as_mut(), &job.operation)
            .await?;
        self.withdraw_removal(uow.as_mut(), &job.operation).await?;
        self.end_leased(uow.as_mut(), &job.lease, &job.operation, ending)
            .await?;
        uow.commit().await?;
        Ok(())
    }
}

/// Whether this kind of operation makes an audience that stays invisible until it succeeds.
pub(crate) fn makes_audience(operation: &Operation) -> bool {
    matches!(
        operation.kind,
        OperationKind::Create | OperationKind::Duplicate
    )
}
