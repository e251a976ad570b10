//! What customers did.

use std::collections::HashSet;

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    customer::{Amount, CustomerEvent, CustomerId, CustomerKey, EventName, Identity},
    importing::ExternalId,
    segment::event_index,
    shared::WorkspaceId,
};
use ports::{
    StoreError,
    store::{CustomerEventRepository, EventFilter},
};
use serde_json::Map;

use super::{
    Backend, Conn, audience, changes,
    json_rows::{
        BatchRow, Column, Document, Millis, OwnedDocument, Value, batch_row, columns, json,
        rows as table,
    },
    rows,
};
use crate::{
    core::{
        error::store,
        types::{At, Json},
    },
    schema::customer::customer_events,
};

/// Events of one transaction.
pub(super) struct Events<'c>(pub(super) &'c mut Conn);

batch_row! {
    struct NewRow<'a> {
        customer: i64,
        occurred_at: Millis,
        id: i64,
        name: &'a str,
        properties: Document<'a, Map<String, serde_json::Value>>,
        facts: OwnedDocument<Map<String, serde_json::Value>>,
        amount: Option<i64>,
        event_key: Option<&'a str>,
        received_at: Millis,
    }
}

#[derive(QueryableByName)]
struct Added {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[async_trait]
impl CustomerEventRepository for Events<'_> {
    async fn identify(
        &mut self,
        workspace: &WorkspaceId,
        keys: &[CustomerKey],
    ) -> Result<Vec<(CustomerId, Identity)>, StoreError> {
        rows::identify(self.0, workspace, keys).await
    }

    async fn add(
        &mut self,
        workspace: &WorkspaceId,
        events: &[CustomerEvent],
    ) -> Result<Vec<bool>, StoreError> {
        let notation = audience::settings(self.0, workspace).await?.notation;
        let rows: Vec<NewRow<'_>> = events
            .iter()
            .map(|event| NewRow {
                customer: event.customer.raw(),
                occurred_at: event.time.into(),
                id: event.id,
                name: event.name.as_str(),
                properties: Document(&event.properties),
                facts: OwnedDocument(event_index(event, &notation)),
                amount: event.amount.map(Amount::millionths),
                event_key: event.key.as_ref().map(ExternalId::as_str),
                received_at: event.received_at.into(),
            })
            .collect();
        let (columns, table) = (columns::<NewRow<'_>>(), table::<NewRow<'_>>("$2"));
        let text = format!(
            "INSERT INTO customer_events (workspace, {columns})
             SELECT $1, {columns} FROM {table} WHERE true
             ON CONFLICT DO NOTHING RETURNING id"
        );
        let added: Vec<Added> = sql_query(text)
            .bind::<Text, _>(workspace.as_str())
            .bind::<Text, _>(json(&rows)?)
            .load(self.0)
            .await
            .map_err(store)?;
        let added: HashSet<i64> = added.into_iter().map(|row| row.id).collect();
        let did = events.iter().filter(|event| added.contains(&event.id));
        let did = did.map(|event| (event.customer.raw(), event.name.as_str()));
        changes::happened(self.0, workspace, &did.collect()).await?;
        Ok(events
            .iter()
            .map(|event| added.contains(&event.id))
            .collect())
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = customer_events)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct EventRow {
    customer: i64,
    occurred_at: At,
    id: i64,
    name: String,
    properties: Json,
    amount: Option<i64>,
    event_key: Option<String>,
    received_at: At,
}

impl TryFrom<EventRow> for CustomerEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let properties = serde_json::from_value(row.properties.0)
            .map_err(|_| StoreError::Corrupt("properties of an event"))?;
        Ok(Self {
            id: row.id,
            customer: CustomerId::from_raw(row.customer),
            key: row.event_key.map(ExternalId::from_stored),
            name: EventName::parse(&row.name).ok_or(StoreError::Corrupt("name of an event"))?,
            time: row.occurred_at.0,
            properties,
            amount: row.amount.map(Amount::from_millionths),
            received_at: row.received_at.0,
        })
    }
}

/// Events of a customer, newest first.
pub(super) async fn list(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    customer: CustomerId,
    filter: &EventFilter,
) -> Result<Vec<CustomerEvent>, StoreError> {
    let mut query = customer_events::table
        .filter(customer_events::workspace.eq(workspace.as_str()))
        .filter(customer_events::customer.eq(customer.raw()))
        .order((
            customer_events::occurred_at.desc(),
            customer_events::id.desc(),
        ))
        .limit(filter.limit)
        .select(EventRow::as_select())
        .into_boxed::<Backend>();
    if let Some(name) = &filter.name {
        query = query.filter(customer_events::name.eq(name.as_str()));
    }
    if let Some((time, id)) = filter.before {
        let earlier = customer_events::occurred_at.lt(At(time));
        let same = customer_events::occurred_at.eq(At(time));
        query = query.filter(earlier.or(same.and(customer_events::id.lt(id))));
    }
    let rows: Vec<EventRow> = query.load(conn).await.map_err(store)?;
    rows.into_iter().map(CustomerEvent::try_from).collect()
}

/// Deletes what happened long ago.
pub(in super::super) const PURGE: &str = "
    DELETE FROM customer_events WHERE (workspace, customer, occurred_at, id) IN (
        SELECT workspace, customer, occurred_at, id FROM customer_events
        WHERE occurred_at < $1 ORDER BY occurred_at LIMIT $2)";
