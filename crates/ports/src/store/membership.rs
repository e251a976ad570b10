//! Who was a member of an audience, and when.
//!
//! A member's contact carries the number of the refresh by which it entered, so that only what has ended is
//! written down: a departure names both refreshes. A departure counts once the refresh by which somebody left
//! has been noted, and as long as the audience's content has no contact of the same key and entry.

use async_trait::async_trait;
use domain::{
    audience::{Departure, Refreshed},
    shared::{AudienceId, Instant, WorkspaceId},
};

use crate::StoreError;

/// The history of one transaction.
#[async_trait]
pub trait MembershipRepository: Send {
    /// Notes departures. One of the same key and entry is replaced.
    async fn depart(
        &mut self,
        audience: AudienceId,
        departures: &[Departure],
    ) -> Result<(), StoreError>;

    /// Deletes departures by refreshes that were given up before readers saw them, with the changes that they queued.
    async fn discard_unseen(&mut self, audience: AudienceId) -> Result<(), StoreError>;

    /// Queues members who enter or leave by a refresh or a batch of changes, for events once readers see it.
    async fn queue_changes(
        &mut self,
        audience: AudienceId,
        request: i64,
        keys: &[&str],
    ) -> Result<(), StoreError>;

    /// Takes the oldest of the queue, in the order of requests and keys, whose refresh or batch readers see. Nobody else takes those of the audience until the transaction ends; none where somebody does.
    async fn take_changes(
        &mut self,
        audience: AudienceId,
        limit: i64,
    ) -> Result<Vec<String>, StoreError>;

    /// Notes a refresh.
    async fn note(&mut self, refreshed: &Refreshed) -> Result<(), StoreError>;
}

/// A departure with the times of both refreshes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// What is known of it.
    pub departure: Departure,
    /// The refresh by which they left.
    pub left: Refreshed,
}

/// Reading of the history outside a transaction. Audiences are the caller's to have been looked up in their
/// workspace.
#[async_trait]
pub trait MembershipQueries: Send + Sync {
    /// Refreshes that have an operation, latest first, those before a number.
    async fn refreshes(
        &self,
        audience: AudienceId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Refreshed>, StoreError>;

    /// The refresh of a number, if it is still known.
    async fn refresh(
        &self,
        audience: AudienceId,
        request: i64,
    ) -> Result<Option<Refreshed>, StoreError>;

    /// The last refresh that readers saw at an instant, if it is still known.
    async fn refresh_at(
        &self,
        audience: AudienceId,
        at: Instant,
    ) -> Result<Option<Refreshed>, StoreError>;

    /// Audiences of every workspace with changes that can be taken.
    async fn changed_audiences(
        &self,
        limit: i64,
    ) -> Result<Vec<(WorkspaceId, AudienceId)>, StoreError>;

    /// The ended stays of a key, in their order.
    async fn stays_of(&self, audience: AudienceId, key: &str) -> Result<Vec<Stay>, StoreError>;

    /// Departures of those who were members when the refresh `request` was shown, in the order of keys, those
    /// after a key.
    async fn departed_since(
        &self,
        audience: AudienceId,
        request: i64,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Departure>, StoreError>;
}
