//! What a sender was asked to send, and what became of it.

use async_trait::async_trait;
use diesel::{
    QueryableByName, sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    scheduling::DispatchId,
    shared::{Instant, WorkspaceId},
};
use ports::{
    StoreError,
    sending::{Ended, Passed, SendingStore, SendingWork, Standing},
    store::Durability,
};

use super::{Db, dialect, direct, transaction::Transaction};
use crate::core::{
    error::store,
    types::{At, UtcMillis},
};

const SENT: &str = "sent";
const FAILED: &str = "failed";

/// One row, first tried or tried again.
const BEGIN: &str = "INSERT INTO sent_dispatches (workspace, dispatch, tries, at) VALUES ($1, $2, 1, $3)
     ON CONFLICT (workspace, dispatch) DO UPDATE SET tries = sent_dispatches.tries + 1, at = excluded.at
     RETURNING tries, status, detail";

const END: &str = "UPDATE sent_dispatches SET status = $1, detail = $2, at = $3
     WHERE workspace = $4 AND dispatch = $5 AND status IS NULL";

const PURGE: &str = "DELETE FROM sent_dispatches WHERE (workspace, dispatch) IN (
     SELECT workspace, dispatch FROM sent_dispatches WHERE at < $1 ORDER BY at LIMIT $2)";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    tries: i64,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
}

impl Row {
    fn standing(self) -> Result<Standing, StoreError> {
        let ended = match (self.status.as_deref(), self.detail) {
            (None, _) if self.tries == 1 => return Ok(Standing::New),
            (None, _) => return Ok(Standing::Tried),
            (Some(SENT), provider_id) => Ended::Sent(Passed { provider_id }),
            (Some(FAILED), Some(code)) => Ended::Failed { code },
            (Some(_), _) => return Err(StoreError::Corrupt("what became of a dispatch")),
        };
        Ok(Standing::Ended(ended))
    }
}

#[async_trait]
impl SendingStore for Db {
    async fn begin(
        &self,
        workspace: &WorkspaceId,
        dispatch: &DispatchId,
        now: Instant,
    ) -> Result<Standing, StoreError> {
        let row: Row = sql_query(BEGIN)
            .bind::<Text, _>(workspace.as_str())
            .bind::<Text, _>(dispatch.to_string())
            .bind::<UtcMillis, _>(At(now))
            .get_result(dialect::conn(&mut direct::writer(self).await?))
            .await
            .map_err(store)?;
        row.standing()
    }

    async fn begin_sending(&self) -> Result<Box<dyn SendingWork>, StoreError> {
        let transaction = Transaction::begin(self, Durability::Full).await?;
        Ok(Box::new(transaction))
    }

    async fn purge_dispatches(&self, before: Instant, limit: usize) -> Result<u64, StoreError> {
        direct::purge_alone(self, PURGE, before, limit).await
    }
}

#[async_trait]
impl SendingWork for Transaction {
    async fn end(
        &mut self,
        workspace: &WorkspaceId,
        dispatch: &DispatchId,
        ended: &Ended,
        now: Instant,
    ) -> Result<(), StoreError> {
        let (status, detail) = match ended {
            Ended::Sent(passed) => (SENT, passed.provider_id.as_deref()),
            Ended::Failed { code } => (FAILED, Some(code.as_str())),
        };
        sql_query(END)
            .bind::<Text, _>(status)
            .bind::<Nullable<Text>, _>(detail)
            .bind::<UtcMillis, _>(At(now))
            .bind::<Text, _>(workspace.as_str())
            .bind::<Text, _>(dispatch.to_string())
            .execute(self.conn())
            .await
            .map_err(store)
            .map(drop)
    }
}
