//! Removals of contents.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::shared::{AudienceId, Epoch, OperationId, RemovalNo};
use ports::{
    StoreError,
    contacts::ContentKey,
    store::{NewRemoval, Removal, RemovalState},
};

use super::{Conn, content_keys::raw};
use crate::{
    core::{
        error::{changed_one, store},
        types::{At, Json},
    },
    schema::audience::{audience_contents, removals},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = removals)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct RemovalRow {
    audience: i64,
    epoch: i64,
    no: i64,
    operation: i64,
    state: String,
    hidden: i64,
    by_reason: Json,
    active_since: Option<At>,
}

const BUILDING: &str = "building";

const fn state_text(state: RemovalState) -> &'static str {
    match state {
        RemovalState::Building => BUILDING,
        RemovalState::Active => "active",
        RemovalState::Withdrawn => "withdrawn",
        RemovalState::Expired => "expired",
        RemovalState::Purged => "purged",
    }
}

fn parse_state(text: &str) -> Result<RemovalState, StoreError> {
    Ok(match text {
        BUILDING => RemovalState::Building,
        "active" => RemovalState::Active,
        "withdrawn" => RemovalState::Withdrawn,
        "expired" => RemovalState::Expired,
        "purged" => RemovalState::Purged,
        _ => return Err(StoreError::Corrupt("state of a removal")),
    })
}

impl TryFrom<RemovalRow> for Removal {
    type Error = StoreError;

    fn try_from(row: RemovalRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: ContentKey {
                audience: AudienceId::from_raw(row.audience),
                epoch: Epoch(row.epoch),
            },
            no: RemovalNo(row.no),
            operation: OperationId::from_raw(row.operation),
            state: parse_state(&row.state)?,
            hidden: row.hidden,
            by_reason: serde_json::from_value(row.by_reason.0)
                .map_err(|_| StoreError::Corrupt("reasons of a removal"))?,
            active_since: row.active_since.map(|at| at.0),
        })
    }
}

/// The removals of a content that are being built.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn building(audience: i64, epoch: i64) -> _ {
    let building: &'static str = BUILDING;
    removals::table
        .filter(removals::audience.eq(audience))
        .filter(removals::epoch.eq(epoch))
        .filter(removals::state.eq(building))
}

/// Begins a removal, once per operation; anew where it was withdrawn. Its tombstones may be deleted by
/// then, or are being deleted: nothing that was counted by them stands.
pub(super) async fn begin(conn: &mut Conn, removal: NewRemoval) -> Result<Removal, StoreError> {
    let content = audience_contents::table.find(raw(removal.key));
    // Locks the content: a replica that took the operation over waits for the one before it, and then
    // sees what that one began.
    let locked: Option<(i64, i64)> = diesel::update(content)
        .set(audience_contents::next_removal.eq(audience_contents::next_removal))
        .returning((audience_contents::next_removal, audience_contents::revision))
        .get_result(conn)
        .await
        .optional()
        .map_err(store)?;
    match of_operation(conn, removal.operation).await? {
        Some(begun) if !matches!(begun.state, RemovalState::Withdrawn | RemovalState::Purged) => {
            return Ok(begun);
        }
        Some(_) => {
            diesel::delete(removals::table)
                .filter(removals::operation.eq(removal.operation.raw()))
                .execute(conn)
                .await
                .map_err(store)?;
        }
        None => {}
    }
    let (no, revision) = locked.ok_or(StoreError::StaleVersion)?;
    diesel::update(content)
        .set(audience_contents::next_removal.eq(no + 1))
        .execute(conn)
        .await
        .map_err(store)?;
    diesel::insert_into(removals::table)
        .values((
            removals::audience.eq(removal.key.audience.raw()),
            removals::epoch.eq(removal.key.epoch.0),
            removals::no.eq(no),
            removals::operation.eq(removal.operation.raw()),
            removals::state.eq(BUILDING),
            removals::hidden.eq(0),
            removals::by_reason.eq(Json(serde_json::Value::Object(serde_json::Map::new()))),
            removals::began_revision.eq(revision),
        ))
        .returning(RemovalRow::as_returning())
        .get_result(conn)
        .await
        .map_err(store)?
        .try_into()
}

/// The removals of a content, oldest first.
pub(super) async fn list(conn: &mut Conn, key: ContentKey) -> Result<Vec<Removal>, StoreError> {
    let rows: Vec<RemovalRow> = removals::table
        .filter(removals::audience.eq(key.audience.raw()))
        .filter(removals::epoch.eq(key.epoch.0))
        .order(removals::no)
        .select(RemovalRow::as_select())
        .load(conn)
        .await
        .map_err(store)?;
    rows.into_iter().map(Removal::try_from).collect()
}

/// The removal that an operation made.
pub(super) async fn of_operation(
    conn: &mut Conn,
    operation: OperationId,
) -> Result<Option<Removal>, StoreError> {
    removals::table
        .filter(removals::operation.eq(operation.raw()))
        .select(RemovalRow::as_select())
        .first(conn)
        .await
        .optional()
        .map_err(store)?
        .map(Removal::try_from)
        .transpose()
}

/// The revision of the content at which a removal began.
pub(super) async fn began(
    conn: &mut Conn,
    key: ContentKey,
    removal: RemovalNo,
) -> Result<i64, StoreError> {
    let (audience, epoch) = raw(key);
    removals::table
        .find((audience, epoch, removal.0))
        .select(removals::began_revision)
        .first(conn)
        .await
        .optional()
        .map_err(store)?
        .ok_or(StoreError::StaleVersion)
}

/// Writes what changes in a removal.
pub(super) async fn save(conn: &mut Conn, removal: &Removal) -> Result<(), StoreError> {
    let (audience, epoch) = raw(removal.key);
    let by_reason =
        serde_json::to_value(&removal.by_reason).map_err(|e| StoreError::Internal(Box::new(e)))?;
    diesel::update(removals::table.find((audience, epoch, removal.no.0)))
        .set((
            removals::state.eq(state_text(removal.state)),
            removals::hidden.eq(removal.hidden),
            removals::by_reason.eq(Json(by_reason)),
            removals::active_since.eq(removal.active_since.map(At)),
        ))
        .execute(conn)
        .await
        .map_err(store)
        .and_then(changed_one)
}

/// Counts contacts that a removal does not hide any more. The permanent one has no row.
pub(super) async fn reveal(
    conn: &mut Conn,
    key: ContentKey,
    removal: RemovalNo,
    contacts: i64,
) -> Result<(), StoreError> {
    let (audience, epoch) = raw(key);
    diesel::update(removals::table.find((audience, epoch, removal.0)))
        .set(removals::hidden.eq(removals::hidden - contacts))
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

/// Deletes the removals of a content.
pub(super) async fn forget(conn: &mut Conn, key: ContentKey) -> Result<(), StoreError> {
    diesel::delete(removals::table)
        .filter(removals::audience.eq(key.audience.raw()))
        .filter(removals::epoch.eq(key.epoch.0))
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}
