//! Stopping runs and trying them again.

use domain::{
    operation::{Failure, OperationState},
    shared::OperationId,
};
use kernel::Topic;
use operations::{Ending, Stop};
use ports::{
    StoreError,
    importing::{ImportUnit, Opened, Run},
};

use super::{Actor, App, AppError, AppResult, RequestId};

impl App {
    /// Asks a run to stop. A queued one ends at once, a running one as soon as its worker hears of it.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `operation_ended`.
    pub async fn cancel_run(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: OperationId,
    ) -> AppResult<Run> {
        self.run(actor, id).await?;
        let stopped = self.stop(actor, request_id, id).await;
        if matches!(stopped, Err(AppError::Store(StoreError::StaleVersion))) {
            // A worker took it at this moment: it is asked like any that runs.
            self.stop(actor, request_id, id).await?;
        } else {
            stopped?;
        }
        for topic in [Topic::Cancel(id.raw()), Topic::Operation(id.raw())] {
            self.wake.publish(topic);
        }
        self.run(actor, id).await
    }

    async fn stop(&self, actor: &Actor, request_id: RequestId, id: OperationId) -> AppResult<()> {
        let mut unit = self.deps.store.begin_import().await?;
        if !first_time(unit.as_mut(), request_id, id).await? {
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
                let failure = Failure::new("cancelled", Stop::Cancelled.to_string());
                let ending = Ending::cancelled(failure, None);
                self.end_unleased(unit.as_mut(), &operation, &ending)
                    .await?;
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
        request_id: RequestId,
        id: OperationId,
    ) -> AppResult<Run> {
        let run = self.run(actor, id).await?;
        let mut unit = self.deps.store.begin_import().await?;
        if !first_time(unit.as_mut(), request_id, id).await? {
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
async fn first_time(
    unit: &mut dyn ImportUnit,
    request_id: RequestId,
    id: OperationId,
) -> AppResult<bool> {
    if !request_id.keyed {
        return Ok(true);
    }
    if unit.receipts().get(request_id.write_id).await?.is_some() {
        return Ok(false);
    }
    unit.receipts()
        .put(request_id.write_id, id.raw().into())
        .await?;
    Ok(true)
}
