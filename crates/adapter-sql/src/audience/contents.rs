//! Contents: counts, request numbers, and the write lock.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    audience::Visibility,
    shared::{AudienceId, Epoch, Instant, OperationId, RemovalNo, WriteNo},
};
use ports::{
    StoreError,
    contacts::ContentKey,
    store::{
        Content, ContentDelta, ContentRepository, NewRemoval, NewWrite, OpenWrite, Removal,
        WriteIntent,
    },
};

use super::{
    Conn,
    content_keys::{key, raw},
    intents, removals,
};
use crate::{
    core::{
        error::store,
        types::{At, Json},
    },
    schema::audience::{audience_contents, audiences},
};

/// Contents of one transaction.
pub(super) struct Contents<'c>(pub(super) &'c mut Conn);

#[derive(Queryable, Selectable)]
#[diesel(table_name = audience_contents)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct ContentRow {
    audience: i64,
    epoch: i64,
    contacts: i64,
    next_request: i64,
    first_request: i64,
    revision: i64,
    active: Json,
}

impl TryFrom<ContentRow> for Content {
    type Error = StoreError;

    fn try_from(row: ContentRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: key(row.audience, row.epoch),
            contacts: row.contacts,
            next_request: row.next_request,
            first_request: row.first_request,
            revision: row.revision,
            active: serde_json::from_value(row.active.0)
                .map_err(|_| StoreError::Corrupt("active removals of a content"))?,
        })
    }
}

/// One content.
pub(super) async fn get(conn: &mut Conn, key: ContentKey) -> Result<Option<Content>, StoreError> {
    audience_contents::table
        .find(raw(key))
        .select(ContentRow::as_select())
        .first(conn)
        .await
        .optional()
        .map_err(store)?
        .map(Content::try_from)
        .transpose()
}

/// Adds a content whose next request gets the number `next_request`, and to which the rows of requests
/// from `first_request` on belong.
pub(super) async fn insert(
    conn: &mut Conn,
    key: ContentKey,
    contacts: i64,
    (first_request, next_request): (i64, i64),
) -> Result<Content, StoreError> {
    diesel::insert_into(audience_contents::table)
        .values((
            audience_contents::audience.eq(key.audience.raw()),
            audience_contents::epoch.eq(key.epoch.0),
            audience_contents::contacts.eq(contacts),
            audience_contents::next_request.eq(next_request),
            audience_contents::first_request.eq(first_request),
            audience_contents::next_removal.eq(RemovalNo::PERMANENT.0 + 1),
            audience_contents::revision.eq(1),
            audience_contents::active.eq(Json(serde_json::Value::Array(Vec::new()))),
        ))
        .returning(ContentRow::as_returning())
        .get_result(conn)
        .await
        .map_err(store)?
        .try_into()
}

/// Shows a content's count in its audience, if it is the audience's current one.
async fn mirror(
    conn: &mut Conn,
    key: ContentKey,
    contacts: i64,
    now: Option<Instant>,
) -> Result<(), StoreError> {
    let (audience, epoch) = raw(key);
    let updated_at = now.map(|now| audiences::updated_at.eq(At(now)));
    diesel::update(audiences::table.find(audience))
        .filter(audiences::epoch.eq(epoch))
        .set((audiences::contacts.eq(contacts), updated_at))
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

#[async_trait]
impl ContentRepository for Contents<'_> {
    async fn add(&mut self, audience: AudienceId) -> Result<Content, StoreError> {
        let epoch = diesel::update(audiences::table.find(audience.raw()))
            .set(audiences::last_epoch.eq(audiences::last_epoch + 1))
            .returning(audiences::last_epoch)
            .get_result(self.0)
            .await
            .optional()
            .map_err(store)?
            .ok_or(StoreError::Conflict {
                constraint: ports::constraint::OTHER,
            })?;
        let next_request: Option<i64> = audience_contents::table
            .filter(audience_contents::audience.eq(audience.raw()))
            .select(diesel::dsl::max(audience_contents::next_request))
            .first(self.0)
            .await
            .map_err(store)?;
        let key = key(audience.raw(), epoch);
        let next = next_request.unwrap_or(1);
        insert(self.0, key, 0, (next, next)).await
    }

    async fn get(&mut self, key: ContentKey) -> Result<Option<Content>, StoreError> {
        get(self.0, key).await
    }

    async fn take_requests(&mut self, key: ContentKey, count: i64) -> Result<i64, StoreError> {
        let next: i64 = diesel::update(audience_contents::table.find(raw(key)))
            .set(audience_contents::next_request.eq(audience_contents::next_request + count))
            .returning(audience_contents::next_request)
            .get_result(self.0)
            .await
            .optional()
            .map_err(store)?
            .ok_or(StoreError::StaleVersion)?;
        Ok(next - count)
    }

    async fn open_write(
        &mut self,
        key: ContentKey,
        write: &NewWrite,
    ) -> Result<OpenWrite, StoreError> {
        use audience_contents::{next_request, open_write};
        let (audience, epoch) = raw(key);
        let current = || {
            audiences::table
                .find(audience)
                .filter(audiences::epoch.eq(epoch))
                .filter(audiences::visibility.ne(Visibility::Abandoned.as_str()))
        };
        loop {
            let opened: Option<ContentRow> =
                diesel::update(audience_contents::table.find(raw(key)))
                    .filter(open_write.is_null())
                    .filter(diesel::dsl::exists(current()))
                    .set((
                        open_write.eq(write.write.0),
                        next_request.eq(next_request + write.requests),
                    ))
                    .returning(ContentRow::as_returning())
                    .get_result(self.0)
                    .await
                    .optional()
                    .map_err(store)?;
            if let Some(row) = opened {
                let first_request = row.next_request - write.requests;
                intents::insert(self.0, key, write, first_request).await?;
                return Ok(OpenWrite::Opened {
                    content: row.try_into()?,
                    first_request,
                });
            }
            if let Some((intent, lapsed)) = intents::open_of(self.0, key).await? {
                return Ok(OpenWrite::Busy { intent, lapsed });
            }
            let there = get(self.0, key).await?.is_some();
            let pointed_at: i64 = current().count().get_result(self.0).await.map_err(store)?;
            if !there || pointed_at == 0 {
                return Ok(OpenWrite::Gone);
            }
            // It was closed between the two statements.
        }
    }

    async fn close_write(
        &mut self,
        key: ContentKey,
        write: WriteNo,
        owner: &str,
        delta: &ContentDelta,
        now: Instant,
    ) -> Result<Content, StoreError> {
        use audience_contents::{contacts, open_write, revision};
        let content: Content = diesel::update(audience_contents::table.find(raw(key)))
            .filter(open_write.eq_any(intents::held_by(write.0, owner)))
            .set((
                open_write.eq(None::<i64>),
                contacts.eq(contacts + delta.contacts),
                revision.eq(revision + 1),
            ))
            .returning(ContentRow::as_returning())
            .get_result(self.0)
            .await
            .optional()
            .map_err(store)?
            .ok_or(StoreError::StaleVersion)?
            .try_into()?;
        intents::end(self.0, key, write, content.revision).await?;
        for (removal, revived) in &delta.revived {
            removals::reveal(self.0, key, *removal, *revived).await?;
        }
        mirror(self.0, key, content.contacts, Some(now)).await?;
        Ok(content)
    }

    async fn adopt_write(
        &mut self,
        seen: &WriteIntent,
        new_owner: &str,
        lease_seconds: u32,
    ) -> Result<(), StoreError> {
        intents::adopt(self.0, seen, new_owner, lease_seconds).await
    }

    async fn touched_since(
        &mut self,
        key: ContentKey,
        removal: RemovalNo,
        after: Option<WriteNo>,
        limit: i64,
    ) -> Result<Vec<WriteIntent>, StoreError> {
        let began = removals::began(self.0, key, removal).await?;
        intents::ended_since(self.0, key, began, after, limit).await
    }

    async fn begin_removal(&mut self, removal: NewRemoval) -> Result<Removal, StoreError> {
        removals::begin(self.0, removal).await
    }

    async fn removals(&mut self, key: ContentKey) -> Result<Vec<Removal>, StoreError> {
        removals::list(self.0, key).await
    }

    async fn removal_of(&mut self, operation: OperationId) -> Result<Option<Removal>, StoreError> {
        removals::of_operation(self.0, operation).await
    }

    async fn save_removal(&mut self, removal: &Removal) -> Result<(), StoreError> {
        removals::save(self.0, removal).await?;
        intents::forget_ended(self.0, removal.key).await
    }

    async fn set_active(
        &mut self,
        key: ContentKey,
        active: &[RemovalNo],
        contacts_delta: i64,
        expected_revision: i64,
        now: Instant,
    ) -> Result<Content, StoreError> {
        use audience_contents::{contacts, revision};
        let active: Vec<i64> = active.iter().map(|no| no.0).collect();
        let content: Content = diesel::update(audience_contents::table.find(raw(key)))
            .filter(revision.eq(expected_revision))
            .set((
                audience_contents::active.eq(Json(active.into())),
                contacts.eq(contacts + contacts_delta),
                revision.eq(revision + 1),
            ))
            .returning(ContentRow::as_returning())
            .get_result(self.0)
            .await
            .optional()
            .map_err(store)?
            .ok_or(StoreError::StaleVersion)?
            .try_into()?;
        mirror(self.0, key, content.contacts, Some(now)).await?;
        Ok(content)
    }

    async fn epochs(&mut self, audience: AudienceId) -> Result<Vec<Epoch>, StoreError> {
        let epochs: Vec<i64> = audience_contents::table
            .filter(audience_contents::audience.eq(audience.raw()))
            .order(audience_contents::epoch)
            .select(audience_contents::epoch)
            .load(self.0)
            .await
            .map_err(store)?;
        Ok(epochs.into_iter().map(Epoch).collect())
    }

    async fn forget(&mut self, key: ContentKey) -> Result<(), StoreError> {
        intents::forget(self.0, key).await?;
        removals::forget(self.0, key).await?;
        diesel::delete(audience_contents::table.find(raw(key)))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }
}
