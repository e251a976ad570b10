//! The rows that were imported. Writing one again changes nothing unless it differs.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{
    importing::{
        ExternalId, Fingerprint, MessagesRead,
        rows::{Contact, Message, Quarantined, Row, RowKind, Ticket},
    },
    shared::{ClientId, Instant},
};

use crate::StoreError;

/// What is stored of a ticket, for the decision about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredTicket {
    /// The version that is stored.
    pub fingerprint: Fingerprint,
    /// The last complete reading of its messages.
    pub messages_read: Option<MessagesRead>,
}

/// A ticket whose messages are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTicket {
    /// Its id.
    pub id: ExternalId,
    /// Its version now, to be noted when its messages are read.
    pub fingerprint: Fingerprint,
}

/// What writing rows came to, in terms of their ids. What is in neither was there like this already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Rows that were not there before.
    pub created: Vec<ExternalId>,
    /// Rows that replaced another version.
    pub updated: Vec<ExternalId>,
}

/// Messages of one ticket that are to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketMessages {
    /// The ticket.
    pub ticket: ExternalId,
    /// Its messages.
    pub messages: Vec<Row<Message>>,
}

/// Imported rows of one transaction. The rows of a call have one id each only once.
#[async_trait]
pub trait RowRepository: Send {
    /// What is stored of these tickets.
    async fn known_tickets(
        &mut self,
        client: ClientId,
        ids: &[ExternalId],
    ) -> Result<HashMap<ExternalId, StoredTicket>, StoreError>;

    /// Writes tickets with their sessions; the sessions of a ticket that differs are replaced.
    async fn put_tickets(
        &mut self,
        client: ClientId,
        tickets: &[Row<Ticket>],
    ) -> Result<Stored, StoreError>;

    /// Marks tickets whose messages are to be read.
    async fn owe_messages(
        &mut self,
        client: ClientId,
        tickets: &[ExternalId],
    ) -> Result<(), StoreError>;

    /// Tickets whose messages are to be read, in order of ids, after one.
    async fn due_tickets(
        &mut self,
        client: ClientId,
        after: Option<&ExternalId>,
        limit: i64,
    ) -> Result<Vec<DueTicket>, StoreError>;

    /// How many tickets have messages that are to be read.
    async fn due_count(&mut self, client: ClientId) -> Result<u64, StoreError>;

    /// Notes that the messages of tickets were read. Those of a ticket that has changed since stay due.
    async fn messages_read(
        &mut self,
        client: ClientId,
        read: &[(ExternalId, MessagesRead)],
    ) -> Result<(), StoreError>;

    /// Writes messages of several tickets, each ticket once. The ids of the answer are unique within
    /// their tickets only: it is there to be counted.
    async fn put_messages(
        &mut self,
        client: ClientId,
        messages: &[TicketMessages],
    ) -> Result<Stored, StoreError>;

    /// Writes contacts with their tags; the tags of a contact that differs are replaced.
    async fn put_contacts(
        &mut self,
        client: ClientId,
        contacts: &[Row<Contact>],
    ) -> Result<Stored, StoreError>;

    /// Keeps rows that cannot be read, each once; `ticket` is that of messages.
    async fn quarantine(
        &mut self,
        client: ClientId,
        ticket: Option<&ExternalId>,
        rows: &[Quarantined],
        now: Instant,
    ) -> Result<(), StoreError>;

    /// How many rows of a kind a client has; those in quarantine apart.
    async fn count(&mut self, client: ClientId, kind: RowKind) -> Result<(u64, u64), StoreError>;
}
