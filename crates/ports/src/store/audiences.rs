//! Audiences inside a unit of work.

use async_trait::async_trait;
use domain::{
    audience::Audience,
    shared::{AudienceId, Instant, WorkspaceId},
};

use crate::StoreError;

/// Audiences of one transaction.
#[async_trait]
pub trait AudienceRepository: Send {
    /// Adds a new audience and its first content (`audience.epoch`, holding `audience.contacts`).
    /// Gives it the next number of the workspace, which is created on first use. Here and in `save`, its
    /// next refresh is kept with it ([`super::ScheduleRepository`]).
    ///
    /// # Errors
    /// `Conflict` on [`crate::constraint::AUDIENCE_NAME`] when a live audience of the workspace has
    /// the same name key (audiences being created count as live, abandoned ones do not).
    async fn add(&mut self, audience: &mut Audience) -> Result<(), StoreError>;

    /// The audience as of this transaction, dropped ones and those being created included.
    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: AudienceId,
    ) -> Result<Option<Audience>, StoreError>;

    /// Writes name, tags, icon, status, conditions and what these name, visibility, version, `updated_at` and
    /// `deleted_at`. Counts and the epoch pointer have their own ways through [`super::ContentRepository`], and
    /// so has `resource` through [`super::UsageRepository`].
    ///
    /// # Errors
    /// `StaleVersion` when the stored version is not `expected_version`; `Conflict` as in `add`.
    async fn save(&mut self, audience: &Audience, expected_version: i64) -> Result<(), StoreError>;

    /// Moves the epoch pointer from the current content to another one, which becomes what readers
    /// see, and sets `updated_at`.
    ///
    /// # Errors
    /// `StaleVersion` when the pointer is not `from`.
    async fn flip_epoch(
        &mut self,
        id: AudienceId,
        from: domain::shared::Epoch,
        to: domain::shared::Epoch,
        now: Instant,
    ) -> Result<(), StoreError>;
}
