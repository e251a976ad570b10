//! Reads outside a transaction.

use async_trait::async_trait;
use domain::{
    importing::{ClientSlug, ExternalId},
    operation::{Operation, OperationState},
    shared::{ClientId, Instant, OperationId, WorkspaceId},
};
use serde_json::{Map, Value};

use super::{Batch, BatchId, BatchRun, ImportClient, ImportKind};
use crate::{StoreError, store::OperationQueries};

/// A run with whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The operation that it is.
    pub operation: Operation,
    /// Whose CRM it reads.
    pub client: ClientId,
    /// That client's name in URLs.
    pub slug: ClientSlug,
    /// What it imports.
    pub kind: ImportKind,
}

/// Which runs to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of this client.
    pub client: Option<ClientId>,
    /// Of this kind.
    pub kind: Option<ImportKind>,
    /// In this state.
    pub state: Option<OperationState>,
    /// Older than this one.
    pub before: Option<OperationId>,
    /// At most so many.
    pub limit: i64,
}

/// Which tickets to list, in order of their last change, then their id.
#[derive(Debug, Clone, Default)]
pub struct TicketFilter {
    /// With this status.
    pub status: Option<String>,
    /// With this contact.
    pub contact: Option<ExternalId>,
    /// Changed at this instant or later.
    pub from: Option<Instant>,
    /// Changed before this instant.
    pub to: Option<Instant>,
    /// After this one.
    pub after: Option<(Instant, ExternalId)>,
    /// At most so many.
    pub limit: i64,
}

/// An imported ticket.
#[derive(Clone, PartialEq)]
pub struct TicketRow {
    /// `uuid`.
    pub id: ExternalId,
    /// As the CRM names it.
    pub status: Option<String>,
    /// Whether it is with a group.
    pub is_group: bool,
    /// Id, name, number and e-mail of the contact.
    pub contact: Option<(ExternalId, [Option<String>; 3])>,
    /// When it was opened.
    pub created_at: Option<Instant>,
    /// When it was changed last.
    pub updated_at: Instant,
    /// Whether its messages are still to be read.
    pub messages_due: bool,
    /// What else was sent.
    pub extra: Map<String, Value>,
}

/// Which messages of a ticket to list, in order of their sending, then their id.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    /// Sent by the CRM's side, or not.
    pub from_me: Option<bool>,
    /// Sent at this instant or later.
    pub from: Option<Instant>,
    /// Sent before this instant.
    pub to: Option<Instant>,
    /// After this one.
    pub after: Option<(Instant, ExternalId)>,
    /// At most so many.
    pub limit: i64,
}

/// An imported message.
#[derive(Clone, PartialEq)]
pub struct StoredMessage {
    /// Its id, unique within its ticket.
    pub id: ExternalId,
    /// Text.
    pub body: Option<String>,
    /// Whether the CRM's side sent it, where it says so.
    pub from_me: Option<bool>,
    /// Where its attachment is.
    pub media_url: Option<String>,
    /// Kind of the attachment.
    pub media_type: Option<String>,
    /// When it was sent.
    pub created_at: Instant,
    /// When it was changed last.
    pub updated_at: Instant,
    /// What else was sent.
    pub extra: Map<String, Value>,
}

/// Reads outside a transaction. The client of a list was looked up in its workspace before.
#[async_trait]
pub trait ImportQueries: OperationQueries {
    /// One client of a workspace.
    async fn client(
        &self,
        workspace: &WorkspaceId,
        id: ClientId,
    ) -> Result<Option<ImportClient>, StoreError>;

    /// Clients of a workspace after an id, in order of ids; one alone where its slug is given.
    async fn clients(
        &self,
        workspace: &WorkspaceId,
        slug: Option<&ClientSlug>,
        after: Option<ClientId>,
        limit: i64,
    ) -> Result<Vec<ImportClient>, StoreError>;

    /// One run of a workspace.
    async fn run(
        &self,
        workspace: &WorkspaceId,
        id: OperationId,
    ) -> Result<Option<Run>, StoreError>;

    /// Runs of a workspace.
    async fn runs(
        &self,
        workspace: &WorkspaceId,
        filter: &RunFilter,
    ) -> Result<Vec<Run>, StoreError>;

    /// A batch with its runs.
    async fn batch(&self, id: BatchId) -> Result<Option<(Batch, Vec<BatchRun>)>, StoreError>;

    /// Tickets of a client.
    async fn tickets(
        &self,
        client: ClientId,
        filter: &TicketFilter,
    ) -> Result<Vec<TicketRow>, StoreError>;

    /// Messages of a ticket; none where the ticket is not there.
    async fn messages(
        &self,
        client: ClientId,
        ticket: &ExternalId,
        filter: &MessageFilter,
    ) -> Result<Option<Vec<StoredMessage>>, StoreError>;
}
