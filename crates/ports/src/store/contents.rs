//! Contents: one generation of an audience's contacts as the relational store knows it. The write
//! lock, the exact count, and the stack of removals live here.

use async_trait::async_trait;
use domain::{
    contact::Document,
    operation::ReasonCounts,
    shared::{AudienceId, Epoch, Instant, OperationId, RemovalNo, WriteNo},
};

use crate::{StoreError, contacts::ContentKey};

/// One generation of contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Which.
    pub key: ContentKey,
    /// Exact number of visible contacts.
    pub contacts: i64,
    /// Number the next accepted request gets; the high part of [`crate::contacts::Order`].
    pub next_request: i64,
    /// Requests of lower numbers were accepted before the clear that made this content: none of their
    /// rows belongs to it.
    pub first_request: i64,
    /// Grows with every change of what is visible; what a page index is valid for.
    pub revision: i64,
    /// Active removals, oldest first, the permanent one not among them.
    pub active: Vec<RemovalNo>,
}

/// How far a content has got, and what may be in the contact store beyond that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// Of the content.
    pub revision: i64,
    /// Documents of the write that is open on it.
    pub documents: Vec<Document>,
}

/// What a writer asks the lock for.
#[derive(Debug, Clone)]
pub struct NewWrite {
    /// Unique number of the write.
    pub write: WriteNo,
    /// The process that holds it.
    pub owner: String,
    /// When another process may take it for abandoned, by this store's clock.
    pub lease_seconds: u32,
    /// Every document it may touch: all that repair looks at.
    pub documents: Vec<Document>,
    /// How many request numbers it takes (0 where they were taken before).
    pub requests: i64,
}

/// Answer to a writer that asks for the lock.
#[derive(Debug, Clone)]
pub enum OpenWrite {
    /// It has it. `first_request` is the first of the numbers it asked for.
    Opened {
        /// The content as of now; nobody else changes it until the write is closed.
        content: Content,
        /// First request number taken.
        first_request: i64,
    },
    /// Another write is open. When `lapsed`, its owner is gone and it may be repaired.
    Busy {
        /// The open write.
        intent: WriteIntent,
        /// Whether its lease has run out.
        lapsed: bool,
    },
    /// There is no such content, or the audience's pointer is at another one by now, or the audience
    /// is abandoned.
    Gone,
}

/// An open write, or one that ended while a removal was being built.
#[derive(Debug, Clone)]
pub struct WriteIntent {
    /// Content it belongs to.
    pub key: ContentKey,
    /// Unique number.
    pub write: WriteNo,
    /// The process that opened it.
    pub owner: String,
    /// The first request number that it took, and how many.
    pub requests: (i64, i64),
    /// Documents it may have touched.
    pub documents: Vec<Document>,
}

/// How a write changed a content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentDelta {
    /// Change of the visible count.
    pub contacts: i64,
    /// Contacts made visible again, by the removal that hid them.
    pub revived: Vec<(RemovalNo, i64)>,
}

/// Where a removal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalState {
    /// Tombstones are being written; nothing shows.
    Building,
    /// It counts.
    Active,
    /// It was taken back, cancelled or failed; its tombstones are garbage.
    Withdrawn,
    /// It counts and can no longer be undone; what it hides is being deleted.
    Expired,
    /// What it hid is deleted.
    Purged,
}

/// A removal of contacts from a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Content it belongs to.
    pub key: ContentKey,
    /// Its number in the content; later ones are greater.
    pub no: RemovalNo,
    /// The operation that made it.
    pub operation: OperationId,
    /// Where it stands.
    pub state: RemovalState,
    /// Contacts that only this removal hides now: what an undo brings back.
    pub hidden: i64,
    /// By first reason, as of the flip.
    pub by_reason: ReasonCounts,
    /// When it became active.
    pub active_since: Option<Instant>,
}

/// What begins a removal.
#[derive(Debug, Clone, Copy)]
pub struct NewRemoval {
    /// Content it belongs to.
    pub key: ContentKey,
    /// The operation that makes it.
    pub operation: OperationId,
}

/// Contents of one transaction.
#[async_trait]
pub trait ContentRepository: Send {
    /// Adds an empty content under the next epoch of the audience (epochs only grow) and answers it.
    /// It shows nowhere until the audience's pointer is moved to it. Its request numbers go on where
    /// the audience's others stand, and that is its `first_request`: what was accepted before stays out.
    async fn add(&mut self, audience: AudienceId) -> Result<Content, StoreError>;

    /// One content.
    async fn get(&mut self, key: ContentKey) -> Result<Option<Content>, StoreError>;

    /// Takes request numbers for a request that is accepted now and written later (an upload).
    async fn take_requests(&mut self, key: ContentKey, count: i64) -> Result<i64, StoreError>;

    /// Takes the write lock by committing an intent. One write per content is open at a time, and only
    /// the content that the audience's pointer is at can be written.
    async fn open_write(
        &mut self,
        key: ContentKey,
        write: &NewWrite,
    ) -> Result<OpenWrite, StoreError>;

    /// Applies what a write did, bumps the revision, mirrors the count into the audience row (when the
    /// content is its current one) with `updated_at = now`, and releases the lock. The intent is kept
    /// while a removal of the content is being built, deleted otherwise.
    ///
    /// # Errors
    /// `StaleVersion` when the write is no longer open under this owner.
    async fn close_write(
        &mut self,
        key: ContentKey,
        write: WriteNo,
        owner: &str,
        delta: &ContentDelta,
        now: Instant,
    ) -> Result<Content, StoreError>;

    /// Takes over a write whose owner is gone, for repair.
    ///
    /// # Errors
    /// `StaleVersion` when it is no longer open under the owner that was seen.
    async fn adopt_write(
        &mut self,
        seen: &WriteIntent,
        new_owner: &str,
        lease_seconds: u32,
    ) -> Result<(), StoreError>;

    /// Intents that ended since the removal began, after `after`, oldest first: what was written
    /// while it was being built.
    async fn touched_since(
        &mut self,
        key: ContentKey,
        removal: RemovalNo,
        after: Option<WriteNo>,
        limit: i64,
    ) -> Result<Vec<WriteIntent>, StoreError>;

    /// Begins a removal under the next number; a second call for the same operation answers the same,
    /// unless it was withdrawn meanwhile, whether its tombstones are deleted yet or not: then it begins
    /// anew under the next number.
    async fn begin_removal(&mut self, removal: NewRemoval) -> Result<Removal, StoreError>;

    /// The removals of a content, oldest first.
    async fn removals(&mut self, key: ContentKey) -> Result<Vec<Removal>, StoreError>;

    /// The removal an operation made, if any.
    async fn removal_of(&mut self, operation: OperationId) -> Result<Option<Removal>, StoreError>;

    /// Writes state, hidden count, reasons and `active_since` of a removal. Kept intents are deleted
    /// when no removal of the content is being built any more.
    async fn save_removal(&mut self, removal: &Removal) -> Result<(), StoreError>;

    /// Sets what is visible: the active removals and the change of the count; bumps the revision and
    /// mirrors the count into the audience row. The caller holds the write lock or flips under it.
    ///
    /// # Errors
    /// `StaleVersion` when the revision is not `expected_revision`.
    async fn set_active(
        &mut self,
        key: ContentKey,
        active: &[RemovalNo],
        contacts_delta: i64,
        expected_revision: i64,
        now: Instant,
    ) -> Result<Content, StoreError>;

    /// Epochs of an audience with a content row, ascending.
    async fn epochs(&mut self, audience: AudienceId) -> Result<Vec<Epoch>, StoreError>;

    /// Forgets a content whose contacts are purged.
    async fn forget(&mut self, key: ContentKey) -> Result<(), StoreError>;
}
