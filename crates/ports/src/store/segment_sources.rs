//! Where the customers of a workspace's segments are, and what asking them has cost.

use async_trait::async_trait;
use domain::{
    segment::{BigQuerySource, BillingMonth},
    shared::{Instant, WorkspaceId},
};

use crate::StoreError;

/// Tables outside, as they are kept. Where there are none, customers are in the own store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSource {
    /// The tables.
    pub source: BigQuerySource,
    /// Who asks them.
    pub credentials: StoredCredentials,
    /// When it was written.
    pub updated_at: Instant,
}

/// Who asks, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredCredentials {
    /// The account of the machine.
    Metadata,
    /// The key of a service account, encrypted.
    Sealed(Vec<u8>),
}

/// Sources of one transaction.
#[async_trait]
pub trait SegmentSourceRepository: Send {
    /// Writes the source of a workspace in place of the one that was there.
    async fn put(
        &mut self,
        workspace: &WorkspaceId,
        source: &StoredSource,
    ) -> Result<(), StoreError>;

    /// Deletes it. What its queries have cost stays.
    async fn delete(&mut self, workspace: &WorkspaceId) -> Result<(), StoreError>;

    /// Adds bytes to those of a month, or takes some away, and answers how many there are then. Whoever adds
    /// meanwhile waits until this transaction ends.
    async fn add_bytes(
        &mut self,
        workspace: &WorkspaceId,
        month: BillingMonth,
        bytes: i64,
    ) -> Result<i64, StoreError>;
}

/// Reading of sources outside a transaction.
#[async_trait]
pub trait SegmentSourceQueries: Send + Sync {
    /// The source of a workspace; `None` where customers are in the own store.
    async fn segment_source(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Option<StoredSource>, StoreError>;

    /// Bytes that the queries of a month were billed for, those that run now included.
    async fn billed_bytes(
        &self,
        workspace: &WorkspaceId,
        month: BillingMonth,
    ) -> Result<i64, StoreError>;
}
