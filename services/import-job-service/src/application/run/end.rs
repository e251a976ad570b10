//! Ending runs: state, cursor and event come from one transaction, exactly once.

use domain::{
    operation::{Failure, Operation, OperationResult, OperationState, Report},
    shared::WorkspaceId,
};
use ports::{
    StoreError,
    importing::ImportUnit,
    store::{Lease, OperationUpdate},
};

use crate::application::{App, AppError, AppResult, start::Params};

/// How a run ends.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    /// Everything that came is stored, whole or with rows left out.
    Succeeded(OperationResult),
    /// It could not go on.
    Failed(Failure),
    /// It was asked to stop.
    Cancelled(Failure),
}

impl Ending {
    fn apply(self, operation: &mut Operation) {
        let (state, result, error) = match self {
            Self::Succeeded(result) => (OperationState::Succeeded, Some(result), None),
            Self::Failed(error) => (OperationState::Failed, None, Some(error)),
            Self::Cancelled(error) => (OperationState::Cancelled, None, Some(error)),
        };
        operation.state = state;
        operation.result = result;
        operation.error = error;
    }
}

impl App {
    /// Ends a run under its lease with what it has stored.
    pub(super) async fn end_leased(
        &self,
        lease: &Lease,
        workspace: &WorkspaceId,
        ending: Ending,
    ) -> AppResult<()> {
        let mut unit = self.deps.store.begin_import().await?;
        let found = unit.operations().get(workspace, lease.operation).await?;
        let operation = found.ok_or(AppError::LeaseLost)?;
        self.end_in(unit.as_mut(), lease, operation, ending).await?;
        Ok(unit.commit().await?)
    }

    /// Ends a run under its lease, inside a unit of work that may do more.
    pub(super) async fn end_in(
        &self,
        unit: &mut dyn ImportUnit,
        lease: &Lease,
        operation: Operation,
        ending: Ending,
    ) -> AppResult<()> {
        let ended = self.ended(operation, ending);
        let update = update(&ended);
        unit.operations().update_leased(lease, &update).await?;
        Ok(self.close(unit, &ended).await?)
    }

    /// Ends a run that no worker has.
    pub(crate) async fn end_unleased(
        &self,
        unit: &mut dyn ImportUnit,
        operation: &Operation,
        ending: Ending,
    ) -> AppResult<()> {
        let ended = self.ended(operation.clone(), ending);
        let update = update(&ended);
        unit.operations()
            .update(operation.id, operation.state, &update)
            .await?;
        Ok(self.close(unit, &ended).await?)
    }

    fn ended(&self, mut operation: Operation, ending: Ending) -> Operation {
        ending.apply(&mut operation);
        operation.finished_at = Some(self.deps.clock.now());
        if operation.state == OperationState::Succeeded {
            operation.progress.total = Some(operation.progress.done);
        }
        operation
    }

    async fn close(&self, unit: &mut dyn ImportUnit, ended: &Operation) -> Result<(), StoreError> {
        unit.runs().close(ended.id).await?;
        if ended.state == OperationState::Succeeded {
            unit.runs().forget_walks(ended.id).await?;
        }
        let params: Option<Params> = serde_json::from_value(ended.params.clone()).ok();
        let slug = params.map(|params| params.slug).unwrap_or_default();
        self.emit_finished(unit, ended, &slug).await
    }
}

fn update(ended: &Operation) -> OperationUpdate {
    OperationUpdate {
        state: Some(ended.state),
        result: ended.result,
        error: ended.error.clone(),
        report: ended
            .report
            .clone()
            .filter(|report| matches!(report, Report::Import(_))),
        progress: Some(ended.progress),
        finished_at: ended.finished_at,
        ..OperationUpdate::default()
    }
}
