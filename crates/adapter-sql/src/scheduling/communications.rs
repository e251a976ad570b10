//! Communications and their occurrences.

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    scheduling::{Communication, CommunicationState, Occurrence},
    shared::{CommunicationId, Instant, WorkspaceId},
};
use ports::{
    StoreError,
    scheduling::{CommunicationRepository, Due},
};

use super::{
    Conn, dialect,
    json_rows::{columns, json, rows as table},
    rows::{Changed, CommunicationRow, NewOccurrence, OccurrenceRow},
};
use crate::core::{
    error::{changed_one, store},
    types::{At, Doc, Json, UtcMillis},
};

/// Communications of one transaction.
pub(super) struct Communications<'c>(pub(super) &'c mut Conn);

const ADD: &str = "
    INSERT INTO communications (id, workspace, name, state, plan, due_at, occurrence, in_flight, version, created_by,
                                created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

#[async_trait]
impl CommunicationRepository for Communications<'_> {
    async fn add(&mut self, communication: &Communication) -> Result<(), StoreError> {
        let plan = serde_json::to_value(&communication.plan)
            .map_err(|error| StoreError::Internal(Box::new(error)))?;
        sql_query(ADD)
            .bind::<BigInt, _>(communication.id.raw())
            .bind::<Text, _>(communication.workspace.as_str())
            .bind::<Text, _>(&communication.name)
            .bind::<Text, _>(communication.state.as_str())
            .bind::<Doc, _>(Json(plan))
            .bind::<UtcMillis, _>(At(communication.due_at))
            .bind::<BigInt, _>(communication.occurrence)
            .bind::<BigInt, _>(i64::from(communication.in_flight))
            .bind::<BigInt, _>(communication.version)
            .bind::<Text, _>(&communication.created_by)
            .bind::<UtcMillis, _>(At(communication.created_at))
            .bind::<UtcMillis, _>(At(communication.updated_at))
            .execute(self.0)
            .await
            .map_err(store)?;
        self.wait(std::slice::from_ref(communication)).await
    }

    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: CommunicationId,
    ) -> Result<Option<Communication>, StoreError> {
        find(self.0, workspace, id, dialect::LOCK).await
    }

    async fn take(
        &mut self,
        workspace: &WorkspaceId,
        id: CommunicationId,
    ) -> Result<Option<Communication>, StoreError> {
        find(self.0, workspace, id, dialect::TAKE).await
    }

    async fn save(&mut self, communications: &[Communication]) -> Result<(), StoreError> {
        let changed: Vec<Changed<'_>> = communications.iter().map(Changed::from).collect();
        let text = format!(
            "UPDATE communications SET name = batch.name, state = batch.state, plan = batch.plan,
                due_at = batch.due_at, occurrence = batch.occurrence, in_flight = batch.in_flight,
                version = batch.version, updated_at = batch.updated_at
             FROM {} WHERE communications.id = batch.id AND communications.version = batch.version - 1",
            table::<Changed<'_>>("$1")
        );
        let saved = sql_query(text)
            .bind::<Text, _>(json(&changed)?)
            .execute(self.0)
            .await
            .map_err(store)?;
        if saved != communications.len() {
            return Err(StoreError::StaleVersion);
        }
        self.wait(communications).await
    }

    async fn due(&mut self, now: Instant, limit: i64) -> Result<Due, StoreError> {
        let rows: Vec<CommunicationRow> = sql_query(format!(
            "SELECT c.* FROM due_communications d JOIN communications c ON c.id = d.communication
             WHERE d.due_at <= $1 ORDER BY d.due_at, d.communication LIMIT $2 {}",
            dialect::TAKE
        ))
        .bind::<UtcMillis, _>(At(now))
        .bind::<BigInt, _>(limit)
        .load(self.0)
        .await
        .map_err(store)?;
        let mut due = Due::default();
        for row in rows {
            let id = CommunicationId::from_raw(row.id);
            match Communication::try_from(row) {
                Ok(communication) => due.ready.push(communication),
                Err(error) => {
                    tracing::error!(%error, communication = %id, "cannot be read");
                    due.unreadable.push(id);
                }
            }
        }
        Ok(due)
    }

    async fn give_up(&mut self, ids: &[CommunicationId], now: Instant) -> Result<(), StoreError> {
        for id in ids {
            sql_query(
                "UPDATE communications SET state = $1, version = version + 1, updated_at = $2 WHERE id = $3",
            )
            .bind::<Text, _>(CommunicationState::Failed.as_str())
            .bind::<UtcMillis, _>(At(now))
            .bind::<BigInt, _>(id.raw())
            .execute(self.0)
            .await
            .map_err(store)?;
            sql_query("DELETE FROM due_communications WHERE communication = $1")
                .bind::<BigInt, _>(id.raw())
                .execute(self.0)
                .await
                .map_err(store)?;
        }
        Ok(())
    }

    async fn occur(&mut self, occurrences: &[Occurrence]) -> Result<(), StoreError> {
        let new: Vec<NewOccurrence<'_>> = occurrences.iter().map(NewOccurrence::from).collect();
        let columns = columns::<NewOccurrence<'_>>();
        let from = table::<NewOccurrence<'_>>("$1");
        sql_query(format!(
            "INSERT INTO occurrences ({columns}) SELECT {columns} FROM {from}"
        ))
        .bind::<Text, _>(json(&new)?)
        .execute(self.0)
        .await
        .map_err(store)
        .map(drop)
    }

    async fn occurrence(
        &mut self,
        id: CommunicationId,
        number: i64,
    ) -> Result<Option<Occurrence>, StoreError> {
        let row: Option<OccurrenceRow> = sql_query(format!(
            "SELECT * FROM occurrences WHERE communication = $1 AND number = $2 {}",
            dialect::LOCK
        ))
        .bind::<BigInt, _>(id.raw())
        .bind::<BigInt, _>(number)
        .get_result(self.0)
        .await
        .optional()
        .map_err(store)?;
        row.map(Occurrence::try_from).transpose()
    }

    async fn save_occurrence(&mut self, occurrence: &Occurrence) -> Result<(), StoreError> {
        let saved = sql_query(
            "UPDATE occurrences SET state = $1, parts = $2, arrived = $3, ended_at = $4
             WHERE communication = $5 AND number = $6",
        )
        .bind::<Text, _>(occurrence.state.as_str())
        .bind::<Nullable<BigInt>, _>(occurrence.parts)
        .bind::<BigInt, _>(occurrence.arrived)
        .bind::<Nullable<UtcMillis>, _>(occurrence.ended_at.map(At))
        .bind::<BigInt, _>(occurrence.communication.raw())
        .bind::<BigInt, _>(occurrence.number)
        .execute(self.0)
        .await
        .map_err(store)?;
        changed_one(saved)
    }
}

impl Communications<'_> {
    /// Lets those wait for their instants that are scheduled, and no others.
    async fn wait(&mut self, communications: &[Communication]) -> Result<(), StoreError> {
        let changed: Vec<Changed<'_>> = communications.iter().map(Changed::from).collect();
        let (batch, from) = (json(&changed)?, table::<Changed<'_>>("$1"));
        let ended = format!(
            "DELETE FROM due_communications
             WHERE communication IN (SELECT batch.id FROM {from} WHERE batch.state <> 'scheduled')"
        );
        let scheduled = format!(
            "INSERT INTO due_communications (communication, due_at)
             SELECT batch.id, batch.due_at FROM {from} WHERE batch.state = 'scheduled'
             ON CONFLICT (communication) DO UPDATE SET due_at = excluded.due_at"
        );
        for text in [ended, scheduled] {
            sql_query(text)
                .bind::<Text, _>(&batch)
                .execute(self.0)
                .await
                .map_err(store)?;
        }
        Ok(())
    }
}

/// One of a workspace.
pub(super) async fn find(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    id: CommunicationId,
    lock: &str,
) -> Result<Option<Communication>, StoreError> {
    let text = format!("SELECT * FROM communications WHERE workspace = $1 AND id = $2 {lock}");
    let row: Option<CommunicationRow> = sql_query(text)
        .bind::<Text, _>(workspace.as_str())
        .bind::<BigInt, _>(id.raw())
        .get_result(conn)
        .await
        .optional()
        .map_err(store)?;
    row.map(Communication::try_from).transpose()
}
