//! Rows as they are stored and read.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{
    scheduling::{Communication, DispatchId, Occurrence, Recipient, RecipientKey, RecipientStatus},
    shared::{CommunicationId, WorkspaceId},
};
use ports::{StoreError, scheduling::NewRecipient};

use super::json_rows::{BatchRow, Column, Document, Millis, Value, batch_row};
use crate::core::types::{At, Doc, Json, UtcMillis};

#[derive(QueryableByName)]
pub(super) struct CommunicationRow {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Doc)]
    plan: Json,
    #[diesel(sql_type = UtcMillis)]
    due_at: At,
    #[diesel(sql_type = BigInt)]
    occurrence: i64,
    #[diesel(sql_type = BigInt)]
    in_flight: i64,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    created_by: String,
    #[diesel(sql_type = UtcMillis)]
    created_at: At,
    #[diesel(sql_type = UtcMillis)]
    updated_at: At,
}

impl TryFrom<CommunicationRow> for Communication {
    type Error = StoreError;

    fn try_from(row: CommunicationRow) -> Result<Self, StoreError> {
        let corrupt = StoreError::Corrupt;
        Ok(Self {
            id: CommunicationId::from_raw(row.id),
            workspace: WorkspaceId::parse(&row.workspace)
                .map_err(|_| corrupt("workspace of a communication"))?,
            name: row.name,
            state: row
                .state
                .parse()
                .map_err(|()| corrupt("state of a communication"))?,
            plan: serde_json::from_value(row.plan.0)
                .map_err(|_| corrupt("plan of a communication"))?,
            due_at: row.due_at.0,
            occurrence: row.occurrence,
            in_flight: row.in_flight != 0,
            version: row.version,
            created_by: row.created_by,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

#[derive(QueryableByName)]
pub(super) struct OccurrenceRow {
    #[diesel(sql_type = BigInt)]
    communication: i64,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = UtcMillis)]
    scheduled_for: At,
    #[diesel(sql_type = UtcMillis)]
    claimed_at: At,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    parts: Option<i64>,
    #[diesel(sql_type = BigInt)]
    arrived: i64,
    #[diesel(sql_type = Nullable<UtcMillis>)]
    ended_at: Option<At>,
}

impl TryFrom<OccurrenceRow> for Occurrence {
    type Error = StoreError;

    fn try_from(row: OccurrenceRow) -> Result<Self, StoreError> {
        let corrupt = |()| StoreError::Corrupt("state of an occurrence");
        Ok(Self {
            communication: CommunicationId::from_raw(row.communication),
            number: row.number,
            scheduled_for: row.scheduled_for.0,
            claimed_at: row.claimed_at.0,
            state: row.state.parse().map_err(corrupt)?,
            parts: row.parts,
            arrived: row.arrived,
            ended_at: row.ended_at.map(|at| at.0),
        })
    }
}

#[derive(QueryableByName)]
pub(super) struct RecipientRow {
    #[diesel(sql_type = BigInt)]
    communication: i64,
    #[diesel(sql_type = BigInt)]
    occurrence: i64,
    #[diesel(sql_type = Text)]
    channel: String,
    #[diesel(sql_type = Text)]
    recipient: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    provider_id: Option<String>,
    #[diesel(sql_type = Nullable<UtcMillis>)]
    held_until: Option<At>,
    #[diesel(sql_type = Nullable<UtcMillis>)]
    counted_at: Option<At>,
    #[diesel(sql_type = UtcMillis)]
    updated_at: At,
}

impl TryFrom<RecipientRow> for Recipient {
    type Error = StoreError;

    fn try_from(row: RecipientRow) -> Result<Self, StoreError> {
        let corrupt = StoreError::Corrupt;
        let recipient = RecipientKey::parse(&row.recipient);
        Ok(Self {
            dispatch: DispatchId {
                communication: CommunicationId::from_raw(row.communication),
                occurrence: row.occurrence,
                channel: row
                    .channel
                    .parse()
                    .map_err(|()| corrupt("channel of a recipient"))?,
                recipient: recipient.map_err(|_| corrupt("key of a recipient"))?,
            },
            status: row
                .status
                .parse()
                .map_err(|()| corrupt("status of a recipient"))?,
            reason: row.reason,
            provider_id: row.provider_id,
            held_until: row.held_until.map(|at| at.0),
            counted_at: row.counted_at.map(|at| at.0),
            updated_at: row.updated_at.0,
        })
    }
}

/// Rows as what they are.
pub(super) fn many<R, T: TryFrom<R, Error = StoreError>>(
    rows: Vec<R>,
) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(T::try_from).collect()
}

batch_row! {
    /// What changes of a communication.
    pub(super) struct Changed<'a> {
        id: i64,
        name: &'a str,
        state: &'a str,
        plan: Document<'a, domain::scheduling::Plan>,
        due_at: Millis,
        occurrence: i64,
        in_flight: i64,
        version: i64,
        updated_at: Millis,
    }
}

impl<'a> From<&'a Communication> for Changed<'a> {
    fn from(of: &'a Communication) -> Self {
        Self {
            id: of.id.raw(),
            name: &of.name,
            state: of.state.as_str(),
            plan: Document(&of.plan),
            due_at: of.due_at.into(),
            occurrence: of.occurrence,
            in_flight: of.in_flight.into(),
            version: of.version,
            updated_at: of.updated_at.into(),
        }
    }
}

batch_row! {
    /// An occurrence.
    pub(super) struct NewOccurrence<'a> {
        communication: i64,
        number: i64,
        scheduled_for: Millis,
        claimed_at: Millis,
        state: &'a str,
        parts: Option<i64>,
        arrived: i64,
        ended_at: Option<Millis>,
    }
}

impl<'a> From<&'a Occurrence> for NewOccurrence<'a> {
    fn from(of: &'a Occurrence) -> Self {
        Self {
            communication: of.communication.raw(),
            number: of.number,
            scheduled_for: of.scheduled_for.into(),
            claimed_at: of.claimed_at.into(),
            state: of.state.as_str(),
            parts: of.parts,
            arrived: of.arrived,
            ended_at: of.ended_at.map(Millis::from),
        }
    }
}

batch_row! {
    /// A recipient.
    pub(super) struct NewRow<'a> {
        communication: i64,
        occurrence: i64,
        channel: &'a str,
        recipient: &'a str,
        status: &'a str,
        reason: Option<&'a str>,
        provider_id: Option<&'a str>,
        address: Option<&'a str>,
        held_until: Option<Millis>,
        counted_at: Option<Millis>,
        updated_at: Millis,
    }
}

impl<'a> From<&'a NewRecipient> for NewRow<'a> {
    fn from(of: &'a NewRecipient) -> Self {
        let NewRecipient { recipient, address } = of;
        Self {
            communication: recipient.dispatch.communication.raw(),
            occurrence: recipient.dispatch.occurrence,
            channel: recipient.dispatch.channel.as_str(),
            recipient: recipient.dispatch.recipient.as_str(),
            status: recipient.status.as_str(),
            reason: recipient.reason.as_deref(),
            provider_id: recipient.provider_id.as_deref(),
            address: address.as_deref(),
            held_until: recipient.held_until.map(Millis::from),
            counted_at: recipient.counted_at.map(Millis::from),
            updated_at: recipient.updated_at.into(),
        }
    }
}

batch_row! {
    /// The key of a recipient.
    pub(super) struct Key<'a> {
        communication: i64,
        occurrence: i64,
        channel: &'a str,
        recipient: &'a str,
    }
}

impl<'a> From<&'a DispatchId> for Key<'a> {
    fn from(of: &'a DispatchId) -> Self {
        Self {
            communication: of.communication.raw(),
            occurrence: of.occurrence,
            channel: of.channel.as_str(),
            recipient: of.recipient.as_str(),
        }
    }
}

batch_row! {
    /// Where a recipient stands, and where it stood.
    pub(super) struct Moved<'a> {
        communication: i64,
        occurrence: i64,
        channel: &'a str,
        recipient: &'a str,
        before: &'a str,
        status: &'a str,
        reason: Option<&'a str>,
        provider_id: Option<&'a str>,
        held_until: Option<Millis>,
        counted_at: Option<Millis>,
        updated_at: Millis,
    }
}

impl<'a> From<&'a (Recipient, RecipientStatus)> for Moved<'a> {
    fn from((of, before): &'a (Recipient, RecipientStatus)) -> Self {
        Self {
            communication: of.dispatch.communication.raw(),
            occurrence: of.dispatch.occurrence,
            channel: of.dispatch.channel.as_str(),
            recipient: of.dispatch.recipient.as_str(),
            before: before.as_str(),
            status: of.status.as_str(),
            reason: of.reason.as_deref(),
            provider_id: of.provider_id.as_deref(),
            held_until: of.held_until.map(Millis::from),
            counted_at: of.counted_at.map(Millis::from),
            updated_at: of.updated_at.into(),
        }
    }
}
