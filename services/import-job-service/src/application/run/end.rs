//! Ending runs: state, cursor and event come from one transaction, exactly once.

use domain::{
    operation::{Operation, OperationState},
    shared::WorkspaceId,
};
use kernel::Stop;
use operations::Ending;
use ports::{StoreError, importing::ImportUnit, store::Lease};

use crate::application::{App, AppResult, start::Params};

impl App {
    /// Ends a run under its lease with what it has stored.
    pub(super) async fn end_leased(
        &self,
        lease: &Lease,
        workspace: &WorkspaceId,
        ending: &Ending,
    ) -> AppResult<()> {
        let mut unit = self.deps.store.begin_import().await?;
        let found = unit.operations().get(workspace, lease.operation).await?;
        let operation = found.ok_or(Stop::LeaseLost)?;
        self.end_in(unit.as_mut(), lease, operation, ending).await?;
        Ok(unit.commit().await?)
    }

    /// Ends a run under its lease, inside a unit of work that may do more.
    pub(super) async fn end_in(
        &self,
        unit: &mut dyn ImportUnit,
        lease: &Lease,
        mut operation: Operation,
        ending: &Ending,
    ) -> AppResult<()> {
        if ending.state == OperationState::Succeeded {
            // What the other side had announced was an estimate.
            operation.progress.total = Some(operation.progress.done);
        }
        let now = self.deps.clock.now();
        let update = ending.update(&operation, now);
        unit.operations().update_leased(lease, &update).await?;
        Ok(self.close(unit, &ending.apply(&operation, now)).await?)
    }

    /// What goes with the end of a run.
    pub(crate) async fn close(
        &self,
        unit: &mut dyn ImportUnit,
        ended: &Operation,
    ) -> Result<(), StoreError> {
        unit.runs().close(ended.id).await?;
        if ended.state == OperationState::Succeeded {
            unit.runs().forget_walks(ended.id).await?;
        }
        let (params, _) = Params::of(ended)?;
        self.emit_finished(unit, ended, &params.slug).await
    }
}
