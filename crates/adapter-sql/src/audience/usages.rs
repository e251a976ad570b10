//! What uses audiences.

use async_trait::async_trait;
use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    audience::Usage,
    shared::{AudienceId, WorkspaceId},
};
use ports::{
    StoreError,
    store::{Referring, UsageChange, UsageRepository},
};

use super::{Backend, Conn, dialect, references};
use crate::{
    core::{error::store, types::At},
    schema::audience::{audience_references, audience_usages, audiences},
};

/// How long what is not in use any more is kept: longer than deliveries of events go on.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Usages of one transaction.
pub(super) struct Usages<'c>(pub(super) &'c mut Conn);

#[async_trait]
impl UsageRepository for Usages<'_> {
    async fn change(
        &mut self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        change: &UsageChange,
    ) -> Result<bool, StoreError> {
        let own = audiences::table
            .find(audience.raw())
            .filter(audiences::workspace.eq(workspace.as_str()));
        // The row is locked before anything is read.
        let locked = diesel::update(own)
            .set(audiences::resource.eq(audiences::resource))
            .execute(self.0)
            .await
            .map_err(store)?;
        if locked == 0 {
            return Ok(false);
        }
        let key = (audience.raw(), &*change.usage.kind, &*change.usage.id);
        let known: Option<(i32, i64)> = audience_usages::table
            .find(key)
            .select((audience_usages::in_use, audience_usages::version))
            .first(self.0)
            .await
            .optional()
            .map_err(store)?;
        let latest = known.map_or(0, |(_, version)| version);
        if change.version.is_some_and(|version| version <= latest) {
            return Ok(false);
        }
        self.put(workspace, audience, change, latest).await?;
        self.forget(audience, At(change.at - KEPT)).await?;
        let resources: i64 = audience_usages::table
            .filter(audience_usages::audience.eq(audience.raw()))
            .filter(audience_usages::in_use.eq(1))
            .filter(audience_usages::resource.eq(1))
            .count()
            .get_result(self.0)
            .await
            .map_err(store)?;
        diesel::update(audiences::table.find(audience.raw()))
            .set(audiences::resource.eq(i32::from(resources > 0)))
            .execute(self.0)
            .await
            .map_err(store)?;
        Ok(change.in_use && known.is_none_or(|(in_use, _)| in_use == 0))
    }

    async fn list(
        &mut self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        limit: i64,
    ) -> Result<Vec<Usage>, StoreError> {
        list(self.0, workspace, audience, None, limit).await
    }

    async fn referring(
        &mut self,
        workspace: &WorkspaceId,
        ids: &[AudienceId],
    ) -> Result<Vec<Referring>, StoreError> {
        references::referring(self.0, workspace, ids, dialect::SHARE).await
    }
}

impl Usages<'_> {
    async fn put(
        &mut self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        change: &UsageChange,
        latest: i64,
    ) -> Result<(), StoreError> {
        let usage = &change.usage;
        let values = (
            audience_usages::name.eq(usage.name.as_str()),
            audience_usages::resource.eq(i32::from(usage.resource)),
            audience_usages::in_use.eq(i32::from(change.in_use)),
            audience_usages::version.eq(change.version.unwrap_or(latest)),
            audience_usages::changed_at.eq(At(change.at)),
        );
        diesel::insert_into(audience_usages::table)
            .values((
                audience_usages::workspace.eq(workspace.as_str()),
                audience_usages::audience.eq(audience.raw()),
                audience_usages::kind.eq(usage.kind.as_str()),
                audience_usages::id.eq(usage.id.as_str()),
                values,
            ))
            .on_conflict((
                audience_usages::audience,
                audience_usages::kind,
                audience_usages::id,
            ))
            .do_update()
            .set(values)
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    /// Deletes what is not in use since then.
    async fn forget(&mut self, audience: AudienceId, since: At) -> Result<(), StoreError> {
        let old = audience_usages::table
            .filter(audience_usages::audience.eq(audience.raw()))
            .filter(audience_usages::in_use.eq(0))
            .filter(audience_usages::changed_at.lt(since));
        let deleted = diesel::delete(old).execute(self.0).await;
        deleted.map_err(store).map(drop)
    }
}

/// What uses an audience, after a usage, in the order of kinds and ids.
pub(super) async fn list(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    audience: AudienceId,
    after: Option<&Usage>,
    limit: i64,
) -> Result<Vec<Usage>, StoreError> {
    let mut told = told(conn, workspace, audience, after, limit).await?;
    let is_past = after.is_some_and(|after| *after.kind > *Usage::AUDIENCE);
    if !is_past {
        let after = after.filter(|after| after.kind == Usage::AUDIENCE);
        let after = after.and_then(|after| after.id.parse().ok());
        let referring = named_by(conn, workspace, audience, after, limit).await?;
        let place = told.partition_point(|usage| *usage.kind < *Usage::AUDIENCE);
        told.splice(place..place, referring);
    }
    told.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(told)
}

/// What something outside told.
async fn told(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    audience: AudienceId,
    after: Option<&Usage>,
    limit: i64,
) -> Result<Vec<Usage>, StoreError> {
    let mut query = audience_usages::table
        .filter(audience_usages::workspace.eq(workspace.as_str()))
        .filter(audience_usages::audience.eq(audience.raw()))
        .filter(audience_usages::in_use.eq(1))
        .into_boxed::<Backend>();
    if let Some(after) = after {
        let (kind, id) = (after.kind.as_str(), after.id.as_str());
        let same = audience_usages::kind
            .eq(kind)
            .and(audience_usages::id.gt(id));
        query = query.filter(audience_usages::kind.gt(kind).or(same));
    }
    let rows: Vec<(String, String, String, i32)> = query
        .order((audience_usages::kind.asc(), audience_usages::id.asc()))
        .limit(limit)
        .select((
            audience_usages::kind,
            audience_usages::id,
            audience_usages::name,
            audience_usages::resource,
        ))
        .load(conn)
        .await
        .map_err(store)?;
    let usage = |(kind, id, name, resource): (String, String, String, i32)| Usage {
        kind,
        id,
        name,
        resource: resource != 0,
    };
    Ok(rows.into_iter().map(usage).collect())
}

/// Live audiences whose conditions name it.
async fn named_by(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    audience: AudienceId,
    after: Option<AudienceId>,
    limit: i64,
) -> Result<Vec<Usage>, StoreError> {
    let mut query = audience_references::table
        .inner_join(audiences::table.on(audiences::id.eq(audience_references::audience)))
        .filter(audience_references::workspace.eq(workspace.as_str()))
        .filter(audience_references::refers_to.eq(audience.raw()))
        .filter(audiences::visibility.eq("ready"))
        .filter(audiences::deleted_at.is_null())
        .into_boxed::<Backend>();
    if let Some(after) = after {
        query = query.filter(audience_references::audience.gt(after.raw()));
    }
    let rows: Vec<(i64, String)> = query
        .order(audience_references::audience.asc())
        .limit(limit)
        .select((audience_references::audience, audiences::name))
        .load(conn)
        .await
        .map_err(store)?;
    let usage = |(id, name): (i64, String)| Usage {
        kind: Usage::AUDIENCE.to_owned(),
        id: AudienceId::from_raw(id).to_string(),
        name,
        resource: false,
    };
    Ok(rows.into_iter().map(usage).collect())
}
