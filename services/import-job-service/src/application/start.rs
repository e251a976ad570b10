//! Beginning runs: of one client, or of all that are active.

use domain::{
    importing::ClientSlug,
    operation::{Operation, OperationKind, OperationState},
    shared::{OperationId, UserId},
};
use kernel::{payload, receipt};
use ports::{
    StoreError,
    importing::{Batch, BatchId, ClientId, ImportClient, ImportKind, ImportUnit, Opened, Run},
    store::NewOperation,
    trace,
};
use serde::{Deserialize, Serialize};

use super::{Actor, App, AppError, AppResult, RequestId};

/// Clients that a look reads at a time.
const PAGE: i64 = 500;
/// Who starts what the holder of the administrator's token asks for.
const ADMINISTRATOR: &str = "admin";
/// Who starts what a schedule asks for.
const SCHEDULE: &str = "schedule";

/// Names the parameters in errors.
const PARAMS: &str = "the parameters of an import";

/// What an operation of an import is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The client's id.
    pub client: i64,
    /// The client's name in URLs when it was asked for.
    pub slug: String,
    /// `tickets` or `contacts`.
    pub kind: String,
}

impl Params {
    /// Those of an operation, and what it imports.
    ///
    /// # Errors
    /// `Corrupt` when they cannot be read.
    pub fn of(operation: &Operation) -> Result<(Self, ImportKind), StoreError> {
        let params: Self = payload::decode(&operation.params, PARAMS)?;
        let kind = params.kind()?;
        Ok((params, kind))
    }

    /// What is imported.
    ///
    /// # Errors
    /// `Corrupt` where it is none that there is.
    pub fn kind(&self) -> Result<ImportKind, StoreError> {
        ImportKind::parse(&self.kind).ok_or(StoreError::Corrupt(PARAMS))
    }
}

/// A run that a request began or joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The run.
    pub operation: OperationId,
    /// Whether one was live already: this one.
    pub joined: bool,
}

impl App {
    /// Begins a run of a client, or joins the one that is live.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `client_inactive`.
    pub async fn start_run(
        &self,
        actor: &Actor,
        request_id: RequestId,
        client: ClientId,
        kind: ImportKind,
    ) -> AppResult<Run> {
        let mut unit = self.deps.store.begin_import().await?;
        let id = match receipt::earlier(unit.receipts(), request_id).await? {
            Some(id) => OperationId::from_raw(id),
            None => {
                let found = unit.clients().get(&actor.workspace, client).await?;
                let client = found.ok_or(AppError::NotFound)?;
                if !client.active {
                    let detail = "the client is not active";
                    return Err(AppError::conflict("client_inactive", detail));
                }
                let begun = self
                    .begin(unit.as_mut(), &client, kind, &actor.user)
                    .await?;
                receipt::keep(unit.receipts(), request_id, &begun.operation.raw()).await?;
                unit.commit().await?;
                self.wake.work();
                begun.operation
            }
        };
        self.run(actor, id).await
    }

    /// Begins runs of the client that the slug names, or of all active clients. One that is not there
    /// or not active is none.
    ///
    /// # Errors
    /// Store errors.
    pub async fn start_batch(&self, kind: ImportKind, slug: Option<&str>) -> AppResult<BatchId> {
        let user = user(ADMINISTRATOR)?;
        let mut unit = self.deps.store.begin_import().await?;
        let mut runs = Vec::new();
        match slug {
            Some(slug) => {
                let client = match ClientSlug::parse(slug) {
                    Ok(slug) => unit.clients().by_slug(&slug).await?,
                    Err(_) => None,
                };
                if let Some(client) = client.filter(|client| client.active) {
                    runs.push(self.begin(unit.as_mut(), &client, kind, &user).await?);
                }
            }
            None => {
                let mut after = None;
                loop {
                    let clients = unit.clients().active(after, PAGE).await?;
                    let Some(last) = clients.last() else { break };
                    after = Some(last.id);
                    for client in &clients {
                        runs.push(self.begin(unit.as_mut(), client, kind, &user).await?);
                    }
                }
            }
        }
        let batch = Batch {
            id: OperationId::from_raw(self.deps.ids.next()),
            slug: slug.map(|slug| slug.chars().take(64).collect()),
            kind,
            created_at: self.deps.clock.now(),
        };
        let runs: Vec<_> = runs.iter().map(|begun| begun.operation).collect();
        unit.batches().add(&batch, &runs).await?;
        unit.commit().await?;
        self.wake.work();
        Ok(batch.id)
    }

    /// Begins both kinds of runs for a schedule.
    pub(crate) async fn begin_scheduled(
        &self,
        unit: &mut dyn ImportUnit,
        client: &ImportClient,
    ) -> AppResult<()> {
        let user = user(SCHEDULE)?;
        for kind in [ImportKind::Tickets, ImportKind::Contacts] {
            self.begin(unit, client, kind, &user).await?;
        }
        Ok(())
    }

    async fn begin(
        &self,
        unit: &mut dyn ImportUnit,
        client: &ImportClient,
        kind: ImportKind,
        user: &UserId,
    ) -> AppResult<Begun> {
        let id = OperationId::from_raw(self.deps.ids.next());
        if let Opened::Joined(operation) = unit.runs().open(client.id, kind, id).await? {
            return Ok(Begun {
                operation,
                joined: true,
            });
        }
        // What an earlier run left of its walks would only be gone on with by a retry.
        unit.runs().forget_ended(client.id, kind).await?;
        let params = Params {
            client: client.id.0,
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
            created_at: self.deps.clock.now(),
            not_before: None,
            traceparent: trace::current(),
        };
        unit.operations().add(&operation).await?;
        Ok(Begun {
            operation: id,
            joined: false,
        })
    }
}

fn user(name: &str) -> AppResult<UserId> {
    UserId::parse(name).map_err(|error| StoreError::Internal(Box::new(error)).into())
}
