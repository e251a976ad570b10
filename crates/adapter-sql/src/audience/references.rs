//! The audiences that conditions name.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    audience::Audience,
    shared::{AudienceId, WorkspaceId},
};
use ports::{StoreError, store::Referring};

use super::{Conn, dialect};
use crate::{core::error::store, schema::audience::audience_references};

/// Makes what an audience refers to what its conditions name.
pub(super) async fn write(conn: &mut Conn, audience: &Audience) -> Result<(), StoreError> {
    let named: Vec<i64> = audience
        .definition
        .references()
        .into_keys()
        .map(AudienceId::raw)
        .collect();
    let known = of(conn, &[audience.id.raw()]).await?;
    let known: Vec<i64> = known.into_iter().map(|(_, refers_to)| refers_to).collect();
    let gone: Vec<i64> = known
        .iter()
        .copied()
        .filter(|id| !named.contains(id))
        .collect();
    if !gone.is_empty() {
        let gone = audience_references::table
            .filter(audience_references::audience.eq(audience.id.raw()))
            .filter(audience_references::refers_to.eq_any(gone));
        diesel::delete(gone).execute(conn).await.map_err(store)?;
    }
    for id in named.into_iter().filter(|id| !known.contains(id)) {
        diesel::insert_into(audience_references::table)
            .values((
                audience_references::workspace.eq(audience.workspace.as_str()),
                audience_references::audience.eq(audience.id.raw()),
                audience_references::refers_to.eq(id),
            ))
            .execute(conn)
            .await
            .map_err(store)?;
    }
    Ok(())
}

/// Each of these audiences beside one that its conditions name.
async fn of(conn: &mut Conn, audiences: &[i64]) -> Result<Vec<(i64, i64)>, StoreError> {
    audience_references::table
        .filter(audience_references::audience.eq_any(audiences.to_vec()))
        .select((
            audience_references::audience,
            audience_references::refers_to,
        ))
        .load(conn)
        .await
        .map_err(store)
}

#[derive(QueryableByName)]
struct Live {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Live audiences, with what they refer to; `lock` is added to the statement that finds them.
pub(super) async fn referring(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    ids: &[AudienceId],
    lock: &str,
) -> Result<Vec<Referring>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let wanted = serde_json::Value::from(raw).to_string();
    let elements = dialect::elements("$2");
    let text = format!(
        "SELECT id FROM audiences
         WHERE workspace = $1 AND visibility = 'ready' AND deleted_at IS NULL
           AND id IN (SELECT CAST(value AS BIGINT) FROM {elements})
         ORDER BY id {lock}"
    );
    let live: Vec<Live> = sql_query(text)
        .bind::<Text, _>(workspace.as_str())
        .bind::<Text, _>(wanted)
        .load(conn)
        .await
        .map_err(store)?;
    let live: Vec<i64> = live.into_iter().map(|row| row.id).collect();
    let references = of(conn, &live).await?;
    let referring = |id: i64| {
        let own = references.iter().filter(|(audience, _)| *audience == id);
        Referring {
            audience: AudienceId::from_raw(id),
            refers_to: own.map(|(_, to)| AudienceId::from_raw(*to)).collect(),
        }
    };
    Ok(live.into_iter().map(referring).collect())
}
