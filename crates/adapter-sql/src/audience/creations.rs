//! Audiences that a request is making.

use async_trait::async_trait;
use diesel::{prelude::*, sql_query, sql_types};
use diesel_async::RunQueryDsl;
use domain::shared::{AudienceId, WorkspaceId};
use ports::{
    StoreError,
    store::{Creation, CreationRepository},
};

use super::{Conn, dialect};
use crate::{
    core::error::{changed_one, store},
    schema::audience::creations,
};

/// Creations of one transaction.
pub(super) struct Creations<'c>(pub(super) &'c mut Conn);

#[derive(Queryable, QueryableByName)]
struct Ended {
    #[diesel(sql_type = sql_types::Text)]
    workspace: String,
    #[diesel(sql_type = sql_types::BigInt)]
    audience: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    write_id: i64,
}

impl TryFrom<Ended> for Creation {
    type Error = StoreError;

    fn try_from(row: Ended) -> Result<Self, StoreError> {
        Ok(Self {
            workspace: WorkspaceId::parse(&row.workspace)
                .map_err(|_| StoreError::Corrupt("workspace of a creation"))?,
            audience: AudienceId::from_raw(row.audience),
            write_id: row.write_id,
        })
    }
}

#[async_trait]
impl CreationRepository for Creations<'_> {
    async fn begin(&mut self, creation: &Creation, lease_seconds: u32) -> Result<(), StoreError> {
        diesel::insert_into(creations::table)
            .values((
                creations::audience.eq(creation.audience.raw()),
                creations::workspace.eq(creation.workspace.as_str()),
                creations::write_id.eq(creation.write_id),
                creations::lease_until.eq(dialect::lease_until(lease_seconds)),
            ))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn end(&mut self, audience: AudienceId) -> Result<(), StoreError> {
        diesel::delete(creations::table.find(audience.raw()))
            .execute(self.0)
            .await
            .map_err(store)
            .and_then(changed_one)
    }

    async fn end_of_request(&mut self, write_id: i64) -> Result<Option<Creation>, StoreError> {
        diesel::delete(creations::table.filter(creations::write_id.eq(write_id)))
            .returning((
                creations::workspace,
                creations::audience,
                creations::write_id,
            ))
            .get_result::<Ended>(self.0)
            .await
            .optional()
            .map_err(store)?
            .map(Creation::try_from)
            .transpose()
    }

    async fn release(&mut self) -> Result<(), StoreError> {
        diesel::update(creations::table)
            .set(creations::lease_until.eq(dialect::lease_until(0)))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn end_abandoned(&mut self) -> Result<Option<Creation>, StoreError> {
        let text = format!(
            "DELETE FROM creations WHERE audience IN (
                 SELECT audience FROM creations WHERE lease_until <= {now}
                 ORDER BY lease_until LIMIT 1 {take})
             RETURNING workspace, audience, write_id",
            now = dialect::NOW,
            take = dialect::TAKE,
        );
        sql_query(text)
            .get_result::<Ended>(self.0)
            .await
            .optional()
            .map_err(store)?
            .map(Creation::try_from)
            .transpose()
    }
}
