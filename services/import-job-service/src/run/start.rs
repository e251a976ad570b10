//! Starts the run of a client.

use std::sync::Arc;

use domain::{
    operation::{OperationKind, OperationState},
    shared::{ClientId, OperationId, UserId},
};
use kernel::{Actor, AppError, RequestId, Wake, payload, receipt};
use ports::{
    Clock, IdGenerator, StoreError,
    importing::{ImportClient, ImportKind, ImportStore, ImportUnit, Opened, Run},
    store::NewOperation,
    trace,
};

use super::{Params, ReadRuns};

/// Starts runs, or joins those that are live.
#[derive(Clone)]
pub struct StartRun {
    pub store: Arc<dyn ImportStore>,
    pub starter: RunStarter,
    pub runs: ReadRuns,
    pub wake: Wake,
}

impl StartRun {
    /// Starts a run of a client, or joins the one that is live.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `client_inactive`; store errors.
    #[tracing::instrument(name = "run.start", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        client: ClientId,
        kind: ImportKind,
    ) -> Result<Run, AppError> {
        let mut unit = self.store.begin_import().await?;
        let id = match receipt::earlier(unit.receipts(), request_id).await? {
            Some(id) => OperationId::from_raw(id),
            None => {
                let found = unit.clients().get(&actor.workspace, client).await?;
                let client = found.ok_or(AppError::NotFound)?;
                if !client.active {
                    let detail = "the client is not active";
                    return Err(AppError::conflict("client_inactive", detail));
                }
                let begin = self
                    .starter
                    .begin(unit.as_mut(), &client, kind, &actor.user);
                let id = begin.await?;
                receipt::keep(unit.receipts(), request_id, &id.raw()).await?;
                unit.commit().await?;
                self.wake.work();
                id
            }
        };
        self.runs.get(actor, id).await
    }
}

/// Adds the operations of runs.
#[derive(Clone)]
pub struct RunStarter {
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdGenerator>,
}

impl RunStarter {
    /// Begins a run within a unit of work, or joins the one that is live; answers which it is.
    pub async fn begin(
        &self,
        unit: &mut dyn ImportUnit,
        client: &ImportClient,
        kind: ImportKind,
        user: &UserId,
    ) -> Result<OperationId, StoreError> {
        let id = OperationId::from_raw(self.ids.next());
        if let Opened::Joined(operation) = unit.runs().open(client.id, kind, id).await? {
            return Ok(operation);
        }
        // What an earlier run left of its walks would only be gone on with by a retry.
        unit.runs().forget_ended(client.id, kind).await?;
        let params = Params {
            client: client.id.raw(),
            slug: client.slug.to_string(),
            kind: kind.as_str().to_owned(),
        };
        let operation = NewOperation {
            id,
            write_id: id.raw(),
            workspace: client.workspace.clone(),
            audience: None,
            after_uploads_of: None,
            kind: OperationKind::Import,
            state: OperationState::Queued,
            total: None,
            params: payload::encode(&params)?,
            created_by: user.clone(),
            created_at: self.clock.now(),
            not_before: None,
            traceparent: trace::current(),
        };
        unit.operations().add(&operation).await?;
        Ok(id)
    }
}
