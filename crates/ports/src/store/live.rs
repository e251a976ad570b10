//! Live audiences: who has to be looked at, because something of them changed or time passed.
//!
//! A change of a customer queues its key in the same transaction, where its workspace has live audiences.
//! Members are looked at as of one instant of the workspace, which moves on: whoever has an instant that a
//! window begins or ends at meanwhile is queued as well.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{
    audience::Audience,
    segment::{Change, Edge},
    shared::{AudienceId, Instant, WorkspaceId},
};

use crate::StoreError;

/// A key that has to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedChange {
    /// Its place in the queue.
    pub id: i64,
    /// What happened.
    pub change: Change,
    /// The key in audiences.
    pub key: String,
}

/// An audience as a plan has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlannedAudience {
    /// The audience.
    pub id: AudienceId,
    /// Its version.
    pub version: i64,
}

/// What live audiences need, in one transaction.
#[async_trait]
pub trait LiveRepository: Send {
    /// Takes the workspace for some seconds; `false` while another process has it. Until the transaction ends, no
    /// audience becomes live or ceases to be.
    async fn claim(
        &mut self,
        workspace: &WorkspaceId,
        owner: &str,
        lease_seconds: u32,
    ) -> Result<bool, StoreError>;

    /// Keeps a workspace that was claimed for some seconds more; `false` where another process has it by now.
    async fn renew(
        &mut self,
        workspace: &WorkspaceId,
        owner: &str,
        lease_seconds: u32,
    ) -> Result<bool, StoreError>;

    /// Ends every lease: whoever had one is gone.
    async fn release_leases(&mut self) -> Result<(), StoreError>;

    /// Keeps dates of customers under these keys, and no others.
    async fn watch_dates(
        &mut self,
        workspace: &WorkspaceId,
        fields: &BTreeSet<&str>,
    ) -> Result<(), StoreError>;

    /// Moves the workspace's instant on to `now`, and queues whom that concerns. Never back. `None` where the
    /// live audiences are no longer those of the plan, or the workspace has none: then nothing happens.
    async fn advance(
        &mut self,
        workspace: &WorkspaceId,
        now: Instant,
        plan: &[PlannedAudience],
        edges: &BTreeSet<Edge>,
    ) -> Result<Option<Instant>, StoreError>;

    /// Queues keys for one audience alone.
    async fn defer(
        &mut self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        keys: &BTreeSet<String>,
    ) -> Result<(), StoreError>;

    /// Takes what has been looked at off the queue.
    async fn looked_at(&mut self, workspace: &WorkspaceId, ids: &[i64]) -> Result<(), StoreError>;

    /// Ends the following of a workspace that has no live audience; `false` where it has one.
    async fn end(&mut self, workspace: &WorkspaceId) -> Result<bool, StoreError>;
}

/// Reading of what live audiences need.
#[async_trait]
pub trait LiveQueries: Send + Sync {
    /// Workspaces that follow changes.
    async fn live_workspaces(&self, limit: i64) -> Result<Vec<WorkspaceId>, StoreError>;

    /// The live audiences of a workspace, in the order of ids.
    async fn live_audiences(&self, workspace: &WorkspaceId) -> Result<Vec<Audience>, StoreError>;

    /// The instant as of which the live audiences of a workspace are kept.
    async fn looked_until(&self, workspace: &WorkspaceId) -> Result<Option<Instant>, StoreError>;

    /// The oldest of the queue, for all audiences or for one.
    async fn queued(
        &self,
        workspace: &WorkspaceId,
        audience: Option<AudienceId>,
        limit: i64,
    ) -> Result<Vec<QueuedChange>, StoreError>;

    /// The audiences for which alone something waits in the queue.
    async fn deferred(&self, workspace: &WorkspaceId) -> Result<Vec<AudienceId>, StoreError>;

    /// Those of these keys that wait in the queue, for all audiences or for this one.
    async fn waiting(
        &self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        keys: &[&str],
    ) -> Result<BTreeSet<String>, StoreError>;

    /// The numbers of the customers of these keys, each with its key.
    async fn numbers_of_keys(
        &self,
        workspace: &WorkspaceId,
        keys: &[&str],
    ) -> Result<Vec<(String, i64)>, StoreError>;
}
