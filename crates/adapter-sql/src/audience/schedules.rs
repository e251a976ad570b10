//! When audiences are refreshed by themselves.

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    audience::{Audience, RefreshTimes},
    shared::{AudienceId, Instant, WorkspaceId},
};
use ports::{
    StoreError,
    store::{DueRefresh, ScheduleRepository},
};

use super::{Conn, direct};
use crate::{
    core::{
        error::store,
        types::{At, UtcMillis},
    },
    schema::audience::audience_schedules,
};

/// The next refreshes of one transaction.
pub(super) struct Schedules<'c>(pub(super) &'c mut Conn);

/// Other times count from now on. Where they are the same, one that has come stays due.
const KEEP: &str = "
    INSERT INTO audience_schedules (audience, workspace, times, next_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (audience) DO UPDATE SET times = excluded.times, next_at = excluded.next_at
    WHERE audience_schedules.times <> excluded.times";

/// Keeps the next refresh of an audience as it is saved.
pub(super) async fn keep(conn: &mut Conn, audience: &Audience) -> Result<(), StoreError> {
    let times = audience
        .refresh_times()
        .map_err(|_| StoreError::Corrupt("times of an audience"))?;
    let next =
        |times: RefreshTimes| Some((times.to_string(), times.next_after(audience.updated_at)?));
    let id = audience.id.raw();
    let Some((times, next)) = times.and_then(next) else {
        return diesel::delete(audience_schedules::table.find(id))
            .execute(conn)
            .await
            .map_err(store)
            .map(drop);
    };
    sql_query(KEEP)
        .bind::<BigInt, _>(id)
        .bind::<Text, _>(audience.workspace.as_str())
        .bind::<Text, _>(times)
        .bind::<UtcMillis, _>(At(next))
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

/// Refreshes that are due, the longest overdue first.
pub(super) async fn due(
    conn: &mut Conn,
    now: Instant,
    limit: usize,
) -> Result<Vec<DueRefresh>, StoreError> {
    let rows: Vec<(String, i64, At)> = audience_schedules::table
        .filter(audience_schedules::next_at.le(At(now)))
        .order((audience_schedules::next_at, audience_schedules::audience))
        .limit(direct::limit(limit))
        .select((
            audience_schedules::workspace,
            audience_schedules::audience,
            audience_schedules::next_at,
        ))
        .load(conn)
        .await
        .map_err(store)?;
    let due = |(workspace, audience, since): (String, i64, At)| {
        let corrupt = |_| StoreError::Corrupt("workspace of a schedule");
        Ok(DueRefresh {
            workspace: WorkspaceId::parse(&workspace).map_err(corrupt)?,
            audience: AudienceId::from_raw(audience),
            since: since.0,
        })
    };
    rows.into_iter().map(due).collect()
}

/// The next refresh of an audience.
pub(super) async fn next(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    audience: AudienceId,
) -> Result<Option<Instant>, StoreError> {
    audience_schedules::table
        .find(audience.raw())
        .filter(audience_schedules::workspace.eq(workspace.as_str()))
        .select(audience_schedules::next_at)
        .first::<At>(conn)
        .await
        .optional()
        .map_err(store)
        .map(|next| next.map(|at| at.0))
}

#[async_trait]
impl ScheduleRepository for Schedules<'_> {
    async fn reschedule(
        &mut self,
        due: &DueRefresh,
        next: Option<Instant>,
    ) -> Result<bool, StoreError> {
        let still = audience_schedules::table
            .find(due.audience.raw())
            .filter(audience_schedules::workspace.eq(due.workspace.as_str()))
            .filter(audience_schedules::next_at.eq(At(due.since)));
        let changed = match next {
            Some(next) => {
                diesel::update(still)
                    .set(audience_schedules::next_at.eq(At(next)))
                    .execute(self.0)
                    .await
            }
            None => diesel::delete(still).execute(self.0).await,
        };
        Ok(changed.map_err(store)? > 0)
    }
}
