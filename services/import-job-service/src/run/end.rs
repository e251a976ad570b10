//! Ends a run: state, cursor and event come from one transaction, exactly once.

use std::sync::Arc;

use domain::{
    operation::{Operation, OperationState},
    shared::{ClientId, Instant, WorkspaceId},
};
use kernel::{AppError, Stop};
use operations::Ending;
use ports::{
    Clock, StoreError,
    importing::{ImportStore, ImportUnit},
    store::Lease,
};

use super::{Params, events::emit_finished};

/// Ends runs.
#[derive(Clone)]
pub struct EndRun {
    pub store: Arc<dyn ImportStore>,
    pub clock: Arc<dyn Clock>,
}

impl EndRun {
    /// Ends a run under its lease with what it has stored, and moves the cursor of its client where there is
    /// one to move.
    ///
    /// # Errors
    /// `Stop` when the lease is lost; store errors.
    #[tracing::instrument(name = "run.end", skip_all)]
    pub async fn execute(
        &self,
        lease: &Lease,
        workspace: &WorkspaceId,
        ending: &Ending,
        cursor: Option<(ClientId, Instant)>,
    ) -> Result<(), AppError> {
        let mut unit = self.store.begin_import().await?;
        if let Some((client, to)) = cursor {
            unit.runs().move_cursor(client, to).await?;
        }
        let found = unit.operations().get(workspace, lease.operation).await?;
        let mut operation = found.ok_or(Stop::LeaseLost)?;
        if ending.state == OperationState::Succeeded {
            // What the other side had announced was an estimate.
            operation.progress.total = Some(operation.progress.done);
        }
        let now = self.clock.now();
        let update = ending.update(&operation, now);
        unit.operations().update_leased(lease, &update).await?;
        self.close(unit.as_mut(), &ending.apply(&operation, now))
            .await?;
        Ok(unit.commit().await?)
    }

    /// What goes with the end of a run, within the unit of work that ends it.
    pub(super) async fn close(
        &self,
        unit: &mut dyn ImportUnit,
        ended: &Operation,
    ) -> Result<(), StoreError> {
        unit.runs().close(ended.id).await?;
        if ended.state == OperationState::Succeeded {
            unit.runs().forget_walks(ended.id).await?;
        }
        let (params, _) = Params::of(ended)?;
        emit_finished(unit, self.clock.now(), ended, &params.slug).await
    }
}
