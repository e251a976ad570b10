//! Who is not to be written to.

use async_trait::async_trait;
use domain::{
    shared::{SuppressionId, WorkspaceId},
    suppression::{SuppressedHash, Suppression, SuppressionKind, SuppressionReason},
};

use crate::StoreError;

/// Suppressions of one transaction.
#[async_trait]
pub trait SuppressionRepository: Send {
    /// Adds those who are not there yet. One who is there stays as it is, unless it is added for an erasure, which
    /// replaces every other reason. Answers each one as it is stored now, in the order given.
    async fn add(
        &mut self,
        workspace: &WorkspaceId,
        new: &[Suppression],
    ) -> Result<Vec<Suppression>, StoreError>;

    /// Those of these who are suppressed, in no order.
    async fn among(
        &mut self,
        workspace: &WorkspaceId,
        people: &[SuppressedHash],
    ) -> Result<Vec<Suppression>, StoreError>;

    /// One.
    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: SuppressionId,
    ) -> Result<Option<Suppression>, StoreError>;

    /// Removes those of these who are suppressed for anything but an erasure; answers them, in no order.
    async fn remove(
        &mut self,
        workspace: &WorkspaceId,
        people: &[SuppressedHash],
    ) -> Result<Vec<SuppressedHash>, StoreError>;
}

/// Which suppressions to list, newest first. Absent members do not filter.
#[derive(Debug, Clone, Default)]
pub struct SuppressionFilter {
    /// By what people are known.
    pub kind: Option<SuppressionKind>,
    /// Why.
    pub reason: Option<SuppressionReason>,
    /// Strictly older than this one.
    pub before: Option<SuppressionId>,
    /// At most so many.
    pub limit: i64,
}

/// Reading of suppressions outside a transaction.
#[async_trait]
pub trait SuppressionQueries: Send + Sync {
    /// A list of them.
    async fn suppressions(
        &self,
        workspace: &WorkspaceId,
        filter: &SuppressionFilter,
    ) -> Result<Vec<Suppression>, StoreError>;

    /// As [`SuppressionRepository::among`], as of now.
    async fn suppressed_among(
        &self,
        workspace: &WorkspaceId,
        people: &[SuppressedHash],
    ) -> Result<Vec<Suppression>, StoreError>;
}
