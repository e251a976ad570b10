//! Members who have entered or left a segment, and of whom no event has been published yet.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::shared::{AudienceId, WorkspaceId};
use ports::StoreError;

use super::{
    Conn, dialect,
    json_rows::{BatchRow, Column, Value, batch_row, columns, json, rows as table},
};
use crate::core::error::store;

/// Rows written by one statement.
const BATCH: usize = 1_000;

batch_row! {
    struct NewChange<'a> {
        member_key: &'a str,
    }
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = BigInt)]
    #[expect(dead_code, reason = "that it is there is what counts")]
    id: i64,
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    member_key: String,
}

#[derive(QueryableByName)]
struct ChangedRow {
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = BigInt)]
    audience: i64,
}

/// What of `member_changes n` readers see: by a refresh that is noted, and no write that is under way.
const SEEN: &str = "n.request <= (
        SELECT max(r.request) FROM audience_refreshes r WHERE r.audience = n.audience)
    AND NOT EXISTS (
        SELECT 1 FROM write_intents w WHERE w.audience = n.audience AND w.ended_revision IS NULL
        AND n.request >= w.first_request AND n.request < w.first_request + w.requests)";

/// Queues those whom a request is about.
pub(super) async fn queue(
    conn: &mut Conn,
    audience: AudienceId,
    request: i64,
    keys: &[&str],
) -> Result<(), StoreError> {
    let (columns, table) = (columns::<NewChange<'_>>(), table::<NewChange<'_>>("$3"));
    let text = format!(
        "INSERT INTO member_changes (audience, request, {columns})
             SELECT $1, $2, {columns} FROM {table} WHERE true ON CONFLICT DO NOTHING"
    );
    for batch in keys.chunks(BATCH) {
        let rows: Vec<NewChange<'_>> = batch
            .iter()
            .map(|member_key| NewChange { member_key })
            .collect();
        sql_query(&text)
            .bind::<BigInt, _>(audience.raw())
            .bind::<BigInt, _>(request)
            .bind::<Text, _>(json(&rows)?)
            .execute(conn)
            .await
            .map_err(store)?;
    }
    Ok(())
}

/// Takes the oldest of those whom readers see.
pub(super) async fn take(
    conn: &mut Conn,
    audience: AudienceId,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let take = dialect::TAKE;
    let locked: Option<Locked> =
        sql_query(format!("SELECT id FROM audiences WHERE id = $1 {take}"))
            .bind::<BigInt, _>(audience.raw())
            .get_result(conn)
            .await
            .optional()
            .map_err(store)?;
    if locked.is_none() {
        return Ok(Vec::new());
    }
    let text = format!(
            "DELETE FROM member_changes WHERE (audience, request, member_key) IN (
                 SELECT n.audience, n.request, n.member_key FROM member_changes n WHERE n.audience = $1 AND {SEEN}
                 ORDER BY n.request, n.member_key LIMIT $2)
             RETURNING member_key"
        );
    let rows: Vec<Key> = sql_query(text)
        .bind::<BigInt, _>(audience.raw())
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await
        .map_err(store)?;
    Ok(rows.into_iter().map(|row| row.member_key).collect())
}

/// Audiences of some whom readers see.
pub(super) async fn audiences(
    conn: &mut Conn,
    limit: i64,
) -> Result<Vec<(WorkspaceId, AudienceId)>, StoreError> {
    // Keys are skipped: one look per audience, whatever the rows of each.
    let text = format!(
        "WITH RECURSIVE a(audience) AS (
                 SELECT min(audience) FROM member_changes
                 UNION ALL
                 SELECT (SELECT min(m.audience) FROM member_changes m WHERE m.audience > a.audience)
                 FROM a WHERE a.audience IS NOT NULL)
             SELECT u.workspace, u.id AS audience FROM a JOIN audiences u ON u.id = a.audience
             WHERE EXISTS (SELECT 1 FROM member_changes n WHERE n.audience = a.audience AND {SEEN})
             ORDER BY u.id LIMIT $1"
    );
    let rows: Vec<ChangedRow> = sql_query(text)
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await
        .map_err(store)?;
    let read = |row: ChangedRow| {
        let workspace = WorkspaceId::parse(&row.workspace);
        let workspace = workspace.map_err(|_| StoreError::Corrupt("workspace of an audience"))?;
        Ok((workspace, AudienceId::from_raw(row.audience)))
    };
    rows.into_iter().map(read).collect()
}
