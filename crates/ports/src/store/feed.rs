//! Notifications, and the feed of events each user can resume.

use async_trait::async_trait;
use domain::{
    notification::Subject,
    shared::{Instant, NotificationId, UserId, WorkspaceId},
};
use serde_json::Value;

use crate::StoreError;

/// A notification to be stored.
#[derive(Debug, Clone)]
pub struct NewNotification {
    /// Identifier.
    pub id: NotificationId,
    /// Tenant.
    pub workspace: WorkspaceId,
    /// Who is told.
    pub user: UserId,
    /// What it tells of.
    pub subject: Subject,
    /// What there is to know of it, by its kind.
    pub data: Value,
    /// When it was made.
    pub created_at: Instant,
}

/// A stored notification.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Identifier.
    pub id: NotificationId,
    /// What it tells of.
    pub subject: Subject,
    /// What there is to know of it, by its kind.
    pub data: Value,
    /// When it was made.
    pub created_at: Instant,
    /// When it was read, if it was.
    pub read_at: Option<Instant>,
}

/// One event of a user's feed.
#[derive(Debug, Clone, PartialEq)]
pub struct UserEvent {
    /// Position in the user's feed, from 1, without gaps.
    pub seq: i64,
    /// Its name in the stream.
    pub kind: String,
    /// What happened.
    pub data: Value,
    /// When.
    pub created_at: Instant,
}

/// Notifications of one transaction.
#[async_trait]
pub trait NotificationRepository: Send {
    /// Adds a notification, once per subject. `false` when it is there already.
    async fn add(&mut self, notification: &NewNotification) -> Result<bool, StoreError>;

    /// Marks one as read; `false` when the user has no such notification. Again: no change.
    async fn mark_read(
        &mut self,
        workspace: &WorkspaceId,
        user: &UserId,
        id: NotificationId,
        now: Instant,
    ) -> Result<bool, StoreError>;

    /// Marks all of a user's as read; answers how many were unread.
    async fn mark_all_read(
        &mut self,
        workspace: &WorkspaceId,
        user: &UserId,
        now: Instant,
    ) -> Result<i64, StoreError>;

    /// Appends to a user's feed and answers the position.
    async fn append_event(
        &mut self,
        workspace: &WorkspaceId,
        user: &UserId,
        kind: &str,
        data: &Value,
        now: Instant,
    ) -> Result<i64, StoreError>;

    /// Deletes events older than `before`; at most `limit`.
    async fn purge_events(&mut self, before: Instant, limit: i64) -> Result<i64, StoreError>;
}
