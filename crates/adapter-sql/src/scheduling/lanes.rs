//! Dispatches that wait, and when the next of a communication may leave.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    scheduling::{DispatchId, Lane, RecipientKey},
    shared::{CommunicationId, Instant, WorkspaceId},
};
use ports::{
    StoreError,
    scheduling::{LaneRepository, Waiting},
};

use super::{
    Conn,
    json_rows::{BatchRow, Column, Millis, Value, batch_row, columns, json, rows as table},
    rows::Key,
};
use crate::core::{
    error::store,
    types::{At, Doc, Json, UtcMillis},
};

/// Lanes of one transaction.
pub(super) struct Lanes<'c>(pub(super) &'c mut Conn);

#[derive(QueryableByName)]
struct LaneRow {
    #[diesel(sql_type = BigInt)]
    communication: i64,
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = BigInt)]
    occurrence: i64,
    #[diesel(sql_type = Nullable<UtcMillis>)]
    due_at: Option<At>,
    #[diesel(sql_type = UtcMillis)]
    next_slot: At,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = Doc)]
    rules: Json,
}

impl TryFrom<LaneRow> for Lane {
    type Error = StoreError;

    fn try_from(row: LaneRow) -> Result<Self, StoreError> {
        let corrupt = StoreError::Corrupt;
        Ok(Self {
            communication: CommunicationId::from_raw(row.communication),
            workspace: WorkspaceId::parse(&row.workspace)
                .map_err(|_| corrupt("workspace of a lane"))?,
            occurrence: row.occurrence,
            due_at: row.due_at.map(|at| at.0),
            next_slot: row.next_slot.0,
            waiting: row.waiting,
            rules: serde_json::from_value(row.rules.0).map_err(|_| corrupt("rules of a lane"))?,
        })
    }
}

#[derive(QueryableByName)]
struct WaitingRow {
    #[diesel(sql_type = BigInt)]
    communication: i64,
    #[diesel(sql_type = BigInt)]
    occurrence: i64,
    #[diesel(sql_type = Text)]
    channel: String,
    #[diesel(sql_type = Text)]
    recipient: String,
    #[diesel(sql_type = UtcMillis)]
    release_at: At,
    #[diesel(sql_type = Text)]
    zone: String,
    #[diesel(sql_type = Text)]
    sealed: String,
}

impl TryFrom<WaitingRow> for Waiting {
    type Error = StoreError;

    fn try_from(row: WaitingRow) -> Result<Self, StoreError> {
        let corrupt = StoreError::Corrupt;
        let channel = row.channel.parse();
        let recipient = RecipientKey::parse(&row.recipient);
        Ok(Self {
            dispatch: DispatchId {
                communication: CommunicationId::from_raw(row.communication),
                occurrence: row.occurrence,
                channel: channel.map_err(|()| corrupt("channel of a dispatch"))?,
                recipient: recipient.map_err(|_| corrupt("recipient of a dispatch"))?,
            },
            release_at: row.release_at.0,
            zone: row
                .zone
                .parse()
                .map_err(|_| corrupt("zone of a dispatch"))?,
            sealed: STANDARD_NO_PAD
                .decode(row.sealed)
                .map_err(|_| corrupt("content of a dispatch"))?,
        })
    }
}

batch_row! {
    struct NewWaiting<'a> {
        communication: i64,
        occurrence: i64,
        channel: &'a str,
        recipient: &'a str,
        release_at: Millis,
        zone: &'a str,
        sealed: String,
    }
}

impl<'a> From<&'a Waiting> for NewWaiting<'a> {
    fn from(of: &'a Waiting) -> Self {
        Self {
            communication: of.dispatch.communication.raw(),
            occurrence: of.dispatch.occurrence,
            channel: of.dispatch.channel.as_str(),
            recipient: of.dispatch.recipient.as_str(),
            release_at: of.release_at.into(),
            zone: of.zone.name(),
            sealed: STANDARD_NO_PAD.encode(&of.sealed),
        }
    }
}

#[derive(QueryableByName)]
struct Earliest {
    #[diesel(sql_type = Nullable<UtcMillis>)]
    release_at: Option<At>,
}

#[async_trait]
impl LaneRepository for Lanes<'_> {
    async fn get(&mut self, id: CommunicationId) -> Result<Option<Lane>, StoreError> {
        let row: Option<LaneRow> =
            sql_query("SELECT * FROM dispatch_lanes WHERE communication = $1")
                .bind::<BigInt, _>(id.raw())
                .get_result(self.0)
                .await
                .optional()
                .map_err(store)?;
        row.map(Lane::try_from).transpose()
    }

    async fn save(&mut self, lane: &Lane) -> Result<(), StoreError> {
        if lane.waiting == 0 {
            return sql_query("DELETE FROM dispatch_lanes WHERE communication = $1")
                .bind::<BigInt, _>(lane.communication.raw())
                .execute(self.0)
                .await
                .map_err(store)
                .map(drop);
        }
        let rules = serde_json::to_value(&lane.rules)
            .map_err(|error| StoreError::Internal(Box::new(error)))?;
        sql_query(
            "INSERT INTO dispatch_lanes (communication, workspace, occurrence, due_at, next_slot, waiting, rules)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (communication) DO UPDATE SET occurrence = excluded.occurrence, due_at = excluded.due_at,
                next_slot = excluded.next_slot, waiting = excluded.waiting, rules = excluded.rules",
        )
        .bind::<BigInt, _>(lane.communication.raw())
        .bind::<Text, _>(lane.workspace.as_str())
        .bind::<BigInt, _>(lane.occurrence)
        .bind::<Nullable<UtcMillis>, _>(lane.due_at.map(At))
        .bind::<UtcMillis, _>(At(lane.next_slot))
        .bind::<BigInt, _>(lane.waiting)
        .bind::<Doc, _>(Json(rules))
        .execute(self.0)
        .await
        .map_err(store)
        .map(drop)
    }

    async fn add(&mut self, waiting: &[Waiting]) -> Result<(), StoreError> {
        if waiting.is_empty() {
            return Ok(());
        }
        let new: Vec<NewWaiting<'_>> = waiting.iter().map(NewWaiting::from).collect();
        let (columns, from) = (columns::<NewWaiting<'_>>(), table::<NewWaiting<'_>>("$1"));
        sql_query(format!(
            "INSERT INTO waiting_dispatches ({columns}) SELECT {columns} FROM {from} WHERE true
             ON CONFLICT (communication, occurrence, channel, recipient)
             DO UPDATE SET release_at = excluded.release_at"
        ))
        .bind::<Text, _>(json(&new)?)
        .execute(self.0)
        .await
        .map_err(store)
        .map(drop)
    }

    async fn ready(
        &mut self,
        id: CommunicationId,
        now: Instant,
        limit: i64,
    ) -> Result<Vec<Waiting>, StoreError> {
        let rows: Vec<WaitingRow> = sql_query(
            "SELECT * FROM waiting_dispatches WHERE communication = $1 AND release_at <= $2
             ORDER BY release_at, channel, recipient LIMIT $3",
        )
        .bind::<BigInt, _>(id.raw())
        .bind::<UtcMillis, _>(At(now))
        .bind::<BigInt, _>(limit)
        .load(self.0)
        .await
        .map_err(store)?;
        rows.into_iter().map(Waiting::try_from).collect()
    }

    async fn earliest(&mut self, id: CommunicationId) -> Result<Option<Instant>, StoreError> {
        let Earliest { release_at } = sql_query(
            "SELECT MIN(release_at) AS release_at FROM waiting_dispatches WHERE communication = $1",
        )
        .bind::<BigInt, _>(id.raw())
        .get_result(self.0)
        .await
        .map_err(store)?;
        Ok(release_at.map(|at| at.0))
    }

    async fn remove(&mut self, dispatches: &[DispatchId]) -> Result<(), StoreError> {
        let keys: Vec<Key<'_>> = dispatches.iter().map(Key::from).collect();
        sql_query(format!(
            "DELETE FROM waiting_dispatches WHERE (communication, occurrence, channel, recipient) IN
                (SELECT communication, occurrence, channel, recipient FROM {})",
            table::<Key<'_>>("$1")
        ))
        .bind::<Text, _>(json(&keys)?)
        .execute(self.0)
        .await
        .map_err(store)
        .map(drop)
    }
}
