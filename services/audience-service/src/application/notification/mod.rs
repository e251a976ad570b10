//! Notifications: one per end of an operation, to the user who asked for it; and the feed of events
//! that a user's streams resume from.

use domain::shared::{Instant, NotificationId, OperationId, UserId, WorkspaceId};
use kernel::receipt;
use ports::{
    Clock, IdGenerator, StoreError,
    bus::Receipt,
    crash,
    store::{
        AudienceQueries, AudienceStore, Durability, NewNotification, Notification,
        NotificationFilter, UserEvent,
    },
};
use serde_json::Value;
use std::sync::Arc;

use super::{Actor, AppError, AppResult, RequestId, Topic, Wake};

/// The end of an operation, as it came over the bus.
#[derive(Debug, Clone)]
pub struct OperationEnded {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Who is told.
    pub user: UserId,
    /// The operation.
    pub operation: OperationId,
    /// The run that ended.
    pub attempt: i32,
    /// Kind, state, result and counts.
    pub payload: Value,
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
    /// Stores the notification and the feed event of an operation's end, together with the mark that
    /// the delivery is done.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "notification.notify", skip_all)]
    pub async fn notify(
        &self,
        ended: OperationEnded,
        delivery: &Receipt,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let id = NotificationId::from_raw(self.ids.next());
        let mut uow = self.store.begin(Durability::Full).await?;
        let new = NewNotification {
            id,
            workspace: ended.workspace.clone(),
            user: ended.user.clone(),
            operation: ended.operation,
            attempt: ended.attempt,
            payload: ended.payload.clone(),
            created_at: now,
        };
        if uow.notifications().add(&new).await? {
            let payload = serde_json::json!({
                "id": id.to_string(),
                "operation_id": ended.operation.to_string(),
                "created_at": timestamp(now),
                "payload": ended.payload,
            });
            let (workspace, user) = (&ended.workspace, &ended.user);
            let operation = Some(ended.operation);
            uow.notifications()
                .append_event(workspace, user, "notification", operation, &payload, now)
                .await?;
        }
        uow.inbox().complete(delivery, now).await?;
        uow.commit().await?;
        crash::point("notify.stored");
        self.wake.publish(Topic::Feed(
            ended.workspace.to_string(),
            ended.user.to_string(),
        ));
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

fn timestamp(at: Instant) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
