//! The contact store: members of audiences, in one ordered keyspace per generation.
//!
//! A key is `(audience, epoch, document)`. A removal writes *tombstones* under the same keys and
//! becomes visible only when the relational store lists it as active, so the store itself never
//! decides what is visible: every read names the removals that count. A contact is hidden if and
//! only if one of those removals has a tombstone for it whose order is not below the contact's own.
//!
//! Every write is idempotent and may be repeated after a crash. The caller holds the audience's
//! write lock for [`ContactStore::upsert`] and for nothing else.

use async_trait::async_trait;
use domain::{
    contact::{ContactBody, Document},
    recycle::Reasons,
    shared::{AudienceId, Epoch, RemovalNo, WorkspaceId, WriteNo},
};

use crate::StoreError;

/// Most rows one call takes or returns.
pub const MAX_BATCH: usize = 10_000;

/// One generation of one audience's contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentKey {
    /// The audience.
    pub audience: AudienceId,
    /// Its generation.
    pub epoch: Epoch,
}

/// The order of acceptance of a contact: `(request in the audience, row in the request)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order(pub i64);

impl Order {
    /// Rows one request may have.
    const ROW_BITS: u32 = 32;

    /// The order of row `row` of request `request`.
    pub const fn new(request: i64, row: u32) -> Self {
        Self((request << Self::ROW_BITS) | row as i64)
    }

    /// Above every row of the requests before `request`, and below the rows of that one.
    pub const fn before(request: i64) -> Self {
        Self((request << Self::ROW_BITS) - 1)
    }

    /// The request's number.
    pub const fn request(self) -> i64 {
        self.0 >> Self::ROW_BITS
    }
}

/// The removals that count for a reader. Sorted; [`RemovalNo::PERMANENT`] always counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Numbers of the active removals besides the permanent one.
    pub removals: Vec<RemovalNo>,
}

/// A contact in a content.
#[derive(Debug, Clone)]
pub struct ContactRecord {
    /// Its key.
    pub document: Document,
    /// Its order of acceptance.
    pub order: Order,
    /// Its values.
    pub body: ContactBody,
}

/// What became of one row of an upsert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// There was no such key.
    Inserted,
    /// It replaced the contact of this lower order.
    Replaced(Order),
    /// The very same order is stored already, by an earlier run of this write; `previous` is what
    /// that run replaced, and `by` the write that did it.
    Repeated {
        /// Order of what the earlier run replaced, if anything.
        previous: Option<Order>,
        /// The write that stored it.
        by: WriteNo,
    },
    /// A contact of higher order is there; nothing changed.
    Superseded,
}

/// A mark that a removal leaves for one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Key of the contact.
    pub document: Document,
    /// The removal that left it.
    pub removal: RemovalNo,
    /// The place of the removal in the order of acceptance, at least the order of the contact that it saw:
    /// only rows of a higher order show again.
    pub order: Order,
    /// All reasons that hold.
    pub reasons: Reasons,
    /// Those that were counted in the removal's report when it was first marked; none where it was not.
    pub counted: Reasons,
    /// The run of the removal's operation that marked it last, 0 where none was counted.
    pub run: i64,
}

impl Tombstone {
    /// A tombstone that is not part of a report.
    pub const fn uncounted(
        document: Document,
        removal: RemovalNo,
        order: Order,
        reasons: Reasons,
    ) -> Self {
        Self {
            document,
            removal,
            order,
            reasons,
            counted: Reasons::NONE,
            run: 0,
        }
    }
}

/// Key and order of a visible contact, for scans that need no more.
#[derive(Debug, Clone)]
pub struct KeyOnly {
    /// Its key.
    pub document: Document,
    /// Its order of acceptance.
    pub order: Order,
}

/// A run of visible keys: the part of a sparse page index that one call counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// Visible keys counted.
    pub count: u64,
    /// The last key counted; `None` if there was none.
    pub last: Option<Document>,
}

/// What a purge deletes of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// The tombstones and the contacts they hide: nobody can bring them back.
    Hidden,
    /// The tombstones alone: the removal was taken back, and hides nobody.
    Tombstones,
}

/// Who is waiting, so that bulk work leaves room for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Someone waits for the answer.
    Interactive,
    /// Background work; the store may let interactive calls go first.
    Bulk,
}

/// Members of audiences. See the module for what hides a contact.
#[async_trait]
pub trait ContactStore: Send + Sync {
    /// Writes `rows` (distinct documents, at most [`MAX_BATCH`]) where their order is above what is
    /// stored, and tells for each, in the order given, what became of it. Durable on return.
    async fn upsert(
        &self,
        key: ContentKey,
        workspace: &WorkspaceId,
        write: WriteNo,
        rows: Vec<ContactRecord>,
        priority: Priority,
    ) -> Result<Vec<Applied>, StoreError>;

    /// Tells which of `documents` the write stored: the previous order (if any) for each one that
    /// carries `write`, in no particular order. For repair after a crash: waits until what the writer
    /// had sent when it died is stored, as far as the store can tell.
    async fn stored_by(
        &self,
        key: ContentKey,
        write: WriteNo,
        documents: &[Document],
    ) -> Result<Vec<(Document, Option<Order>)>, StoreError>;

    /// Writes tombstones (at most [`MAX_BATCH`]), replacing earlier ones of the same removal and
    /// document. Durable on return. Shows nowhere until a view names the removal.
    async fn put_tombstones(
        &self,
        key: ContentKey,
        tombstones: Vec<Tombstone>,
        priority: Priority,
    ) -> Result<(), StoreError>;

    /// All tombstones of `documents`, of every removal, in no particular order.
    async fn tombstones(
        &self,
        key: ContentKey,
        documents: &[Document],
    ) -> Result<Vec<Tombstone>, StoreError>;

    /// Visible contacts in ascending order of document, strictly after `after`.
    async fn scan(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        limit: usize,
    ) -> Result<Vec<ContactRecord>, StoreError>;

    /// As [`ContactStore::scan`], keys and orders only.
    async fn scan_keys(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        limit: usize,
    ) -> Result<Vec<KeyOnly>, StoreError>;

    /// Visible contacts strictly after `after`, skipping `skip` of them first. `skip` is bounded
    /// by the caller through a page index.
    async fn page(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<ContactRecord>, StoreError>;

    /// Counts visible keys strictly after `after` and not after `until` in spans of `block` keys, at most
    /// `most` of them. Fewer, or a last one of fewer keys, mean that the range has ended.
    async fn spans(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        until: Option<&Document>,
        block: u64,
        most: usize,
    ) -> Result<Vec<Span>, StoreError>;

    /// Counts the same range, at most `limit` keys.
    async fn count_span(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        until: Option<&Document>,
        limit: u64,
    ) -> Result<Span, StoreError> {
        let mut spans = self.spans(key, view, after, until, limit, 1).await?;
        Ok(spans.pop().unwrap_or_default())
    }

    /// The stored contacts of `documents`, hidden ones included, in ascending order of document.
    async fn get(
        &self,
        key: ContentKey,
        documents: &[Document],
    ) -> Result<Vec<ContactRecord>, StoreError>;

    /// Keeps a sparse page index: the keys at which blocks end, with the visible keys in each, as of
    /// `revision`. Replaces an earlier one of the same content.
    async fn save_page_index(
        &self,
        key: ContentKey,
        revision: i64,
        blocks: &[(Document, u64)],
    ) -> Result<(), StoreError>;

    /// The kept page index and its revision.
    async fn load_page_index(
        &self,
        key: ContentKey,
    ) -> Result<Option<(i64, Vec<(Document, u64)>)>, StoreError>;

    /// Deletes at most `limit` contacts and tombstones of a whole generation. `true` while some are left.
    async fn purge_content(&self, key: ContentKey, limit: usize) -> Result<bool, StoreError>;

    /// Deletes a removal that can no longer be undone, or was: at most `limit` tombstones of it after
    /// `after`, and the contacts they hide if `purge` says so. Answers the last document handled,
    /// `None` at the end. A contact that was written again stays; its stale tombstone goes.
    async fn purge_removal(
        &self,
        key: ContentKey,
        removal: RemovalNo,
        purge: Purge,
        after: Option<&Document>,
        limit: usize,
    ) -> Result<Option<Document>, StoreError>;
}
