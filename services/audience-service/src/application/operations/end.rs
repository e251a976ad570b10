//! Ending operations: state, event and notification come from one transaction, exactly once.

use domain::operation::Operation;
use operations::{Ending, Job};
use ports::{
    StoreError,
    store::{Durability, Lease, LeaseError, UnitOfWork},
};

use crate::application::{App, AppResult, Topic, events};

impl App {
    /// Ends an operation under its lease, inside a unit of work that may do more.
    pub(crate) async fn end_leased(
        &self,
        uow: &mut dyn UnitOfWork,
        lease: &Lease,
        operation: &Operation,
        ending: &Ending,
    ) -> Result<(), LeaseError> {
        let now = self.deps.clock.now();
        uow.operations()
            .update_leased(lease, &ending.update(operation, now))
            .await?;
        let ended = ending.apply(operation, now);
        self.emit(&mut *uow, events::operation_finished(&self.deps, &ended)?)
            .await?;
        Ok(())
    }

    /// Ends the operation of a job with nothing else to store.
    pub(crate) async fn end_job(&self, job: &Job, ending: &Ending) -> AppResult<()> {
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        self.end_leased(uow.as_mut(), &job.lease, &job.operation, ending)
            .await?;
        uow.commit().await?;
        self.announce(&job.operation);
        Ok(())
    }

    /// Ends an operation that no worker has, or takes it from its worker.
    pub(crate) async fn end_unleased(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
        ending: &Ending,
    ) -> Result<(), StoreError> {
        let now = self.deps.clock.now();
        let update = ending.update(operation, now);
        uow.operations()
            .update(operation.id, operation.state, &update)
            .await?;
        let ended = ending.apply(operation, now);
        self.emit(&mut *uow, events::operation_finished(&self.deps, &ended)?)
            .await
    }

    /// Wakes who waits for an operation and for its event. After the commit.
    pub(crate) fn announce(&self, operation: &Operation) {
        self.wake.publish(Topic::Operation(operation.id.raw()));
        self.wake.outbox();
    }
}
