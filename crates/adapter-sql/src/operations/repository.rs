//! Long operations.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    operation::{Operation, OperationKind, OperationState},
    shared::{AudienceId, Instant, OperationId, WorkspaceId},
};
use ports::{
    StoreError,
    store::{
        Claimed, Lease, LeaseError, NewOperation, OperationFilter, OperationRepository,
        OperationUpdate,
    },
};

use super::{
    Backend, Conn, claims, dialect,
    rows::{Changes, OperationRow},
};
use crate::{
    core::{
        error::{changed_one, store},
        types::{At, Json},
    },
    schema::operations::{idempotency, operations},
};

/// Operations of one transaction.
pub(super) struct Operations<'c>(pub(super) &'c mut Conn);

/// The states that have not ended.
fn live() -> Vec<&'static str> {
    let states = OperationState::ALL
        .iter()
        .filter(|state| !state.is_terminal());
    states.map(|state| state.as_str()).collect()
}

/// The states from which an update may be made.
fn sources(update: &OperationUpdate) -> Vec<&'static str> {
    match update.state {
        Some(next) => next.sources().map(|state| state.as_str()).collect(),
        None => OperationState::ALL
            .iter()
            .map(|state| state.as_str())
            .collect(),
    }
}

/// Refuses a write that met no row under its lease.
const fn leased(rows: usize) -> Result<(), LeaseError> {
    if rows == 0 {
        Err(LeaseError::Lost)
    } else {
        Ok(())
    }
}

/// The operation, if the lease on it stands.
#[diesel::dsl::auto_type(no_type_alias)]
fn under<'a>(lease: &'a Lease) -> _ {
    let owner: &'a str = lease.owner.as_str();
    let id: i64 = lease.operation.raw();
    let fence: i64 = lease.fence;
    operations::table
        .filter(operations::id.eq(id))
        .filter(operations::fence.eq(fence))
        .filter(operations::owner.eq(owner))
}

#[async_trait]
impl OperationRepository for Operations<'_> {
    async fn add(&mut self, operation: &NewOperation) -> Result<(), StoreError> {
        diesel::insert_into(operations::table)
            .values((
                operations::id.eq(operation.id.raw()),
                operations::write_id.eq(operation.write_id),
                operations::workspace.eq(operation.workspace.as_str()),
                operations::audience.eq(operation.audience.map(AudienceId::raw)),
                operations::after_uploads_of.eq(operation.after_uploads_of.map(AudienceId::raw)),
                operations::kind.eq(operation.kind.as_str()),
                operations::exclusive.eq(operation.kind.is_exclusive()),
                operations::state.eq(operation.state.as_str()),
                operations::done.eq(0),
                operations::total.eq(operation.total),
                operations::attempt.eq(1),
                operations::params.eq(Json(operation.params.clone())),
                operations::checkpoint.eq(Json(serde_json::Value::Null)),
                operations::cancel_requested.eq(false),
                operations::created_by.eq(operation.created_by.as_str()),
                operations::created_at.eq(At(operation.created_at)),
                operations::not_before.eq(operation.not_before.map(At)),
                operations::fence.eq(0),
                operations::claims.eq(0),
                operations::traceparent.eq(operation.traceparent.as_deref()),
            ))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: OperationId,
    ) -> Result<Option<Operation>, StoreError> {
        get(self.0, workspace, id).await
    }

    async fn by_write_id(&mut self, write_id: i64) -> Result<Option<Operation>, StoreError> {
        operations::table
            .filter(operations::write_id.eq(write_id))
            .select(OperationRow::as_select())
            .first(self.0)
            .await
            .optional()
            .map_err(store)?
            .map(Operation::try_from)
            .transpose()
    }

    async fn live_of(
        &mut self,
        audience: AudienceId,
        kinds: &[OperationKind],
    ) -> Result<Vec<Operation>, StoreError> {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        let rows: Vec<OperationRow> = operations::table
            .filter(operations::audience.eq(audience.raw()))
            .filter(operations::kind.eq_any(kinds))
            .filter(operations::state.eq_any(live()))
            .order(operations::id)
            .select(OperationRow::as_select())
            .load(self.0)
            .await
            .map_err(store)?;
        rows.into_iter().map(Operation::try_from).collect()
    }

    async fn claim(
        &mut self,
        kinds: &[OperationKind],
        owner: &str,
        lease_seconds: u32,
        now: Instant,
    ) -> Result<Option<Claimed>, StoreError> {
        claims::claim(self.0, kinds, owner, lease_seconds, now).await
    }

    async fn release_leases(&mut self) -> Result<u64, StoreError> {
        let released = diesel::update(operations::table)
            .filter(operations::lease_until.is_not_null())
            .filter(operations::state.eq_any(live()))
            .set(operations::lease_until.eq(dialect::lease_until(0).nullable()))
            .execute(self.0)
            .await
            .map_err(store)?;
        diesel::update(idempotency::table)
            .filter(idempotency::status.is_null())
            .set(idempotency::lease_until.eq(At(domain::shared::Instant::UNIX_EPOCH)))
            .execute(self.0)
            .await
            .map_err(store)?;
        Ok(u64::try_from(released).unwrap_or(u64::MAX))
    }

    async fn heartbeat(&mut self, lease: &Lease, lease_seconds: u32) -> Result<bool, LeaseError> {
        diesel::update(under(lease))
            .set(operations::lease_until.eq(dialect::lease_until(lease_seconds).nullable()))
            .returning(operations::cancel_requested)
            .get_result(self.0)
            .await
            .optional()
            .map_err(store)?
            .ok_or(LeaseError::Lost)
    }

    async fn update_leased(
        &mut self,
        lease: &Lease,
        update: &OperationUpdate,
    ) -> Result<(), LeaseError> {
        let rows = diesel::update(under(lease))
            .filter(operations::state.eq_any(sources(update)))
            .set((
                operations::fence.eq(lease.fence),
                Changes::from_worker(update)?,
            ))
            .execute(self.0)
            .await
            .map_err(claims::busy)?;
        leased(rows)
    }

    async fn update(
        &mut self,
        id: OperationId,
        expected: OperationState,
        update: &OperationUpdate,
    ) -> Result<(), StoreError> {
        diesel::update(operations::table.find(id.raw()))
            .filter(operations::state.eq(expected.as_str()))
            .filter(operations::state.eq_any(sources(update)))
            .set((
                operations::fence.eq(operations::fence),
                Changes::from_request(update)?,
            ))
            .execute(self.0)
            .await
            .map_err(store)
            .and_then(changed_one)
    }

    async fn request_cancel(&mut self, id: OperationId) -> Result<(), StoreError> {
        diesel::update(operations::table.find(id.raw()))
            .filter(operations::state.eq_any(live()))
            .set(operations::cancel_requested.eq(true))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn requeue(&mut self, id: OperationId) -> Result<(), StoreError> {
        let ended = OperationState::Queued.sources();
        let ended = ended.filter(|state| state.is_terminal());
        let ended: Vec<_> = ended.map(|state| state.as_str()).collect();
        diesel::update(operations::table.find(id.raw()))
            .filter(operations::state.eq_any(ended))
            .set((
                operations::state.eq(OperationState::Queued.as_str()),
                operations::attempt.eq(operations::attempt + 1),
                operations::claims.eq(0),
                operations::cancel_requested.eq(false),
                operations::reason.eq(None::<String>),
                operations::error.eq(None::<Json>),
                operations::finished_at.eq(None::<At>),
            ))
            .execute(self.0)
            .await
            .map_err(store)
            .and_then(changed_one)
    }
}

/// One operation of a workspace.
pub(in super::super) async fn get(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    id: OperationId,
) -> Result<Option<Operation>, StoreError> {
    operations::table
        .find(id.raw())
        .filter(operations::workspace.eq(workspace.as_str()))
        .select(OperationRow::as_select())
        .first(conn)
        .await
        .optional()
        .map_err(store)?
        .map(Operation::try_from)
        .transpose()
}

/// The operations of these ids that exist, newest first.
pub(in super::super) async fn by_ids(
    conn: &mut Conn,
    ids: &[i64],
) -> Result<Vec<Operation>, StoreError> {
    let rows: Vec<OperationRow> = operations::table
        .filter(operations::id.eq_any(ids))
        .order(operations::id.desc())
        .select(OperationRow::as_select())
        .load(conn)
        .await
        .map_err(store)?;
    rows.into_iter().map(Operation::try_from).collect()
}

/// State and end of the operations that exist.
pub(super) async fn ends_of(
    conn: &mut Conn,
    ids: &[OperationId],
) -> Result<Vec<(OperationId, OperationState, Option<Instant>)>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let rows: Vec<(i64, String, Option<At>)> = operations::table
        .filter(operations::id.eq_any(ids))
        .select((operations::id, operations::state, operations::finished_at))
        .load(conn)
        .await
        .map_err(store)?;
    let end = |(id, state, finished): (i64, String, Option<At>)| {
        let state = state
            .parse()
            .map_err(|()| StoreError::Corrupt("state of an operation"))?;
        Ok((OperationId::from_raw(id), state, finished.map(|at| at.0)))
    };
    rows.into_iter().map(end).collect()
}

/// A page of a workspace's operations, newest first.
pub(super) async fn list(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    filter: &OperationFilter,
) -> Result<Vec<Operation>, StoreError> {
    let mut query = operations::table
        .filter(operations::workspace.eq(workspace.as_str()))
        .order(operations::id.desc())
        .limit(filter.limit)
        .select(OperationRow::as_select())
        .into_boxed::<Backend>();
    query = match filter.kind {
        Some(kind) => query.filter(operations::kind.eq(kind.as_str())),
        None => {
            let kinds = OperationKind::ALL.iter().filter(|kind| kind.is_asked_for());
            query.filter(operations::kind.eq_any(kinds.map(|kind| kind.as_str())))
        }
    };
    if let Some(state) = filter.state {
        query = query.filter(operations::state.eq(state.as_str()));
    }
    if let Some(audience) = filter.audience {
        query = query.filter(operations::audience.eq(audience.raw()));
    }
    if let Some(before) = filter.before {
        query = query.filter(operations::id.lt(before.raw()));
    }
    let rows: Vec<OperationRow> = query.load(conn).await.map_err(store)?;
    rows.into_iter().map(Operation::try_from).collect()
}
