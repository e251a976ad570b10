//! Ending operations: state, event and notification come from one transaction, exactly once.

use domain::{
    operation::{Failure, Operation, OperationResult, OperationState, Report},
    shared::Instant,
};
use ports::{
    StoreError,
    store::{Lease, LeaseError, OperationUpdate, UnitOfWork},
};

use crate::application::{App, Topic, events};

/// How an operation ends.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// A terminal state.
    pub state: OperationState,
    /// With `Succeeded`: whether rows were rejected.
    pub result: Option<OperationResult>,
    /// What it did.
    pub report: Option<Report>,
    /// Why it failed or was cancelled.
    pub error: Option<Failure>,
    /// Until when it can be undone.
    pub undo_until: Option<Instant>,
}

impl Ending {
    /// Success.
    pub fn succeeded(report: Report, result: OperationResult) -> Self {
        Self {
            state: OperationState::Succeeded,
            result: Some(result),
            report: Some(report),
            error: None,
            undo_until: None,
        }
    }

    /// Failure; the report says what was done until then.
    pub fn failed(error: Failure, report: Option<Report>) -> Self {
        Self {
            state: OperationState::Failed,
            result: None,
            report,
            error: Some(error),
            undo_until: None,
        }
    }

    /// Stopped on request, or superseded.
    pub fn cancelled(error: Failure, report: Option<Report>) -> Self {
        Self {
            state: OperationState::Cancelled,
            ..Self::failed(error, report)
        }
    }

    /// Makes it undoable.
    pub fn undoable(mut self, until: Instant) -> Self {
        self.undo_until = Some(until);
        self
    }

    fn update(&self, operation: &Operation, now: Instant) -> OperationUpdate {
        let mut progress = operation.progress;
        if self.state == OperationState::Succeeded {
            progress.total = Some(progress.total.unwrap_or(progress.done).max(progress.done));
            progress.done = progress.total.unwrap_or(progress.done);
        }
        OperationUpdate {
            state: Some(self.state),
            result: self.result,
            report: self.report.clone(),
            error: self.error.clone(),
            progress: Some(progress),
            finished_at: Some(now),
            undo_until: self.undo_until,
            ..OperationUpdate::default()
        }
    }

    fn apply(&self, operation: &Operation, now: Instant) -> Operation {
        let update = self.update(operation, now);
        Operation {
            state: self.state,
            result: self.result,
            report: self.report.clone().or_else(|| operation.report.clone()),
            error: self.error.clone(),
            progress: update.progress.unwrap_or(operation.progress),
            finished_at: Some(now),
            undo_until: self.undo_until.or(operation.undo_until),
            ..operation.clone()
        }
    }
}

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
        self.emit(&mut *uow, events::operation_finished(&self.deps, &ended))
            .await?;
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
        self.emit(&mut *uow, events::operation_finished(&self.deps, &ended))
            .await
    }

    /// Wakes who waits for an operation and for its event. After the commit.
    pub(crate) fn announce(&self, operation: &Operation) {
        self.wake.publish(Topic::Operation(operation.id.raw()));
        self.wake.outbox();
    }
}
