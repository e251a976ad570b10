//! Notifications of what happened, and the feed of events that a user's streams resume from.

use domain::{
    notification::Subject,
    shared::{NotificationId, UserId, WorkspaceId},
};
use kernel::{payload, receipt};
use ports::{
    Clock, IdGenerator, StoreError,
    bus::Receipt,
    crash,
    store::{
        AudienceQueries, AudienceStore, Durability, NewNotification, Notification,
        NotificationFilter, UserEvent,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

use super::{Actor, AppError, AppResult, RequestId, Topic, Wake};

/// The name of a notification in the feed.
const EVENT: &str = "notification";

/// What a user is told.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Who is told.
    pub user: UserId,
    /// Of what.
    pub subject: Subject,
    /// What there is to know of it, by its kind.
    pub data: Value,
}

/// A notification in the feed: it was unread when it came.
#[derive(Debug, Serialize, Deserialize)]
pub struct FeedItem {
    /// `ntf_` and a decimal.
    pub id: String,
    /// What happened.
    pub kind: String,
    /// To what.
    pub subject: String,
    /// What there is to know of it, by its kind.
    pub data: Value,
}

/// Notifications of a user, and the feed of events.
#[derive(Clone)]
pub struct Notifications {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) wake: Wake,
}

impl Notifications {
    /// Stores a notification and its event in the feed, together with the mark that the delivery that
    /// brought it is done.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "notification.notify", skip_all)]
    pub async fn notify(&self, notice: Notice, delivery: &Receipt) -> Result<(), StoreError> {
        let now = self.clock.now();
        let new = NewNotification {
            id: NotificationId::from_raw(self.ids.next()),
            workspace: notice.workspace,
            user: notice.user,
            subject: notice.subject,
            data: notice.data,
            created_at: now,
        };
        let mut uow = self.store.begin(Durability::Full).await?;
        if uow.notifications().add(&new).await? {
            let item = payload::encode(&FeedItem {
                id: new.id.to_string(),
                kind: new.subject.kind.to_string(),
                subject: new.subject.id.clone(),
                data: new.data.clone(),
            })?;
            uow.notifications()
                .append_event(&new.workspace, &new.user, EVENT, &item, now)
                .await?;
        }
        uow.inbox().complete(delivery, now).await?;
        uow.commit().await?;
        crash::point("notify.stored");
        let (workspace, user) = (new.workspace.to_string(), new.user.to_string());
        self.wake.publish(Topic::Feed(workspace, user));
        Ok(())
    }

    /// A user's notifications, newest first, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "notification.list", skip_all)]
    pub async fn list(
        &self,
        actor: &Actor,
        mut filter: NotificationFilter,
    ) -> AppResult<(Vec<Notification>, bool)> {
        let limit = usize::try_from(filter.limit).unwrap_or(0);
        filter.limit += 1;
        let queries = &self.queries;
        let mut rows = queries
            .notifications(&actor.workspace, &actor.user, &filter)
            .await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok((rows, more))
    }

    /// How many are unread.
    ///
    /// # Errors
    /// Store errors.
    pub async fn unread(&self, actor: &Actor) -> AppResult<i64> {
        Ok(self
            .queries
            .unread_count(&actor.workspace, &actor.user)
            .await?)
    }

    /// Marks one as read.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "notification.mark_read", skip_all)]
    pub async fn mark_read(&self, actor: &Actor, id: NotificationId) -> AppResult<()> {
        let now = self.clock.now();
        let mut uow = self.store.begin(Durability::Full).await?;
        let (workspace, user) = (&actor.workspace, &actor.user);
        if !uow
            .notifications()
            .mark_read(workspace, user, id, now)
            .await?
        {
            return Err(AppError::NotFound);
        }
        Ok(uow.commit().await?)
    }

    /// Marks all as read; answers how many were unread.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "notification.mark_all_read", skip_all)]
    pub async fn mark_all_read(&self, actor: &Actor, request_id: RequestId) -> AppResult<i64> {
        let now = self.clock.now();
        let mut uow = self.store.begin(Durability::Full).await?;
        if let Some(earlier) = receipt::earlier(uow.receipts(), request_id).await? {
            return Ok(earlier);
        }
        let (workspace, user) = (&actor.workspace, &actor.user);
        let marked = uow
            .notifications()
            .mark_all_read(workspace, user, now)
            .await?;
        receipt::keep(uow.receipts(), request_id, &marked).await?;
        uow.commit().await?;
        Ok(marked)
    }

    /// A user's events after a position.
    ///
    /// # Errors
    /// Store errors.
    pub async fn feed_after(
        &self,
        actor: &Actor,
        after: i64,
        limit: i64,
    ) -> AppResult<Vec<UserEvent>> {
        let queries = &self.queries;
        Ok(queries
            .events_after(&actor.workspace, &actor.user, after, limit)
            .await?)
    }

    /// First and last position of a user's feed.
    ///
    /// # Errors
    /// Store errors.
    pub async fn feed_range(&self, actor: &Actor) -> AppResult<Option<(i64, i64)>> {
        Ok(self
            .queries
            .event_range(&actor.workspace, &actor.user)
            .await?)
    }
}
