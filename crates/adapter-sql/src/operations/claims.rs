//! How workers get operations.

use diesel::{prelude::*, sql_query, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    operation::{Operation, OperationKind, OperationState},
    shared::Instant,
};
use ports::{
    StoreError,
    store::{Claimed, Lease},
};

use super::{Conn, dialect, rows::OperationRow};
use crate::{
    core::{
        error::store,
        types::{At, UtcMillis},
    },
    schema::operations::operations,
};

/// The next operation to claim.
#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = sql_types::BigInt)]
    id: i64,
    #[diesel(sql_type = sql_types::Text)]
    workspace: String,
}

/// Claims the next operation.
pub(super) async fn claim(
    conn: &mut Conn,
    kinds: &[OperationKind],
    owner: &str,
    lease_seconds: u32,
    now: Instant,
) -> Result<Option<Claimed>, StoreError> {
    let Some(due) = next(conn, kinds, now).await? else {
        return Ok(None);
    };
    serve(conn, &due.workspace).await?;
    let mut row = take(conn, due.id, owner, lease_seconds, now).await?;
    let (fence, claims, traceparent) = (row.fence, row.claims, row.traceparent.take());
    let operation = Operation::try_from(row)?;
    let lease = Lease {
        operation: operation.id,
        owner: owner.to_owned(),
        fence,
    };
    Ok(Some(Claimed {
        operation,
        lease,
        claims: claims.unsigned_abs(),
        traceparent,
    }))
}

/// The oldest due operation of the workspace that was served least recently. An exclusive one waits
/// for any that has begun on its audience, and for older ones; one that was interrupted has begun, and goes
/// on before an older one that was put back into the queue. One that is about the rows of earlier uploads waits
/// for them.
async fn next(
    conn: &mut Conn,
    kinds: &[OperationKind],
    now: Instant,
) -> Result<Option<Due>, StoreError> {
    if kinds.is_empty() {
        return Ok(None);
    }
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("'{kind}'")).collect();
    let text = format!(
        "SELECT o.id, o.workspace FROM operations o
         WHERE o.kind IN ({kinds}) AND o.state IN ('queued', 'running', 'waiting')
           AND (o.state = 'queued' AND (o.not_before IS NULL OR o.not_before <= $1)
                OR o.state <> 'queued' AND o.lease_until <= {now})
           AND NOT (o.exclusive AND EXISTS (
                SELECT 1 FROM operations e
                WHERE e.audience = o.audience AND e.exclusive AND e.id <> o.id
                  AND (e.state = 'running' OR o.state = 'queued' AND (
                       e.state = 'waiting' OR e.state = 'queued' AND e.id < o.id))))
           AND NOT (o.state = 'queued' AND o.after_uploads_of IS NOT NULL AND EXISTS (
                SELECT 1 FROM operations u
                WHERE u.audience = o.after_uploads_of AND u.id < o.id AND u.kind = '{upload}'
                  AND u.state IN ('queued', 'running', 'waiting')))
         ORDER BY COALESCE(
                (SELECT t.turn FROM operation_turns t WHERE t.workspace = o.workspace), 0), o.id
         LIMIT 1 {take}",
        kinds = kinds.join(", "),
        upload = OperationKind::Upload,
        now = dialect::NOW,
        take = dialect::TAKE,
    );
    sql_query(text)
        .bind::<UtcMillis, _>(At(now))
        .get_result(conn)
        .await
        .optional()
        .map_err(store)
}

/// Puts a workspace at the end of the line.
async fn serve(conn: &mut Conn, workspace: &str) -> Result<(), StoreError> {
    sql_query(
        "INSERT INTO operation_turns (workspace, turn)
         SELECT $1, COALESCE(MAX(turn), 0) + 1 FROM operation_turns WHERE true
         ON CONFLICT (workspace) DO UPDATE SET turn = excluded.turn",
    )
    .bind::<sql_types::Text, _>(workspace)
    .execute(conn)
    .await
    .map_err(store)
    .map(drop)
}

async fn take(
    conn: &mut Conn,
    id: i64,
    owner: &str,
    lease_seconds: u32,
    now: Instant,
) -> Result<OperationRow, StoreError> {
    use operations::{claims, fence, lease_until, reason, started_at, state};
    diesel::update(operations::table.find(id))
        .set((
            state.eq(OperationState::Running.as_str()),
            reason.eq(None::<String>),
            operations::owner.eq(owner),
            fence.eq(fence + 1),
            claims.eq(claims + 1),
            lease_until.eq(dialect::lease_until(lease_seconds).nullable()),
            started_at.eq(diesel::dsl::case_when(
                started_at.is_null(),
                At(now).into_sql::<sql_types::Nullable<UtcMillis>>(),
            )
            .otherwise(started_at)),
        ))
        .returning(OperationRow::as_returning())
        .get_result(conn)
        .await
        .map_err(busy)
}

/// Another exclusive one of the audience may have begun meanwhile: this one's turn comes later.
pub(super) fn busy(error: diesel::result::Error) -> StoreError {
    match store(error) {
        conflict @ StoreError::Conflict { .. } => StoreError::Unavailable(Box::new(conflict)),
        error => error,
    }
}
