//! What is kept of runs beside their operations: which are live, how far their walks are, and the
//! cursors that outlast them.

use async_trait::async_trait;
use domain::{
    importing::{
        ExternalId,
        walk::{Checkpoint, Mark},
    },
    shared::{ClientId, Instant, OperationId},
};

use crate::StoreError;

/// What a run imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportKind {
    /// Tickets and messages.
    Tickets,
    /// Contacts and tags.
    Contacts,
}

impl ImportKind {
    /// The kind as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Contacts => "contacts",
        }
    }

    /// The kind of a text, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Tickets, Self::Contacts]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// Whether a request began a run or joined one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It began this one.
    New,
    /// One of that client and kind was live already: this one.
    Joined(OperationId),
}

/// A list that a run walks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListKey {
    /// Tickets.
    Tickets,
    /// Contacts.
    Contacts,
    /// Messages of a ticket.
    Messages(ExternalId),
}

impl ListKey {
    /// What the key of a ticket's messages begins with.
    pub const MESSAGES: &'static str = "messages:";

    /// The key as it is stored.
    pub fn to_text(&self) -> String {
        match self {
            Self::Tickets => "tickets".to_owned(),
            Self::Contacts => "contacts".to_owned(),
            Self::Messages(ticket) => format!("{}{ticket}", Self::MESSAGES),
        }
    }
}

/// A walk as it was left.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredWalk {
    /// Its state.
    pub checkpoint: Checkpoint,
    /// The keys of all marks of the checkpoint's pass.
    pub keys: Vec<u64>,
}

/// Runs of one transaction.
#[async_trait]
pub trait RunRepository: Send {
    /// Makes an operation the live run of a client and kind, unless there is one. A run that ended
    /// may be made live again.
    async fn open(
        &mut self,
        client: ClientId,
        kind: ImportKind,
        operation: OperationId,
    ) -> Result<Opened, StoreError>;

    /// Ends the run of an operation. Its walks stay, in case it is tried again.
    async fn close(&mut self, operation: OperationId) -> Result<(), StoreError>;

    /// Forgets all walks of an operation that will not be tried again.
    async fn forget_walks(&mut self, operation: OperationId) -> Result<(), StoreError>;

    /// Forgets the walks of all ended runs of a client and kind: a new one begins in their place.
    async fn forget_ended(&mut self, client: ClientId, kind: ImportKind) -> Result<(), StoreError>;

    /// The next number of a client's batches of customers, from 1, each given once.
    async fn next_batch(&mut self, client: ClientId) -> Result<i64, StoreError>;

    /// Stores a walk after a page: its state, and the page's mark where it has keys. Marks of other
    /// passes are forgotten.
    async fn save_walk(
        &mut self,
        operation: OperationId,
        list: &ListKey,
        checkpoint: &Checkpoint,
        mark: &Mark,
    ) -> Result<(), StoreError>;

    /// A walk as it was left.
    async fn walk(
        &mut self,
        operation: OperationId,
        list: &ListKey,
    ) -> Result<Option<StoredWalk>, StoreError>;

    /// The tickets whose messages an operation has begun to walk.
    async fn message_walks(
        &mut self,
        operation: OperationId,
    ) -> Result<Vec<ExternalId>, StoreError>;

    /// Forgets a walk that is over.
    async fn end_walk(&mut self, operation: OperationId, list: &ListKey) -> Result<(), StoreError>;

    /// `lastImportAt`.
    async fn cursor(&mut self, client: ClientId) -> Result<Option<Instant>, StoreError>;

    /// Moves `lastImportAt`; never back.
    async fn move_cursor(&mut self, client: ClientId, to: Instant) -> Result<(), StoreError>;

    /// `contacts:page`; 0 before the first run.
    async fn contacts_page(&mut self, client: ClientId) -> Result<u64, StoreError>;

    /// Stores `contacts:page`.
    async fn save_contacts_page(&mut self, client: ClientId, page: u64) -> Result<(), StoreError>;
}
