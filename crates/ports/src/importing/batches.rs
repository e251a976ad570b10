//! Batches: what one request for several clients began.

use async_trait::async_trait;
use domain::{
    operation::OperationState,
    shared::{Instant, OperationId},
};

use super::ImportKind;
use crate::StoreError;

/// A batch's id. It is written like that of an operation.
pub type BatchId = OperationId;

/// A request to import one client or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// The client that was named, as it was; none for all.
    pub slug: Option<String>,
    /// What is imported.
    pub kind: ImportKind,
    /// When it was asked for.
    pub created_at: Instant,
}

/// A run that a batch began or joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRun {
    /// The run.
    pub operation: OperationId,
    /// The name of its client in URLs.
    pub slug: String,
    /// Where it stands.
    pub state: OperationState,
}

/// Batches of one transaction.
#[async_trait]
pub trait BatchRepository: Send {
    /// Adds a batch with its runs.
    async fn add(&mut self, batch: &Batch, runs: &[OperationId]) -> Result<(), StoreError>;

    /// Forgets batches from before; at most `limit`.
    async fn purge(&mut self, before: Instant, limit: i64) -> Result<u64, StoreError>;
}
