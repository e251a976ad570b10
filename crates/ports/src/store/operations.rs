//! Long operations: rows that workers lease.

use async_trait::async_trait;
use domain::{
    operation::{
        Failure, Operation, OperationKind, OperationResult, OperationState, Progress, Report,
    },
    shared::{AudienceId, Instant, OperationId, UserId, WorkspaceId},
};

use super::{Durability, ReceiptLog};
use crate::StoreError;

/// What begins an operation.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// Its id.
    pub id: OperationId,
    /// The request that made it; unique, so that a repeated request finds it.
    pub write_id: i64,
    /// Owner.
    pub workspace: WorkspaceId,
    /// Audience it works on or makes.
    pub audience: Option<AudienceId>,
    /// It begins when the uploads into this audience that were accepted before it have ended: it is about
    /// their rows as well.
    pub after_uploads_of: Option<AudienceId>,
    /// What it does.
    pub kind: OperationKind,
    /// `Queued`, or `Succeeded` for work that is done with the transaction (a clear).
    pub state: OperationState,
    /// Rows or contacts to go through, where known.
    pub total: Option<i64>,
    /// What was asked for.
    pub params: serde_json::Value,
    /// Who asked.
    pub created_by: UserId,
    /// When it was accepted.
    pub created_at: Instant,
    /// Not to be taken before (purges are planned ahead).
    pub not_before: Option<Instant>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// Proof that a worker has an operation. Every write of the worker is conditional on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The operation.
    pub operation: OperationId,
    /// The worker process.
    pub owner: String,
    /// Fencing number: grows with every claim.
    pub fence: i64,
}

/// An operation that a worker has got.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The operation.
    pub operation: Operation,
    /// The proof.
    pub lease: Lease,
    /// Claims of it since it last got on, this one included. What only crashes counts up.
    pub claims: u32,
    /// W3C trace context of the request that asked for it.
    pub traceparent: Option<String>,
}

/// Why a write under a lease was refused.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another worker has the operation now, or it has ended.
    #[error("the lease is lost")]
    Lost,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a worker or a request changes in an operation. Absent members stay as they are.
#[derive(Debug, Clone, Default)]
pub struct OperationUpdate {
    /// New state.
    pub state: Option<OperationState>,
    /// Why it waits; cleared by any state but `Waiting`.
    pub reason: Option<String>,
    /// How it ended.
    pub result: Option<OperationResult>,
    /// How far it is.
    pub progress: Option<Progress>,
    /// What it did so far.
    pub report: Option<Report>,
    /// Why it failed or was cancelled.
    pub error: Option<Failure>,
    /// From where to go on.
    pub checkpoint: Option<serde_json::Value>,
    /// When it ended.
    pub finished_at: Option<Instant>,
    /// Until when it can be undone.
    pub undo_until: Option<Instant>,
    /// When it was undone.
    pub undone_at: Option<Instant>,
    /// Whether its worker gives it up until a request changes it.
    pub parks: bool,
}

/// Which operations to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct OperationFilter {
    /// Kind. Where absent: every one that somebody asked for.
    pub kind: Option<OperationKind>,
    /// State.
    pub state: Option<OperationState>,
    /// Audience.
    pub audience: Option<AudienceId>,
    /// Strictly older than this one.
    pub before: Option<OperationId>,
    /// At most so many.
    pub limit: i64,
}

/// Reads operations outside a transaction.
#[async_trait]
pub trait OperationQueries: Send + Sync {
    /// A list of operations.
    async fn operations(
        &self,
        workspace: &WorkspaceId,
        filter: &OperationFilter,
    ) -> Result<Vec<Operation>, StoreError>;

    /// One operation.
    async fn operation(
        &self,
        workspace: &WorkspaceId,
        id: OperationId,
    ) -> Result<Option<Operation>, StoreError>;

    /// State and end of operations of any workspace; those that do not exist are left out.
    async fn ends_of(
        &self,
        ids: &[OperationId],
    ) -> Result<Vec<(OperationId, OperationState, Option<Instant>)>, StoreError>;
}

/// Where operations are.
#[async_trait]
pub trait OperationStore: Send + Sync {
    /// Begins a writing transaction on operations alone.
    async fn begin_operations(
        &self,
        durability: Durability,
    ) -> Result<Box<dyn OperationUnit>, StoreError>;
}

/// One transaction, as far as operations go. Dropping it rolls back.
#[async_trait]
pub trait OperationUnit: Send {
    /// Long operations.
    fn operations(&mut self) -> Box<dyn OperationRepository + '_>;
    /// Results of requests that may be repeated.
    fn receipts(&mut self) -> Box<dyn ReceiptLog + '_>;
    /// Makes everything durable and visible at once.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// Operations of one transaction.
#[async_trait]
pub trait OperationRepository: Send {
    /// Adds an operation.
    ///
    /// # Errors
    /// `Conflict` on [`crate::constraint::WRITE_ID`] when the request made one already.
    async fn add(&mut self, operation: &NewOperation) -> Result<(), StoreError>;

    /// One operation of a workspace.
    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: OperationId,
    ) -> Result<Option<Operation>, StoreError>;

    /// The operation that a request made.
    async fn by_write_id(&mut self, write_id: i64) -> Result<Option<Operation>, StoreError>;

    /// Operations of an audience that have not ended, oldest first, of the kinds given.
    async fn live_of(
        &mut self,
        audience: AudienceId,
        kinds: &[OperationKind],
    ) -> Result<Vec<Operation>, StoreError>;

    /// Takes the oldest operation of these kinds that is due: queued, or running or waiting under a lapsed lease,
    /// `not_before` passed, and, for exclusive kinds, with no older live exclusive one on its
    /// audience. Sets `Running`, `started_at`, raises the fence. Workspaces take turns.
    async fn claim(
        &mut self,
        kinds: &[OperationKind],
        owner: &str,
        lease_seconds: u32,
        now: Instant,
    ) -> Result<Option<Claimed>, StoreError>;

    /// Ends every lease on an operation or on a request's idempotency key, as if it had lapsed, and answers
    /// how many operations had one. For the start of a process that has the store to itself:
    /// whoever held a lease is gone, and nobody waits for it to run out.
    async fn release_leases(&mut self) -> Result<u64, StoreError>;

    /// Prolongs a lease; answers whether a cancel was asked for.
    async fn heartbeat(&mut self, lease: &Lease, lease_seconds: u32) -> Result<bool, LeaseError>;

    /// Changes an operation under a lease. A terminal or queued state ends the lease.
    ///
    /// # Errors
    /// `Lost` when the lease does not stand, or the operation has ended.
    async fn update_leased(
        &mut self,
        lease: &Lease,
        update: &OperationUpdate,
    ) -> Result<(), LeaseError>;

    /// Changes an operation that no worker has.
    ///
    /// # Errors
    /// `StaleVersion` when its state is no longer `expected`, or cannot become the one of the update.
    async fn update(
        &mut self,
        id: OperationId,
        expected: OperationState,
        update: &OperationUpdate,
    ) -> Result<(), StoreError>;

    /// Asks a running operation to stop; its worker answers at its next heartbeat or checkpoint.
    async fn request_cancel(&mut self, id: OperationId) -> Result<(), StoreError>;

    /// Puts a failed or cancelled operation back into the queue with `attempt + 1`, keeping its
    /// checkpoint.
    async fn requeue(&mut self, id: OperationId) -> Result<(), StoreError>;
}
