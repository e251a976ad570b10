//! What uses audiences.

use async_trait::async_trait;
use domain::{
    audience::Usage,
    shared::{AudienceId, Instant, WorkspaceId},
};

use crate::StoreError;

/// Whether something uses an audience from now on.
#[derive(Debug, Clone)]
pub struct UsageChange {
    /// What.
    pub usage: Usage,
    /// Whether it does.
    pub in_use: bool,
    /// Where a service tells of it: grows with each change of this usage. What is older than what was
    /// told before changes nothing.
    pub version: Option<i64>,
    /// When.
    pub at: Instant,
}

/// A live audience, and those that its conditions name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referring {
    /// The audience.
    pub audience: AudienceId,
    /// What its conditions name.
    pub refers_to: Vec<AudienceId>,
}

/// Usages of one transaction.
#[async_trait]
pub trait UsageRepository: Send {
    /// Notes a change, and whether the audience is something's resource. Nobody else changes the audience
    /// until this transaction ends: what is read of it afterwards stays so. `true` where the usage is new.
    async fn change(
        &mut self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        change: &UsageChange,
    ) -> Result<bool, StoreError>;

    /// What uses an audience, as [`super::AudienceQueries::usages`] lists it; at most `limit`.
    async fn list(
        &mut self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        limit: i64,
    ) -> Result<Vec<Usage>, StoreError>;

    /// Those of these audiences that readers see and that are not dropped, in the order of ids. None of them
    /// is dropped, and none gets other conditions, until this transaction ends.
    async fn referring(
        &mut self,
        workspace: &WorkspaceId,
        ids: &[AudienceId],
    ) -> Result<Vec<Referring>, StoreError>;
}
