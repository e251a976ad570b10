//! Writing contacts: one writer at a time per content, many contents at once.
//!
//! Protocol (two stores, no common transaction): the intent with its documents is committed in the
//! relational store, the rows in the contact store, the change of the count in the relational store.
//! After a crash the intent is still open, and repair looks at its documents only.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{contact::Document, shared::WriteNo};
use ports::{
    Clock, IdGenerator, StoreError,
    contacts::{Applied, ContactStore, ContentKey, View},
    crash,
    store::{AudienceStore, Content, ContentDelta, Durability, NewWrite, OpenWrite, UnitOfWork},
};
use tokio::{
    sync::OwnedMutexGuard,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    batch::Batch,
    classify::Marks,
    lane::Lanes,
    pending::{CONTENT_GONE, Orders, PATIENCE, Pending, WriteRequest, WriteResult},
    repair::Repair,
};
use crate::contact::{
    pages::{PageCount, PageIndexes, Written},
    view_of,
};

/// After this time without an end, another process may repair a write.
const LEASE_SECONDS: u32 = 30;
/// After this time a write that has stored nothing yet gives up: who takes it for abandoned must not
/// find that more comes after it has counted.
const TRUST: Duration = Duration::from_secs(LEASE_SECONDS as u64 / 2);
/// Pause between two looks whether a writer in another process has ended.
const BUSY_WAIT: Duration = Duration::from_millis(10);
/// Longest wait for it.
const BUSY_PATIENCE: Duration = Duration::from_secs(10);
/// Longest wait for it once this process is to stop: a writer that lives needs less, and one that has
/// died holds its lease for longer than requests have to end.
const BUSY_PATIENCE_AT_STOP: Duration = Duration::from_secs(2);

/// The lock of a content in this process and in the store, with the content as it is.
pub(crate) struct Held {
    /// The content; nobody else changes it while this is held.
    pub content: Content,
    /// Number of the write.
    pub write: WriteNo,
    /// First request number taken.
    pub first_request: i64,
    /// When the lease began at the latest, by the monotonic clock.
    begun: Instant,
    /// The latest count of the pages when it began.
    pub counted: PageCount,
    _turn: OwnedMutexGuard<()>,
}

impl Held {
    /// Asked before anything is stored.
    pub(super) fn ensure_trusted(&self) -> Result<(), StoreError> {
        if self.begun.elapsed() > TRUST {
            return Err(StoreError::Unavailable("the write was held up".into()));
        }
        Ok(())
    }
}

/// Writes contacts.
pub struct Writer {
    pub(super) store: Arc<dyn AudienceStore>,
    pub(super) contacts: Arc<dyn ContactStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    repair: Repair,
    pub(super) pages: Arc<PageIndexes>,
    pub(super) lanes: Lanes<Pending>,
    stopping: CancellationToken,
}

impl Writer {
    /// A writer on the stores of its repair, which tells these indexes what it wrote. Waits less once it is stopping.
    pub fn new(
        repair: Repair,
        ids: Arc<dyn IdGenerator>,
        pages: Arc<PageIndexes>,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            store: Arc::clone(&repair.store),
            contacts: Arc::clone(&repair.contacts),
            clock: Arc::clone(&repair.clock),
            ids,
            repair,
            pages,
            lanes: Lanes::new(),
            stopping,
        }
    }

    /// Whether a writer in another process has been waited for long enough.
    fn is_held_up(&self, since: Instant) -> bool {
        let patience = if self.stopping.is_cancelled() {
            BUSY_PATIENCE_AT_STOP
        } else {
            BUSY_PATIENCE
        };
        since.elapsed() > patience
    }

    /// Takes the lock of a content for a change that is not a write of contacts.
    pub(crate) async fn hold(
        &self,
        key: ContentKey,
        documents: Vec<Document>,
    ) -> Result<Held, StoreError> {
        self.hold_with(key, documents, &[]).await
    }

    /// Waits for the turn of a content, and takes its lock with these request numbers.
    pub(super) async fn hold_with(
        &self,
        key: ContentKey,
        documents: Vec<Document>,
        orders: &[Orders],
    ) -> Result<Held, StoreError> {
        let turn = timeout(PATIENCE, self.turn(key)).await;
        let turn = turn.map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?;
        self.open(key, documents, orders, turn).await
    }

    /// Waits for the turn of a content, in which this process writes nothing to it and its indexes have
    /// heard of all that it wrote.
    pub(crate) async fn turn(&self, key: ContentKey) -> OwnedMutexGuard<()> {
        self.lanes.of(key).turn().await
    }

    /// Opens a write: commits its intent. Repairs an abandoned one that is in the way.
    pub(super) async fn open(
        &self,
        key: ContentKey,
        documents: Vec<Document>,
        orders: &[Orders],
        turn: OwnedMutexGuard<()>,
    ) -> Result<Held, StoreError> {
        let write = WriteNo(self.ids.next());
        let fresh = orders
            .iter()
            .filter(|o| matches!(o, Orders::Next { .. }))
            .count();
        let new = NewWrite {
            write,
            owner: self.repair.owner.clone(),
            lease_seconds: LEASE_SECONDS,
            documents,
            requests: i64::try_from(fresh).unwrap_or(i64::MAX),
        };
        let begun_waiting = Instant::now();
        loop {
            let begun = Instant::now();
            let mut uow = self.store.begin(Durability::Full).await?;
            let opened = uow.contents().open_write(key, &new).await?;
            match opened {
                OpenWrite::Opened {
                    content,
                    first_request,
                } => {
                    put_receipts(uow.as_mut(), orders, first_request).await?;
                    uow.commit().await?;
                    crash::point("write.intent_committed");
                    return Ok(Held {
                        content,
                        write,
                        first_request,
                        begun,
                        counted: self.pages.latest_count(key),
                        _turn: turn,
                    });
                }
                OpenWrite::Busy { intent, lapsed } => {
                    drop(uow);
                    if lapsed || intent.owner == self.repair.owner {
                        // Ours and still open although we have the turn: a call before failed midway.
                        self.repair.one(&intent).await?;
                    } else if self.is_held_up(begun_waiting) {
                        break;
                    } else {
                        tokio::time::sleep(BUSY_WAIT).await;
                    }
                }
                OpenWrite::Gone => {
                    return Err(StoreError::Conflict {
                        constraint: CONTENT_GONE,
                    });
                }
            }
        }
        Err(StoreError::Unavailable(
            "another process holds the audience".into(),
        ))
    }

    pub(super) async fn write_batch(
        &self,
        key: ContentKey,
        requests: &mut [WriteRequest],
        turn: OwnedMutexGuard<()>,
    ) -> Result<Vec<WriteResult>, StoreError> {
        let orders: Vec<Orders> = requests.iter().map(|r| r.orders).collect();
        let all = || requests.iter().flat_map(|r| &r.rows);
        // Once each: repair counts by them.
        let documents: BTreeSet<Document> = all().map(|row| row.document.clone()).collect();
        let documents: Vec<Document> = documents.into_iter().collect();
        let held = self.open(key, documents.clone(), &orders, turn).await?;
        let numbers = request_numbers(held.first_request, &orders);
        let stay = if requests.iter().any(|request| request.only_absent) {
            let view = view_of(&held.content);
            self.visible(key, &view, &documents).await?
        } else {
            BTreeSet::new()
        };
        let first_request = held.content.first_request;
        let mut batch = Batch::of(requests, &numbers, first_request, &stay);
        let Some((workspace, priority)) =
            requests.first().map(|r| (r.workspace.clone(), r.priority))
        else {
            return Ok(Vec::new());
        };
        held.ensure_trusted()?;
        let winners = batch.take_winners();
        let store = &self.contacts;
        let applied = store
            .upsert(key, &workspace, held.write, winners, priority)
            .await?;
        crash::point("write.contacts_stored");
        let marks = self
            .marks(key, &batch, &applied, &view_of(&held.content))
            .await?;
        let mut delta = ContentDelta::default();
        let (classes, shifts) = batch.classify(&marks, held.write, &applied, &mut delta);
        let content = match self.close(&held, &delta).await {
            Err(StoreError::StaleVersion) => {
                drop(held);
                self.count_again(key, &documents).await?;
                return Err(StoreError::Unavailable("the write came too late".into()));
            }
            closed => closed?,
        };
        self.pages
            .written(&content, held.counted, &batch.written(&shifts));
        // Within the turn: who is answered together sends together, and the next batch is as large.
        self.store.settle().await?;
        Ok(batch.results(classes, content.contacts, &numbers))
    }

    async fn marks(
        &self,
        key: ContentKey,
        batch: &Batch,
        applied: &[Applied],
        view: &View,
    ) -> Result<Marks, StoreError> {
        let known = |a: &Applied| !matches!(a, Applied::Inserted | Applied::Superseded);
        let documents: Vec<Document> = batch
            .winners
            .iter()
            .zip(applied)
            .filter(|(_, a)| known(a))
            .map(|((document, _), _)| document.clone())
            .collect();
        let stones = if documents.is_empty() {
            Vec::new()
        } else {
            self.contacts.tombstones(key, &documents).await?
        };
        Ok(Marks::new(stones, view))
    }

    /// Closes a write whose effect on the count is `delta`. Not durable by itself: as long as it is
    /// not, the intent is still open, and repair comes to the same delta.
    pub(super) async fn close(
        &self,
        held: &Held,
        delta: &ContentDelta,
    ) -> Result<Content, StoreError> {
        let mut uow = self.store.begin(Durability::Derived).await?;
        let content = self.close_in(uow.as_mut(), held, delta).await?;
        uow.commit().await?;
        crash::point("write.closed");
        Ok(content)
    }

    /// Tells page indexes of documents that are in their places by now or not.
    pub(super) fn touched(&self, content: &Content, held: &Held, documents: &[Document]) {
        let written: Vec<Written<'_>> = documents.iter().map(Written::with_unknown_shift).collect();
        self.pages.written(content, held.counted, &written);
    }

    /// Closes a write inside a unit of work that does more.
    pub(crate) async fn close_in(
        &self,
        uow: &mut dyn UnitOfWork,
        held: &Held,
        delta: &ContentDelta,
    ) -> Result<Content, StoreError> {
        let now = self.clock.now();
        let key = held.content.key;
        uow.contents()
            .close_write(key, held.write, &self.repair.owner, delta, now)
            .await
    }

    /// Closes a write that did nothing. Where that fails, whoever comes next finds it open and repairs
    /// it, or a commit whose reply was lost has closed it already.
    pub(crate) async fn release(&self, held: &Held) {
        match self.close(held, &ContentDelta::default()).await {
            Ok(content) => self.touched(&content, held, &[]),
            Err(error) => {
                tracing::debug!(%error, audience = %held.content.key.audience, "not released");
            }
        }
    }
}

/// The request number of each request of a batch.
fn request_numbers(first: i64, orders: &[Orders]) -> Vec<i64> {
    let mut next = first..;
    let number = |order: &Orders| match *order {
        Orders::Taken(number) => Some(number),
        Orders::Next { .. } => next.next(),
    };
    orders.iter().filter_map(number).collect()
}

async fn put_receipts(
    uow: &mut dyn UnitOfWork,
    orders: &[Orders],
    first_request: i64,
) -> Result<(), StoreError> {
    for (order, number) in orders.iter().zip(request_numbers(first_request, orders)) {
        if let Orders::Next {
            receipt: Some(write_id),
        } = order
        {
            let result = serde_json::json!({ "request": number });
            uow.receipts().put(*write_id, result).await?;
        }
    }
    Ok(())
}
