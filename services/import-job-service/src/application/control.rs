//! Stopping runs and trying them again.

use domain::{operation::OperationState, shared::OperationId};
use ports::{
    StoreError,
    importing::{ImportUnit, Opened, Run},
};

use super::{Actor, App, AppError, AppResult, Ticket, run::Ending};

impl App {
    /// Asks a run to stop. A queued one ends at once, a running one as soon as its worker hears of it.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `operation_ended`.
    pub async fn cancel_run(
        &self,
        actor: &Actor,
        ticket: Ticket,
        id: OperationId,
    ) -> AppResult<Run> {
        self.run(actor, id).await?;
        let stopped = self.stop(actor, ticket, id).await;
        if matches!(stopped, Err(AppError::Store(StoreError::StaleVersion))) {
            // A worker took it at this moment: it is asked like any that runs.
            self.stop(actor, ticket, id).await?;
        } else {
            stopped?;
        }
        self.wake.control();
        self.run(actor, id).await
    }

    async fn stop(&self, actor: &Actor, ticket: Ticket, id: OperationId) -> AppResult<()> {
        let mut unit = self.deps.store.begin_import().await?;
        if !first_time(unit.as_mut(), ticket, id).await? {
            return Ok(());
        }
        let found = unit.operations().get(&actor.workspace, id).await?;
        let operation = found.ok_or(AppError::NotFound)?;
        match operation.state {
            state if state.is_terminal() => {
                let detail = format!("the run has ended: {state}");
                Err(AppError::conflict("operation_ended", detail))
            }
            OperationState::Queued => {
                let ending = Ending::Cancelled(AppError::Cancelled.failure());
                self.end_unleased(unit.as_mut(), &operation, ending).await?;
                unit.commit().await?;
                self.wake.outbox();
                Ok(())
            }
            _ => {
                unit.operations().request_cancel(id).await?;
                Ok(unit.commit().await?)
            }
        }
    }

    /// Puts a failed or cancelled run back into the queue; it goes on from its checkpoint.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `operation_not_retryable`, or `run_active` while another run of that
    /// client and kind is live.
    pub async fn retry_run(
        &self,
        actor: &Actor,
        ticket: Ticket,
        id: OperationId,
    ) -> AppResult<Run> {
        let run = self.run(actor, id).await?;
        let mut unit = self.deps.store.begin_import().await?;
        if !first_time(unit.as_mut(), ticket, id).await? {
            return Ok(run);
        }
        let state = run.operation.state;
        if !matches!(state, OperationState::Failed | OperationState::Cancelled) {
            let detail = format!("only failed or cancelled runs: this one is {state}");
            return Err(AppError::conflict("operation_not_retryable", detail));
        }
        if let Opened::Joined(live) = unit.runs().open(run.client, run.kind, id).await? {
            let detail = format!("{live} imports the same meanwhile");
            return Err(AppError::conflict("run_active", detail));
        }
        unit.operations().requeue(id).await?;
        unit.commit().await?;
        self.wake.work();
        self.run(actor, id).await
    }
}

/// Whether no earlier run of the request changed this operation. Its change is committed with the receipt.
async fn first_time(unit: &mut dyn ImportUnit, ticket: Ticket, id: OperationId) -> AppResult<bool> {
    if !ticket.keyed {
        return Ok(true);
    }
    if unit.receipts().get(ticket.write_id).await?.is_some() {
        return Ok(false);
    }
    unit.receipts()
        .put(ticket.write_id, id.raw().into())
        .await?;
    Ok(true)
}
