//! Recipients, and their numbers by status.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    customer::Channel,
    scheduling::{DispatchId, Recipient, RecipientStatus},
    shared::{CommunicationId, WorkspaceId},
};
use ports::{
    StoreError,
    scheduling::{NewRecipient, RecipientRepository},
};

use super::{
    Conn, dialect,
    json_rows::{Id, columns, json, rows as table},
    rows::{Key, Moved, NewRow, RecipientRow, many},
};
use crate::core::error::store;

/// Recipients of one transaction.
pub(super) struct Recipients<'c>(pub(super) &'c mut Conn);

/// What is counted: occurrence, channel and status.
type Counted<'a> = ((i64, i64), &'a str, &'a str);

#[derive(QueryableByName)]
struct Text1 {
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct Added {
    #[diesel(sql_type = BigInt)]
    communication: i64,
    #[diesel(sql_type = BigInt)]
    occurrence: i64,
    #[diesel(sql_type = Text)]
    channel: String,
    #[diesel(sql_type = Text)]
    status: String,
}

#[async_trait]
impl RecipientRepository for Recipients<'_> {
    async fn known_addresses(
        &mut self,
        id: CommunicationId,
        occurrence: i64,
        channel: Channel,
        addresses: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let ids: Vec<Id<'_>> = addresses.iter().map(|id| Id { id }).collect();
        let known: Vec<Text1> = sql_query(format!(
            "SELECT DISTINCT r.address AS text FROM {} JOIN recipients r ON r.address = batch.id
             WHERE r.communication = $2 AND r.occurrence = $3 AND r.channel = $4",
            table::<Id<'_>>("$1")
        ))
        .bind::<Text, _>(json(&ids)?)
        .bind::<BigInt, _>(id.raw())
        .bind::<BigInt, _>(occurrence)
        .bind::<Text, _>(channel.as_str())
        .load(self.0)
        .await
        .map_err(store)?;
        Ok(known.into_iter().map(|row| row.text).collect())
    }

    async fn add(
        &mut self,
        workspace: &WorkspaceId,
        recipients: &[NewRecipient],
    ) -> Result<usize, StoreError> {
        let new: Vec<NewRow<'_>> = recipients.iter().map(NewRow::from).collect();
        let (columns, from) = (columns::<NewRow<'_>>(), table::<NewRow<'_>>("$2"));
        let added: Vec<Added> = sql_query(format!(
            "INSERT INTO recipients (workspace, {columns}) SELECT $1, {columns} FROM {from} WHERE true
             ON CONFLICT (communication, occurrence, channel, recipient) DO NOTHING
             RETURNING communication, occurrence, channel, status"
        ))
        .bind::<Text, _>(workspace.as_str())
        .bind::<Text, _>(json(&new)?)
        .load(self.0)
        .await
        .map_err(store)?;
        let mut counts: BTreeMap<Counted<'_>, i64> = BTreeMap::new();
        for row in &added {
            let of = (row.communication, row.occurrence);
            let counted = (of, row.channel.as_str(), row.status.as_str());
            *counts.entry(counted).or_default() += 1;
        }
        self.count(counts).await?;
        Ok(added.len())
    }

    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        dispatches: &[DispatchId],
    ) -> Result<Vec<Recipient>, StoreError> {
        let keys: Vec<Key<'_>> = dispatches.iter().map(Key::from).collect();
        let rows: Vec<RecipientRow> = sql_query(format!(
            "SELECT r.* FROM recipients r
             WHERE r.workspace = $1 AND (r.communication, r.occurrence, r.channel, r.recipient) IN
                (SELECT communication, occurrence, channel, recipient FROM {})
             ORDER BY r.communication, r.occurrence, r.channel, r.recipient {}",
            table::<Key<'_>>("$2"),
            dialect::LOCK
        ))
        .bind::<Text, _>(workspace.as_str())
        .bind::<Text, _>(json(&keys)?)
        .load(self.0)
        .await
        .map_err(store)?;
        many(rows)
    }

    async fn save(&mut self, changed: &[(Recipient, RecipientStatus)]) -> Result<(), StoreError> {
        if changed.is_empty() {
            return Ok(());
        }
        let moved: Vec<Moved<'_>> = changed.iter().map(Moved::from).collect();
        let text = format!(
            "UPDATE recipients SET status = batch.status, reason = batch.reason, provider_id = batch.provider_id,
                held_until = batch.held_until, counted_at = batch.counted_at, updated_at = batch.updated_at
             FROM {} WHERE recipients.communication = batch.communication
                AND recipients.occurrence = batch.occurrence AND recipients.channel = batch.channel
                AND recipients.recipient = batch.recipient AND recipients.status = batch.before",
            table::<Moved<'_>>("$1")
        );
        let saved = sql_query(text)
            .bind::<Text, _>(json(&moved)?)
            .execute(self.0)
            .await
            .map_err(store)?;
        if saved != changed.len() {
            return Err(StoreError::StaleVersion);
        }
        // Counted at the end and in one order, so that two who count do not wait for each other.
        let mut counts: BTreeMap<Counted<'_>, i64> = BTreeMap::new();
        for (recipient, before) in changed {
            let dispatch = &recipient.dispatch;
            let of = (dispatch.communication.raw(), dispatch.occurrence);
            let counted =
                |status: RecipientStatus| (of, dispatch.channel.as_str(), status.as_str());
            *counts.entry(counted(*before)).or_default() -= 1;
            *counts.entry(counted(recipient.status)).or_default() += 1;
        }
        self.count(counts).await
    }
}

impl Recipients<'_> {
    async fn count(&mut self, counts: BTreeMap<Counted<'_>, i64>) -> Result<(), StoreError> {
        for (((communication, occurrence), channel, status), by) in counts {
            sql_query(
                "INSERT INTO recipient_totals AS t (communication, occurrence, channel, status, recipients)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (communication, occurrence, channel, status)
                 DO UPDATE SET recipients = t.recipients + excluded.recipients",
            )
            .bind::<BigInt, _>(communication)
            .bind::<BigInt, _>(occurrence)
            .bind::<Text, _>(channel)
            .bind::<Text, _>(status)
            .bind::<BigInt, _>(by)
            .execute(self.0)
            .await
            .map_err(store)?;
        }
        Ok(())
    }
}
