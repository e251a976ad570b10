//! Ending operations: state, event and notification come from one transaction, exactly once.

use std::sync::Arc;

use domain::operation::Operation;
use operations::{Ending, Run};
use ports::{
    Clock, StoreError,
    store::{AudienceStore, Durability, Lease, LeaseError, UnitOfWork},
};

use crate::{AppResult, Topic, events::Events};

/// Ends operations: state, event and notification come from one transaction, exactly once.
#[derive(Clone)]
pub struct EndOperation {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Events,
}

impl EndOperation {
    /// Ends an operation under its lease, inside a unit of work that may do more.
    pub(crate) async fn leased(
        &self,
        uow: &mut dyn UnitOfWork,
        lease: &Lease,
        operation: &Operation,
        ending: &Ending,
    ) -> Result<(), LeaseError> {
        let now = self.clock.now();
        uow.operations()
            .update_leased(lease, &ending.update(operation, now))
            .await?;
        let ended = ending.apply(operation, now);
        self.events
            .emit(&mut *uow, self.events.operation_finished(&ended)?)
            .await?;
        Ok(())
    }

    /// Ends the operation of a job with nothing else to store.
    pub(crate) async fn run(&self, run: &Run, ending: &Ending) -> AppResult<()> {
        let uow = self.store.begin(Durability::Full).await?;
        self.with(uow, run, ending).await
    }

    /// Ends the operation of a job together with what a unit of work has stored.
    pub(crate) async fn with(
        &self,
        mut uow: Box<dyn UnitOfWork>,
        run: &Run,
        ending: &Ending,
    ) -> AppResult<()> {
        self.leased(uow.as_mut(), &run.lease, &run.operation, ending)
            .await?;
        uow.commit().await?;
        self.announce(&run.operation);
        Ok(())
    }

    /// Ends an operation that no worker has, or takes it from its worker.
    pub(crate) async fn unleased(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
        ending: &Ending,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let update = ending.update(operation, now);
        uow.operations()
            .update(operation.id, operation.state, &update)
            .await?;
        let ended = ending.apply(operation, now);
        self.events
            .emit(&mut *uow, self.events.operation_finished(&ended)?)
            .await
    }

    /// Wakes who waits for an operation and for its event. After the commit.
    pub(crate) fn announce(&self, operation: &Operation) {
        self.events
            .wake
            .publish(Topic::Operation(operation.id.raw()));
        self.events.sent();
    }
}
