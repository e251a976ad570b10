//! Reservations of requests.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::TimeDelta;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Binary, Text},
};
use diesel_async::RunQueryDsl;
use domain::shared::Instant;
use ports::{
    Clock, IdGenerator, StoreError,
    idempotency::{IdempotencyScope, IdempotencyStore, KEPT_FOR, Reservation, StoredAnswer},
};

use super::{Conn, Db, dialect, direct, receipts};
use crate::{
    core::{
        error::store,
        types::{At, Json, UtcMillis},
    },
    schema::operations::idempotency,
};

/// The reservations of one database.
pub struct Idempotency {
    db: Db,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl Idempotency {
    /// Reservations whose leases go by `clock` and whose write ids come from `ids`.
    pub fn new(db: Db, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { db, clock, ids }
    }
}

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = BigInt)]
    write_id: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct Entry {
    content: Vec<u8>,
    lease_until: At,
    status: Option<i32>,
    headers: Option<Json>,
    body: Option<Vec<u8>>,
}

impl Entry {
    fn answer(self) -> Result<Option<StoredAnswer>, StoreError> {
        let (Some(status), Some(headers), Some(body)) = (self.status, self.headers, self.body)
        else {
            return Ok(None);
        };
        let corrupt = || StoreError::Corrupt("answer of a request");
        Ok(Some(StoredAnswer {
            status: status.try_into().map_err(|_| corrupt())?,
            headers: serde_json::from_value(headers.0).map_err(|_| corrupt())?,
            body,
        }))
    }
}

/// Takes a scope that nobody used, or whose entry is too old.
const TAKE_FRESH: &str = "
    INSERT INTO idempotency (workspace, method, path, key, content, write_id, created_at, lease_until)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (workspace, method, path, key) DO UPDATE
    SET content = excluded.content, write_id = excluded.write_id, created_at = excluded.created_at,
        lease_until = excluded.lease_until, status = NULL, headers = NULL, body = NULL
    WHERE idempotency.created_at < $9
    RETURNING write_id";

/// Writes that the two statements of a reservation may meet before it gives up.
const TRIES: usize = 3;

/// The entry of a scope, with its primary key written out.
macro_rules! entry {
    ($scope:expr) => {
        idempotency::table
            .filter(idempotency::workspace.eq($scope.workspace.as_str()))
            .filter(idempotency::method.eq($scope.method.as_str()))
            .filter(idempotency::path.eq($scope.path.as_str()))
            .filter(idempotency::key.eq($scope.key.as_str()))
    };
}

/// The entry of a scope while it is held under a write id and not answered.
macro_rules! held {
    ($scope:expr, $write_id:expr) => {
        entry!($scope)
            .filter(idempotency::write_id.eq($write_id))
            .filter(idempotency::status.is_null())
    };
}

async fn take_fresh(
    conn: &mut Conn,
    scope: &IdempotencyScope,
    content: &[u8; 32],
    write_id: i64,
    now: Instant,
    lease_until: Instant,
) -> Result<bool, StoreError> {
    let held: Option<Held> = sql_query(TAKE_FRESH)
        .bind::<Text, _>(scope.workspace.as_str())
        .bind::<Text, _>(&scope.method)
        .bind::<Text, _>(&scope.path)
        .bind::<Text, _>(&scope.key)
        .bind::<Binary, _>(content.as_slice())
        .bind::<BigInt, _>(write_id)
        .bind::<UtcMillis, _>(At(now))
        .bind::<UtcMillis, _>(At(lease_until))
        .bind::<UtcMillis, _>(At(now - KEPT_FOR))
        .get_result(conn)
        .await
        .optional()
        .map_err(store)?;
    Ok(held.is_some_and(|held| held.write_id == write_id))
}

#[async_trait]
impl IdempotencyStore for Idempotency {
    /// Each statement decides on its own, and only one of them writes: one commit.
    async fn reserve(
        &self,
        scope: &IdempotencyScope,
        content: [u8; 32],
        lease: Duration,
    ) -> Result<Reservation, StoreError> {
        let (now, write_id) = (self.clock.now(), self.ids.next());
        let mut held = direct::writer(&self.db).await?;
        let conn = dialect::conn(&mut held);
        for _ in 0..TRIES {
            if take_fresh(conn, scope, &content, write_id, now, now + lease).await? {
                return Ok(Reservation::Fresh { write_id });
            }
            let rerun: Option<i64> = diesel::update(entry!(scope))
                .filter(idempotency::content.eq(content.as_slice()))
                .filter(idempotency::status.is_null())
                .filter(idempotency::lease_until.le(At(now)))
                .set(idempotency::lease_until.eq(At(now + lease)))
                .returning(idempotency::write_id)
                .get_result(conn)
                .await
                .optional()
                .map_err(store)?;
            if let Some(write_id) = rerun {
                return Ok(Reservation::Rerun { write_id });
            }
            let found: Option<Entry> = entry!(scope)
                .select(Entry::as_select())
                .first(conn)
                .await
                .optional()
                .map_err(store)?;
            // Released since it was in the way: try again.
            let Some(found) = found else { continue };
            if found.content != content {
                return Ok(Reservation::Mismatch);
            }
            let left = found.lease_until.0 - now;
            if let Some(answer) = found.answer()? {
                return Ok(Reservation::Replay(answer));
            }
            if left > TimeDelta::zero() {
                return Ok(Reservation::Running {
                    retry_after: left.to_std().unwrap_or(lease),
                });
            }
        }
        Ok(Reservation::Running {
            retry_after: Duration::from_secs(1),
        })
    }

    async fn renew(
        &self,
        scope: &IdempotencyScope,
        write_id: i64,
        lease: Duration,
    ) -> Result<(), StoreError> {
        diesel::update(held!(scope, write_id))
            .set(idempotency::lease_until.eq(At(self.clock.now() + lease)))
            .execute(dialect::conn(&mut direct::writer(&self.db).await?))
            .await
            .map_err(store)
            .map(drop)
    }

    async fn complete(
        &self,
        scope: &IdempotencyScope,
        write_id: i64,
        answer: &StoredAnswer,
    ) -> Result<(), StoreError> {
        let headers =
            serde_json::to_value(&answer.headers).map_err(|e| StoreError::Internal(Box::new(e)))?;
        diesel::update(held!(scope, write_id))
            .set((
                idempotency::status.eq(Some(i32::from(answer.status))),
                idempotency::headers.eq(Some(Json(headers))),
                idempotency::body.eq(Some(&answer.body)),
            ))
            .execute(dialect::conn(&mut direct::writer(&self.db).await?))
            .await
            .map_err(store)
            .map(drop)
    }

    async fn release(&self, scope: &IdempotencyScope, write_id: i64) -> Result<(), StoreError> {
        diesel::delete(held!(scope, write_id))
            .execute(dialect::conn(&mut direct::writer(&self.db).await?))
            .await
            .map_err(store)
            .map(drop)
    }

    async fn abandon(&self, scope: &IdempotencyScope, write_id: i64) -> Result<(), StoreError> {
        diesel::update(held!(scope, write_id))
            .set(idempotency::lease_until.eq(At(self.clock.now())))
            .execute(dialect::conn(&mut direct::writer(&self.db).await?))
            .await
            .map_err(store)
            .map(drop)
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        let before = self.clock.now() - KEPT_FOR;
        let mut purged = 0;
        for text in [PURGE, receipts::PURGE] {
            purged += direct::purge_alone(&self.db, text, before, limit).await?;
        }
        Ok(purged)
    }
}

/// Deletes reservations of requests.
const PURGE: &str = "
    DELETE FROM idempotency WHERE (workspace, method, path, key) IN (
        SELECT workspace, method, path, key FROM idempotency
        WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
