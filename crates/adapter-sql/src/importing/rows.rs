//! The imported rows of one transaction.

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    importing::{
        ExternalId, MessagesRead,
        rows::{Contact, Quarantined, Row, RowKind, Ticket},
    },
    shared::{ClientId, Instant},
};
use ports::{
    StoreError,
    importing::{DueTicket, RowRepository, Stored, StoredTicket, TicketMessages},
};

use super::{
    Conn,
    batch::insert,
    contacts, direct,
    json_rows::{BatchRow, Column, Millis, Value, batch_row, replaced},
    tickets,
};
use crate::core::error::store;

/// Rows of one transaction.
pub(super) struct Rows<'c>(pub(super) &'c mut Conn);

batch_row! {
    struct QuarantineRow<'a> {
        kind: &'a str,
        ticket: &'a str,
        key: String,
        field: &'a str,
        code: &'a str,
        raw: String,
        first_seen: Millis,
        last_seen: Millis,
    }
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    stored: i64,
    #[diesel(sql_type = BigInt)]
    quarantined: i64,
}

#[async_trait]
impl RowRepository for Rows<'_> {
    async fn known_tickets(
        &mut self,
        client: ClientId,
        ids: &[ExternalId],
    ) -> Result<HashMap<ExternalId, StoredTicket>, StoreError> {
        tickets::known(self.0, client, ids).await
    }

    async fn put_tickets(
        &mut self,
        client: ClientId,
        rows: &[Row<Ticket>],
    ) -> Result<Stored, StoreError> {
        tickets::put(self.0, client, rows).await
    }

    async fn owe_messages(
        &mut self,
        client: ClientId,
        ids: &[ExternalId],
    ) -> Result<(), StoreError> {
        tickets::owe(self.0, client, ids).await
    }

    async fn due_tickets(
        &mut self,
        client: ClientId,
        after: Option<&ExternalId>,
        limit: i64,
    ) -> Result<Vec<DueTicket>, StoreError> {
        tickets::due(self.0, client, after, limit).await
    }

    async fn due_count(&mut self, client: ClientId) -> Result<u64, StoreError> {
        tickets::due_count(self.0, client).await
    }

    async fn messages_read(
        &mut self,
        client: ClientId,
        read: &[(ExternalId, MessagesRead)],
    ) -> Result<(), StoreError> {
        tickets::messages_read(self.0, client, read).await
    }

    async fn put_messages(
        &mut self,
        client: ClientId,
        messages: &[TicketMessages],
    ) -> Result<Stored, StoreError> {
        tickets::put_messages(self.0, client, messages).await
    }

    async fn put_contacts(
        &mut self,
        client: ClientId,
        rows: &[Row<Contact>],
    ) -> Result<Stored, StoreError> {
        contacts::put(self.0, client, rows).await
    }

    async fn quarantine(
        &mut self,
        client: ClientId,
        ticket: Option<&ExternalId>,
        rows: &[Quarantined],
        now: Instant,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        // Of one that comes twice in a page, the last.
        let distinct: HashMap<_, _> = rows
            .iter()
            .map(|row| ((row.kind.as_str(), row.key()), row))
            .collect();
        let ticket = ticket.map_or("", ExternalId::as_str);
        let rows: Vec<QuarantineRow<'_>> = distinct
            .into_iter()
            .map(|((kind, key), row)| QuarantineRow {
                kind,
                ticket,
                key,
                field: &row.fault.field,
                code: row.fault.code,
                raw: row.raw.to_string(),
                first_seen: now.into(),
                last_seen: now.into(),
            })
            .collect();
        let key = ["kind", "ticket", "key"];
        let replaced = replaced::<QuarantineRow<'_>>(&[&key[..], &["first_seen"]].concat());
        let conflict = format!(
            "ON CONFLICT (client, {}) DO UPDATE SET {replaced}",
            key.join(", ")
        );
        insert(self.0, client, "import_quarantine", &rows, &conflict).await
    }

    async fn count(&mut self, client: ClientId, kind: RowKind) -> Result<(u64, u64), StoreError> {
        let table = match kind {
            RowKind::Ticket => "import_tickets",
            RowKind::Session => "import_sessions",
            RowKind::Message => "import_messages",
            RowKind::Contact => "import_contacts",
            RowKind::Tag => "import_tags",
        };
        let text = format!(
            "SELECT (SELECT COUNT(*) FROM {table} WHERE client = $1) AS stored,
                    (SELECT COUNT(*) FROM import_quarantine WHERE client = $1 AND kind = $2)
                        AS quarantined"
        );
        let counts: Counts = sql_query(text)
            .bind::<BigInt, _>(client.raw())
            .bind::<Text, _>(kind.as_str())
            .get_result(self.0)
            .await
            .map_err(store)?;
        Ok((
            direct::count(counts.stored),
            direct::count(counts.quarantined),
        ))
    }
}
