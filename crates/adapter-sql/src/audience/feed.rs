//! Notifications and feeds of events.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    notification::Subject,
    shared::{Instant, NotificationId, UserId, WorkspaceId},
};
use ports::{
    StoreError,
    store::{NewNotification, Notification, NotificationFilter, NotificationRepository, UserEvent},
};
use serde_json::Value;

use super::{Backend, Conn, direct};
use crate::{
    core::{
        error::store,
        types::{At, Json},
    },
    schema::audience::{notifications, user_events, user_feeds},
};

/// Notifications of one transaction.
pub(super) struct Feed<'c>(pub(super) &'c mut Conn);

#[derive(Queryable, Selectable)]
#[diesel(table_name = notifications)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct NotificationRow {
    id: i64,
    kind: String,
    subject: String,
    occasion: i64,
    data: Json,
    created_at: At,
    read_at: Option<At>,
}

impl TryFrom<NotificationRow> for Notification {
    type Error = StoreError;

    fn try_from(row: NotificationRow) -> Result<Self, StoreError> {
        let corrupt = |()| StoreError::Corrupt("kind of a notification");
        Ok(Self {
            id: NotificationId::from_raw(row.id),
            subject: Subject {
                kind: row.kind.parse().map_err(corrupt)?,
                id: row.subject,
                occasion: row.occasion,
            },
            data: row.data.0,
            created_at: row.created_at.0,
            read_at: row.read_at.map(|at| at.0),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = user_events)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct EventRow {
    seq: i64,
    kind: String,
    data: Json,
    created_at: At,
}

impl From<EventRow> for UserEvent {
    fn from(row: EventRow) -> Self {
        Self {
            seq: row.seq,
            kind: row.kind,
            data: row.data.0,
            created_at: row.created_at.0,
        }
    }
}

/// The notifications of one user.
#[diesel::dsl::auto_type(no_type_alias)]
fn told<'a>(workspace: &'a WorkspaceId, user: &'a UserId) -> _ {
    let (workspace, user): (&'a str, &'a str) = (workspace.as_str(), user.as_str());
    notifications::table
        .filter(notifications::workspace.eq(workspace))
        .filter(notifications::user_id.eq(user))
}

/// The feed of one user.
#[diesel::dsl::auto_type(no_type_alias)]
fn events<'a>(workspace: &'a WorkspaceId, user: &'a UserId) -> _ {
    let (workspace, user): (&'a str, &'a str) = (workspace.as_str(), user.as_str());
    user_events::table
        .filter(user_events::workspace.eq(workspace))
        .filter(user_events::user_id.eq(user))
}

#[async_trait]
impl NotificationRepository for Feed<'_> {
    async fn add(&mut self, notification: &NewNotification) -> Result<bool, StoreError> {
        diesel::insert_into(notifications::table)
            .values((
                notifications::id.eq(notification.id.raw()),
                notifications::workspace.eq(notification.workspace.as_str()),
                notifications::user_id.eq(notification.user.as_str()),
                notifications::kind.eq(notification.subject.kind.as_str()),
                notifications::subject.eq(&notification.subject.id),
                notifications::occasion.eq(notification.subject.occasion),
                notifications::data.eq(Json(notification.data.clone())),
                notifications::created_at.eq(At(notification.created_at)),
            ))
            .on_conflict((
                notifications::workspace,
                notifications::kind,
                notifications::subject,
                notifications::occasion,
                notifications::user_id,
            ))
            .do_nothing()
            .execute(self.0)
            .await
            .map_err(store)
            .map(|rows| rows == 1)
    }

    async fn mark_read(
        &mut self,
        workspace: &WorkspaceId,
        user: &UserId,
        id: NotificationId,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let one = || told(workspace, user).filter(notifications::id.eq(id.raw()));
        let marked = diesel::update(one().filter(notifications::read_at.is_null()))
            .set(notifications::read_at.eq(Some(At(now))))
            .execute(self.0)
            .await
            .map_err(store)?;
        if marked == 1 {
            return Ok(true);
        }
        diesel::select(diesel::dsl::exists(one()))
            .get_result(self.0)
            .await
            .map_err(store)
    }

    async fn mark_all_read(
        &mut self,
        workspace: &WorkspaceId,
        user: &UserId,
        now: Instant,
    ) -> Result<i64, StoreError> {
        diesel::update(told(workspace, user).filter(notifications::read_at.is_null()))
            .set(notifications::read_at.eq(Some(At(now))))
            .execute(self.0)
            .await
            .map_err(store)
            .map(direct::limit)
    }

    async fn append_event(
        &mut self,
        workspace: &WorkspaceId,
        user: &UserId,
        kind: &str,
        data: &Value,
        now: Instant,
    ) -> Result<i64, StoreError> {
        let seq: i64 = diesel::insert_into(user_feeds::table)
            .values((
                user_feeds::workspace.eq(workspace.as_str()),
                user_feeds::user_id.eq(user.as_str()),
                user_feeds::last_seq.eq(1),
            ))
            .on_conflict((user_feeds::workspace, user_feeds::user_id))
            .do_update()
            .set(user_feeds::last_seq.eq(user_feeds::last_seq + 1))
            .returning(user_feeds::last_seq)
            .get_result(self.0)
            .await
            .map_err(store)?;
        diesel::insert_into(user_events::table)
            .values((
                user_events::workspace.eq(workspace.as_str()),
                user_events::user_id.eq(user.as_str()),
                user_events::seq.eq(seq),
                user_events::kind.eq(kind),
                user_events::data.eq(Json(data.clone())),
                user_events::created_at.eq(At(now)),
            ))
            .execute(self.0)
            .await
            .map_err(store)?;
        Ok(seq)
    }

    async fn purge_events(&mut self, before: Instant, limit: i64) -> Result<i64, StoreError> {
        let limit = usize::try_from(limit).unwrap_or_default();
        let gone = direct::purge(self.0, PURGE, before, limit).await?;
        Ok(i64::try_from(gone).unwrap_or(i64::MAX))
    }
}

/// Deletes events of feeds.
pub(in super::super) const PURGE: &str = "
    DELETE FROM user_events WHERE (workspace, user_id, seq) IN (
        SELECT workspace, user_id, seq FROM user_events
        WHERE created_at < $1 ORDER BY created_at LIMIT $2)";

/// A page of a user's notifications, newest first.
pub(super) async fn list(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    user: &UserId,
    filter: &NotificationFilter,
) -> Result<Vec<Notification>, StoreError> {
    let mut query = told(workspace, user)
        .order(notifications::id.desc())
        .limit(filter.limit)
        .select(NotificationRow::as_select())
        .into_boxed::<Backend>();
    if filter.unread {
        query = query.filter(notifications::read_at.is_null());
    }
    if let Some(before) = filter.before {
        query = query.filter(notifications::id.lt(before.raw()));
    }
    let rows: Vec<NotificationRow> = query.load(conn).await.map_err(store)?;
    rows.into_iter().map(Notification::try_from).collect()
}

/// How many of a user's notifications are unread.
pub(super) async fn unread_count(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    user: &UserId,
) -> Result<i64, StoreError> {
    told(workspace, user)
        .filter(notifications::read_at.is_null())
        .count()
        .get_result(conn)
        .await
        .map_err(store)
}

/// A user's events after a position, oldest first.
pub(super) async fn events_after(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    user: &UserId,
    after: i64,
    limit: i64,
) -> Result<Vec<UserEvent>, StoreError> {
    let rows: Vec<EventRow> = events(workspace, user)
        .filter(user_events::seq.gt(after))
        .order(user_events::seq)
        .limit(limit)
        .select(EventRow::as_select())
        .load(conn)
        .await
        .map_err(store)?;
    Ok(rows.into_iter().map(UserEvent::from).collect())
}

/// First and last position of a user's feed that are kept.
pub(super) async fn event_range(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    user: &UserId,
) -> Result<Option<(i64, i64)>, StoreError> {
    let (first, last): (Option<i64>, Option<i64>) = events(workspace, user)
        .select((
            diesel::dsl::min(user_events::seq),
            diesel::dsl::max(user_events::seq),
        ))
        .get_result(conn)
        .await
        .map_err(store)?;
    Ok(first.zip(last))
}
