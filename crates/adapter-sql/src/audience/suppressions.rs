//! Who is not to be written to.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use diesel::{prelude::*, sql_query, sql_types::Text};
use diesel_async::RunQueryDsl;
use domain::{
    shared::{SuppressionId, UserId, WorkspaceId},
    suppression::{SuppressedHash, Suppression, SuppressionReason},
};
use ports::{
    StoreError,
    store::{SuppressionFilter, SuppressionQueries, SuppressionRepository},
};

use super::{
    Backend, Conn, Db,
    json_rows::{BatchRow, Column, Millis, Value, batch_row, insert, json, rows as table},
};
use crate::{
    core::{error::store, types::At},
    schema::audience::suppressions,
};

/// Suppressions of one transaction.
pub(super) struct Suppressions<'c>(pub(super) &'c mut Conn);

batch_row! {
    struct NewRow<'a> {
        id: i64,
        kind: &'a str,
        hash: &'a str,
        reason: &'a str,
        created_by: &'a str,
        created_at: Millis,
    }
}

batch_row! {
    struct KeyRow<'a> {
        kind: &'a str,
        hash: &'a str,
    }
}

impl<'a> From<&'a SuppressedHash> for KeyRow<'a> {
    fn from(who: &'a SuppressedHash) -> Self {
        Self {
            kind: who.kind.as_str(),
            hash: &who.hash,
        }
    }
}

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = suppressions)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct Row {
    id: i64,
    kind: String,
    hash: String,
    reason: String,
    created_by: String,
    created_at: At,
}

impl TryFrom<Row> for Suppression {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let read = |row: Row| {
            Some(Self {
                id: SuppressionId::from_raw(row.id),
                who: SuppressedHash {
                    kind: row.kind.parse().ok()?,
                    hash: row.hash,
                },
                reason: row.reason.parse().ok()?,
                created_by: UserId::parse(&row.created_by).ok()?,
                created_at: row.created_at.0,
            })
        };
        read(row).ok_or(StoreError::Corrupt("a suppression"))
    }
}

/// The rows of people, in a batch that is the second parameter.
fn among_batch() -> String {
    let batch = table::<KeyRow<'_>>("$2");
    format!("workspace = $1 AND (kind, hash) IN (SELECT kind, hash FROM {batch})")
}

async fn among(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    people: &[SuppressedHash],
) -> Result<Vec<Suppression>, StoreError> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<KeyRow<'_>> = people.iter().map(KeyRow::from).collect();
    let text = format!(
        "SELECT id, kind, hash, reason, created_by, created_at FROM suppressions WHERE {}",
        among_batch()
    );
    let rows: Vec<Row> = sql_query(text)
        .bind::<Text, _>(workspace.as_str())
        .bind::<Text, _>(json(&keys)?)
        .load(conn)
        .await
        .map_err(store)?;
    rows.into_iter().map(Suppression::try_from).collect()
}

/// Suppressions of a workspace.
fn of_workspace(workspace: &WorkspaceId) -> suppressions::BoxedQuery<'_, Backend> {
    suppressions::table
        .filter(suppressions::workspace.eq(workspace.as_str()))
        .into_boxed::<Backend>()
}

#[async_trait]
impl SuppressionRepository for Suppressions<'_> {
    async fn add(
        &mut self,
        workspace: &WorkspaceId,
        new: &[Suppression],
    ) -> Result<Vec<Suppression>, StoreError> {
        // Each once, and in one order, so that two who add the same wait for each other.
        let mut distinct: BTreeMap<&SuppressedHash, &Suppression> = BTreeMap::new();
        for one in new {
            distinct.entry(&one.who).or_insert(one);
        }
        let rows: Vec<NewRow<'_>> = distinct
            .values()
            .map(|new| NewRow {
                id: new.id.raw(),
                kind: new.who.kind.as_str(),
                hash: &new.who.hash,
                reason: new.reason.as_str(),
                created_by: new.created_by.as_str(),
                created_at: new.created_at.into(),
            })
            .collect();
        let erasure = SuppressionReason::Erasure;
        let conflict = format!(
            "ON CONFLICT (workspace, kind, hash) DO UPDATE SET reason = excluded.reason,
                 created_by = excluded.created_by, created_at = excluded.created_at
             WHERE excluded.reason = '{erasure}' AND suppressions.reason <> '{erasure}'"
        );
        insert(self.0, workspace, "suppressions", &rows, &conflict).await?;
        let people: Vec<SuppressedHash> = distinct.into_keys().cloned().collect();
        let stored = among(self.0, workspace, &people).await?;
        let stored: HashMap<&SuppressedHash, &Suppression> =
            stored.iter().map(|one| (&one.who, one)).collect();
        let found = |new: &Suppression| stored.get(&new.who).map(|one| Suppression::clone(one));
        let all: Option<Vec<Suppression>> = new.iter().map(found).collect();
        all.ok_or(StoreError::Corrupt("a suppression that was just stored"))
    }

    async fn among(
        &mut self,
        workspace: &WorkspaceId,
        people: &[SuppressedHash],
    ) -> Result<Vec<Suppression>, StoreError> {
        among(self.0, workspace, people).await
    }

    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: SuppressionId,
    ) -> Result<Option<Suppression>, StoreError> {
        let row: Option<Row> = of_workspace(workspace)
            .filter(suppressions::id.eq(id.raw()))
            .select(Row::as_select())
            .first(self.0)
            .await
            .optional()
            .map_err(store)?;
        row.map(Suppression::try_from).transpose()
    }

    async fn remove(
        &mut self,
        workspace: &WorkspaceId,
        people: &[SuppressedHash],
    ) -> Result<Vec<SuppressedHash>, StoreError> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<KeyRow<'_>> = people.iter().map(KeyRow::from).collect();
        let text = format!(
            "DELETE FROM suppressions WHERE {} AND reason <> '{}'
             RETURNING id, kind, hash, reason, created_by, created_at",
            among_batch(),
            SuppressionReason::Erasure,
        );
        let rows: Vec<Row> = sql_query(text)
            .bind::<Text, _>(workspace.as_str())
            .bind::<Text, _>(json(&keys)?)
            .load(self.0)
            .await
            .map_err(store)?;
        let who = |row: Row| Ok(Suppression::try_from(row)?.who);
        rows.into_iter().map(who).collect()
    }
}

#[async_trait]
impl SuppressionQueries for Db {
    async fn suppressions(
        &self,
        workspace: &WorkspaceId,
        filter: &SuppressionFilter,
    ) -> Result<Vec<Suppression>, StoreError> {
        let mut query = of_workspace(workspace)
            .select(Row::as_select())
            .order(suppressions::id.desc())
            .limit(filter.limit);
        if let Some(kind) = filter.kind {
            query = query.filter(suppressions::kind.eq(kind.as_str()));
        }
        if let Some(reason) = filter.reason {
            query = query.filter(suppressions::reason.eq(reason.as_str()));
        }
        if let Some(before) = filter.before {
            query = query.filter(suppressions::id.lt(before.raw()));
        }
        let rows: Vec<Row> = query
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        rows.into_iter().map(Suppression::try_from).collect()
    }

    async fn suppressed_among(
        &self,
        workspace: &WorkspaceId,
        people: &[SuppressedHash],
    ) -> Result<Vec<Suppression>, StoreError> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        among(&mut *self.reader().await?, workspace, people).await
    }
}
