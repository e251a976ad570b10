//! Who was a member of an audience, and when.

use async_trait::async_trait;
use chrono::TimeDelta;
use diesel::{
    dsl::sql,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    audience::{Departure, Refreshed},
    shared::{AudienceId, Epoch, Instant, OperationId, WorkspaceId},
};
use ports::{
    StoreError,
    store::{MembershipQueries, MembershipRepository, REFRESHES_KEPT, Stay},
};

use super::{
    Backend, Conn, Db,
    json_rows::{BatchRow, Column, Value, batch_row, columns, json, replaced, rows as table},
    member_changes,
};
use crate::{
    core::{error::store, types::At},
    schema::audience::{audience_departures as departures, audience_refreshes as refreshes},
};

/// Rows written by one statement.
const BATCH: usize = 1_000;
/// How long batches of changes are one row.
const TOGETHER: TimeDelta = TimeDelta::minutes(1);
/// The number of the row that a departure is by, if it is noted.
const LEFT_BY: &str = "(SELECT r.request FROM audience_refreshes r WHERE r.audience = audience_departures.audience \
     AND r.request = (SELECT min(n.request) FROM audience_refreshes n \
         WHERE n.audience = audience_departures.audience AND n.request >= audience_departures.departed) \
     AND r.first_request <= audience_departures.departed)";

/// The history of one transaction.
pub(super) struct Memberships<'c>(pub(super) &'c mut Conn);

batch_row! {
    struct NewDeparture<'a> {
        member_key: &'a str,
        entered: i64,
        departed: i64,
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = refreshes)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct RefreshRow {
    audience: i64,
    request: i64,
    operation: Option<i64>,
    cause: String,
    epoch: i64,
    began_at: At,
    shown_at: At,
    size: i64,
    entered: i64,
    departed: i64,
    changed: i64,
    bytes: Option<i64>,
}

impl TryFrom<RefreshRow> for Refreshed {
    type Error = StoreError;

    fn try_from(row: RefreshRow) -> Result<Self, StoreError> {
        Ok(Self {
            audience: AudienceId::from_raw(row.audience),
            request: row.request,
            operation: row.operation.map(OperationId::from_raw),
            cause: row
                .cause
                .parse()
                .map_err(|()| StoreError::Corrupt("cause of a refresh"))?,
            epoch: Epoch(row.epoch),
            began_at: row.began_at.0,
            shown_at: row.shown_at.0,
            size: row.size,
            entered: row.entered,
            left: row.departed,
            changed: row.changed,
            bytes: row.bytes,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = departures)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct DepartureRow {
    member_key: String,
    entered: i64,
    departed: i64,
}

impl From<DepartureRow> for Departure {
    fn from(row: DepartureRow) -> Self {
        Self {
            key: row.member_key,
            entered: row.entered,
            left: row.departed,
        }
    }
}

#[async_trait]
impl MembershipRepository for Memberships<'_> {
    async fn depart(&mut self, audience: AudienceId, left: &[Departure]) -> Result<(), StoreError> {
        let (columns, table) = (
            columns::<NewDeparture<'_>>(),
            table::<NewDeparture<'_>>("$2"),
        );
        let replaced = replaced::<NewDeparture<'_>>(&["member_key", "entered"]);
        let text = format!(
            "INSERT INTO audience_departures (audience, {columns})
             SELECT $1, {columns} FROM {table} WHERE true
             ON CONFLICT (audience, member_key, entered) DO UPDATE SET {replaced}"
        );
        for batch in left.chunks(BATCH) {
            let rows: Vec<NewDeparture<'_>> = batch
                .iter()
                .map(|departure| NewDeparture {
                    member_key: &departure.key,
                    entered: departure.entered,
                    departed: departure.left,
                })
                .collect();
            sql_query(&text)
                .bind::<BigInt, _>(audience.raw())
                .bind::<Text, _>(json(&rows)?)
                .execute(self.0)
                .await
                .map_err(store)?;
        }
        Ok(())
    }

    async fn discard_unseen(&mut self, audience: AudienceId) -> Result<(), StoreError> {
        let last: Option<i64> = refreshes::table
            .filter(refreshes::audience.eq(audience.raw()))
            .select(diesel::dsl::max(refreshes::request))
            .first(self.0)
            .await
            .map_err(store)?;
        diesel::delete(departures::table)
            .filter(departures::audience.eq(audience.raw()))
            .filter(departures::departed.gt(last.unwrap_or_default()))
            .execute(self.0)
            .await
            .map_err(store)?;
        sql_query("DELETE FROM member_changes WHERE audience = $1 AND request > $2")
            .bind::<BigInt, _>(audience.raw())
            .bind::<BigInt, _>(last.unwrap_or_default())
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn queue_changes(
        &mut self,
        audience: AudienceId,
        request: i64,
        keys: &[&str],
    ) -> Result<(), StoreError> {
        member_changes::queue(self.0, audience, request, keys).await
    }

    async fn take_changes(
        &mut self,
        audience: AudienceId,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        member_changes::take(self.0, audience, limit).await
    }

    async fn note(&mut self, refreshed: &Refreshed) -> Result<(), StoreError> {
        if refreshed.operation.is_none() && self.joins_last(refreshed).await? {
            return Ok(());
        }
        diesel::insert_into(refreshes::table)
            .values((
                refreshes::audience.eq(refreshed.audience.raw()),
                refreshes::request.eq(refreshed.request),
                refreshes::operation.eq(refreshed.operation.map(OperationId::raw)),
                refreshes::cause.eq(refreshed.cause.as_str()),
                refreshes::epoch.eq(refreshed.epoch.0),
                refreshes::began_at.eq(At(refreshed.began_at)),
                refreshes::shown_at.eq(At(refreshed.shown_at)),
                refreshes::size.eq(refreshed.size),
                refreshes::entered.eq(refreshed.entered),
                refreshes::departed.eq(refreshed.left),
                refreshes::changed.eq(refreshed.changed),
                refreshes::bytes.eq(refreshed.bytes),
                refreshes::first_request.eq(refreshed.request),
            ))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }
}

impl Memberships<'_> {
    /// Adds a batch of changes to the row of those before it, while that is not older than a minute.
    async fn joins_last(&mut self, batch: &Refreshed) -> Result<bool, StoreError> {
        let last: Option<i64> = refreshes::table
            .filter(refreshes::audience.eq(batch.audience.raw()))
            .select(diesel::dsl::max(refreshes::request))
            .first(self.0)
            .await
            .map_err(store)?;
        let Some(last) = last else {
            return Ok(false);
        };
        let joined = diesel::update(refreshes::table.find((batch.audience.raw(), last)))
            .filter(refreshes::operation.is_null())
            .filter(refreshes::epoch.eq(batch.epoch.0))
            .filter(refreshes::began_at.gt(At(batch.began_at - TOGETHER)))
            .set((
                refreshes::request.eq(batch.request),
                refreshes::shown_at.eq(At(batch.shown_at)),
                refreshes::size.eq(batch.size),
                refreshes::entered.eq(refreshes::entered + batch.entered),
                refreshes::departed.eq(refreshes::departed + batch.left),
                refreshes::changed.eq(refreshes::changed + batch.changed),
            ))
            .execute(self.0)
            .await
            .map_err(store)?;
        Ok(joined > 0)
    }
}

#[async_trait]
impl MembershipQueries for Db {
    async fn refreshes(
        &self,
        audience: AudienceId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Refreshed>, StoreError> {
        let mut query = refreshes::table
            .filter(refreshes::audience.eq(audience.raw()))
            .filter(refreshes::operation.is_not_null())
            .order(refreshes::request.desc())
            .limit(limit)
            .select(RefreshRow::as_select())
            .into_boxed::<Backend>();
        if let Some(before) = before {
            query = query.filter(refreshes::request.lt(before));
        }
        let rows: Vec<RefreshRow> = query
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        rows.into_iter().map(Refreshed::try_from).collect()
    }

    async fn refresh(
        &self,
        audience: AudienceId,
        request: i64,
    ) -> Result<Option<Refreshed>, StoreError> {
        refreshes::table
            .filter(refreshes::audience.eq(audience.raw()))
            .filter(refreshes::request.ge(request))
            .order(refreshes::request)
            .select((RefreshRow::as_select(), refreshes::first_request))
            .first(&mut *self.reader().await?)
            .await
            .optional()
            .map_err(store)?
            .filter(|(_, first): &(RefreshRow, i64)| *first <= request)
            .map(|(row, _)| Refreshed::try_from(row))
            .transpose()
    }

    async fn refresh_at(
        &self,
        audience: AudienceId,
        at: Instant,
    ) -> Result<Option<Refreshed>, StoreError> {
        // They are shown in the order of their numbers.
        refreshes::table
            .filter(refreshes::audience.eq(audience.raw()))
            .filter(refreshes::shown_at.le(At(at)))
            .order(refreshes::request.desc())
            .select(RefreshRow::as_select())
            .first(&mut *self.reader().await?)
            .await
            .optional()
            .map_err(store)?
            .map(Refreshed::try_from)
            .transpose()
    }

    async fn changed_audiences(
        &self,
        limit: i64,
    ) -> Result<Vec<(WorkspaceId, AudienceId)>, StoreError> {
        member_changes::audiences(&mut *self.reader().await?, limit).await
    }

    async fn stays_of(&self, audience: AudienceId, key: &str) -> Result<Vec<Stay>, StoreError> {
        let seen = refreshes::audience.eq(departures::audience).and(
            refreshes::request
                .nullable()
                .eq(sql::<Nullable<BigInt>>(LEFT_BY)),
        );
        let rows: Vec<(DepartureRow, RefreshRow)> = departures::table
            .inner_join(refreshes::table.on(seen))
            .filter(departures::audience.eq(audience.raw()))
            .filter(departures::member_key.eq(key))
            .order(departures::entered)
            .select((DepartureRow::as_select(), RefreshRow::as_select()))
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        let stay = |(departure, left): (DepartureRow, RefreshRow)| {
            Ok(Stay {
                departure: departure.into(),
                left: left.try_into()?,
            })
        };
        rows.into_iter().map(stay).collect()
    }

    async fn departed_since(
        &self,
        audience: AudienceId,
        request: i64,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Departure>, StoreError> {
        let rows: Vec<DepartureRow> = departures::table
            .filter(sql::<Bool>(LEFT_BY).sql(" IS NOT NULL"))
            .filter(departures::audience.eq(audience.raw()))
            .filter(departures::member_key.gt(after.unwrap_or_default()))
            .filter(departures::entered.le(request))
            .filter(departures::departed.gt(request))
            .order((departures::member_key, departures::entered))
            .limit(limit)
            .select(DepartureRow::as_select())
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        Ok(rows.into_iter().map(Departure::from).collect())
    }
}

/// Refreshes that are out of date: whose successor readers saw before `$1` already.
fn expired(columns: &str) -> String {
    let last = REFRESHES_KEPT - 1;
    format!(
        "SELECT {columns} FROM audience_refreshes r
         WHERE r.shown_at < $1 AND EXISTS (
             SELECT 1 FROM audience_refreshes s
             WHERE s.audience = r.audience AND s.request > r.request AND s.shown_at < $1)
         AND r.request < (
             SELECT n.request FROM audience_refreshes n
             WHERE n.audience = r.audience AND n.operation IS NOT NULL
             ORDER BY n.request DESC LIMIT 1 OFFSET {last})"
    )
}

/// Deletes departures by refreshes that are out of date.
pub(in super::super) fn purge_departures() -> String {
    format!(
        "DELETE FROM audience_departures WHERE (audience, member_key, entered) IN (
             SELECT d.audience, d.member_key, d.entered FROM audience_departures d
             JOIN ({}) e ON d.audience = e.audience AND d.departed >= e.first_request AND d.departed <= e.request
             LIMIT $2)",
        expired("r.audience, r.first_request, r.request")
    )
}

/// Deletes refreshes that are out of date.
pub(in super::super) fn purge_refreshes() -> String {
    format!(
        "DELETE FROM audience_refreshes WHERE (audience, request) IN ({} LIMIT $2)",
        expired("r.audience, r.request")
    )
}
