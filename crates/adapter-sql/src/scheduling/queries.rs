//! Reading outside a transaction.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    customer::Channel,
    scheduling::{
        Communication, CommunicationState, Occurrence, Recipient, RecipientKey, RecipientStatus,
        Totals,
    },
    shared::{CommunicationId, Instant, WorkspaceId},
};
use ports::{
    StoreError,
    scheduling::{CommunicationFilter, RecipientFilter, ScheduleQueries},
};

use super::{
    Db,
    communications::find,
    json_rows::{Id, json, rows as table},
    rows::{CommunicationRow, OccurrenceRow, RecipientRow, many},
};
use crate::core::{
    error::store,
    types::{At, UtcMillis},
};

#[derive(QueryableByName)]
struct Next {
    #[diesel(sql_type = Nullable<UtcMillis>)]
    due_at: Option<At>,
}

#[derive(QueryableByName)]
struct LaneKey {
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = BigInt)]
    communication: i64,
}

#[derive(QueryableByName)]
struct CountedRow {
    #[diesel(sql_type = Text)]
    recipient: String,
    #[diesel(sql_type = BigInt)]
    dispatches: i64,
}

#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = Text)]
    channel: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    recipients: i64,
}

#[async_trait]
impl ScheduleQueries for Db {
    async fn communication(
        &self,
        workspace: &WorkspaceId,
        id: CommunicationId,
    ) -> Result<Option<Communication>, StoreError> {
        find(&mut *self.reader().await?, workspace, id, "").await
    }

    async fn communications(
        &self,
        workspace: &WorkspaceId,
        filter: &CommunicationFilter,
    ) -> Result<Vec<Communication>, StoreError> {
        let rows: Vec<CommunicationRow> = sql_query(
            "SELECT * FROM communications
             WHERE workspace = $1 AND id < $2 AND ($3 IS NULL OR state = $3) ORDER BY id DESC LIMIT $4",
        )
        .bind::<Text, _>(workspace.as_str())
        .bind::<BigInt, _>(filter.before.map_or(i64::MAX, CommunicationId::raw))
        .bind::<Nullable<Text>, _>(filter.state.map(CommunicationState::as_str))
        .bind::<BigInt, _>(filter.limit)
        .load(&mut *self.reader().await?)
        .await
        .map_err(store)?;
        many(rows)
    }

    async fn next_due(&self) -> Result<Option<Instant>, StoreError> {
        let Next { due_at } = sql_query(
            "SELECT MIN(due_at) AS due_at FROM (
                SELECT MIN(due_at) AS due_at FROM due_communications
                UNION ALL SELECT MIN(due_at) FROM dispatch_lanes) AS both_kinds",
        )
        .get_result(&mut *self.reader().await?)
        .await
        .map_err(store)?;
        Ok(due_at.map(|at| at.0))
    }

    async fn due_lanes(
        &self,
        now: Instant,
        limit: i64,
    ) -> Result<Vec<(WorkspaceId, CommunicationId)>, StoreError> {
        let rows: Vec<LaneKey> = sql_query(
            "SELECT workspace, communication FROM dispatch_lanes WHERE due_at <= $1
             ORDER BY due_at, communication LIMIT $2",
        )
        .bind::<UtcMillis, _>(At(now))
        .bind::<BigInt, _>(limit)
        .load(&mut *self.reader().await?)
        .await
        .map_err(store)?;
        let lane = |row: LaneKey| {
            let corrupt = |_| StoreError::Corrupt("workspace of a lane");
            let workspace = WorkspaceId::parse(&row.workspace).map_err(corrupt)?;
            Ok((workspace, CommunicationId::from_raw(row.communication)))
        };
        rows.into_iter().map(lane).collect()
    }

    async fn occurrences(
        &self,
        workspace: &WorkspaceId,
        id: CommunicationId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Occurrence>, StoreError> {
        let rows: Vec<OccurrenceRow> = sql_query(
            "SELECT o.* FROM occurrences o JOIN communications c ON c.id = o.communication
             WHERE c.workspace = $1 AND c.id = $2 AND o.number < $3 ORDER BY o.number DESC LIMIT $4",
        )
        .bind::<Text, _>(workspace.as_str())
        .bind::<BigInt, _>(id.raw())
        .bind::<BigInt, _>(before.unwrap_or(i64::MAX))
        .bind::<BigInt, _>(limit)
        .load(&mut *self.reader().await?)
        .await
        .map_err(store)?;
        many(rows)
    }

    async fn recipients_of(
        &self,
        workspace: &WorkspaceId,
        id: CommunicationId,
        filter: &RecipientFilter,
    ) -> Result<Vec<Recipient>, StoreError> {
        let (channel, recipient) = match &filter.after {
            Some((channel, key)) => (channel.as_str(), key.as_str()),
            None => ("", ""),
        };
        let rows: Vec<RecipientRow> = sql_query(
            "SELECT * FROM recipients
             WHERE workspace = $1 AND communication = $2 AND occurrence = $3
                AND ($4 IS NULL OR status = $4) AND ($5 IS NULL OR channel = $5)
                AND (channel, recipient) > ($6, $7)
             ORDER BY channel, recipient LIMIT $8",
        )
        .bind::<Text, _>(workspace.as_str())
        .bind::<BigInt, _>(id.raw())
        .bind::<BigInt, _>(filter.occurrence)
        .bind::<Nullable<Text>, _>(filter.status.map(RecipientStatus::as_str))
        .bind::<Nullable<Text>, _>(filter.channel.map(Channel::as_str))
        .bind::<Text, _>(channel)
        .bind::<Text, _>(recipient)
        .bind::<BigInt, _>(filter.limit)
        .load(&mut *self.reader().await?)
        .await
        .map_err(store)?;
        many(rows)
    }

    async fn counted_since(
        &self,
        workspace: &WorkspaceId,
        recipients: &[&RecipientKey],
        since: Instant,
    ) -> Result<BTreeMap<RecipientKey, i64>, StoreError> {
        let ids = recipients.iter().map(|key| Id { id: key.as_str() });
        let ids: Vec<Id<'_>> = ids.collect();
        let rows: Vec<CountedRow> = sql_query(format!(
            "SELECT r.recipient, COUNT(*) AS dispatches FROM {} JOIN recipients r ON r.recipient = batch.id
             WHERE r.workspace = $2 AND r.counted_at > $3 GROUP BY r.recipient",
            table::<Id<'_>>("$1")
        ))
        .bind::<Text, _>(json(&ids)?)
        .bind::<Text, _>(workspace.as_str())
        .bind::<UtcMillis, _>(At(since))
        .load(&mut *self.reader().await?)
        .await
        .map_err(store)?;
        let counted = rows.into_iter().map(|row| {
            let key = RecipientKey::parse(&row.recipient);
            let key = key.map_err(|_| StoreError::Corrupt("key of a recipient"))?;
            Ok((key, row.dispatches))
        });
        counted.collect()
    }

    async fn totals(
        &self,
        workspace: &WorkspaceId,
        id: CommunicationId,
        occurrence: i64,
    ) -> Result<Totals, StoreError> {
        let rows: Vec<Total> = sql_query(
            "SELECT t.channel, t.status, t.recipients
             FROM recipient_totals t JOIN communications c ON c.id = t.communication
             WHERE c.workspace = $1 AND c.id = $2 AND t.occurrence = $3 AND t.recipients > 0",
        )
        .bind::<Text, _>(workspace.as_str())
        .bind::<BigInt, _>(id.raw())
        .bind::<BigInt, _>(occurrence)
        .load(&mut *self.reader().await?)
        .await
        .map_err(store)?;
        let corrupt = |()| StoreError::Corrupt("totals of recipients");
        let total = |row: Total| {
            let key = (
                row.channel.parse().map_err(corrupt)?,
                row.status.parse().map_err(corrupt)?,
            );
            Ok((key, row.recipients))
        };
        let totals: Result<_, StoreError> = rows.into_iter().map(total).collect();
        Ok(Totals(totals?))
    }
}
