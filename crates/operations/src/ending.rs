//! How operations end.

use domain::{
    operation::{Failure, Operation, OperationResult, OperationState, Report},
    shared::Instant,
};
use ports::store::OperationUpdate;

/// How an operation ends.
#[derive(Debug, Clone)]
pub struct Ending {
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
            report: Some(report),
            ..Self::done(result)
        }
    }

    /// Success; the report is the one stored so far.
    pub fn done(result: OperationResult) -> Self {
        Self {
            state: OperationState::Succeeded,
            result: Some(result),
            report: None,
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

    /// What changes in the store.
    pub fn update(&self, operation: &Operation, now: Instant) -> OperationUpdate {
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

    /// The operation as it is then.
    pub fn apply(&self, operation: &Operation, now: Instant) -> Operation {
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
