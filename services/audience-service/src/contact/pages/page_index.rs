//! Sparse index of visible keys: page N is one look-up and one seek, whatever N is.
//!
//! A content's visible keys are cut into blocks of about [`BLOCK`] keys, each known by its last key
//! and its count. Writes mark the blocks that they touch; a rebuild counts only those again. A page is
//! found by one consistent index with the removals it was counted under: exact for a quiet audience, and at
//! most [`STALE`] behind. Its rows are read while others write; `cut` sees to it that they are of one state.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::contact::Document;
use futures::{StreamExt, TryStreamExt, stream};
use ports::{
    Clock, StoreError,
    contacts::{ContactStore, ContentKey, View},
    store::{AudienceQueries, Content},
};
use tokio::sync::Mutex as AsyncMutex;

use super::{
    counted::{PageCount, RebuildBase, Surveyed, Written},
    index::{BLOCK, Block, Index, MAX_BLOCK},
    slot::{Known, Slot},
};
use crate::contact::view_of;

/// Blocks counted at a time.
const SPANS: usize = 20;
/// How far an answer by page number may be behind the last write.
const STALE: chrono::TimeDelta = chrono::TimeDelta::milliseconds(2_500);
/// Up to so many touched blocks are counted before the answer instead of behind it.
const EAGER_BLOCKS: usize = 8;
/// Touched blocks counted at a time: mostly waiting for the store.
const AT_ONCE: usize = 8;
/// So many contacts are counted again before the answer, in about ten milliseconds.
const QUICK: i64 = 50_000;
/// An index of fewer blocks is counted again faster than it is stored.
const WORTH_SAVING: usize = 64;
/// Contents kept in memory. An index of ten million contacts takes about 1 MB.
const KEPT: usize = 64;

/// The indexes in use.
pub struct PageIndexes {
    queries: Arc<dyn AudienceQueries>,
    contacts: Arc<dyn ContactStore>,
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<ContentKey, Slot>>,
    building: Mutex<HashMap<ContentKey, Arc<AsyncMutex<()>>>>,
    /// Counts so far, of all contents.
    counts: AtomicU64,
}

/// What an index is beside the content that it was asked for.
pub(crate) enum Base {
    /// It counts the state of its revision.
    Exact,
    /// It was counted beside writes and may have seen a part of one.
    Unsure,
    /// It counts an earlier state.
    Old,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The slot of a content, which is now the one used last.
fn slot(slots: &mut HashMap<ContentKey, Slot>, key: ContentKey) -> &mut Slot {
    if slots.len() >= KEPT && !slots.contains_key(&key) {
        let oldest = slots.iter().min_by_key(|(_, slot)| slot.used);
        let oldest = oldest.map(|(key, _)| *key);
        oldest.and_then(|key| slots.remove(&key));
    }
    let used = slots.values().map(|s| s.used).max().unwrap_or(0) + 1;
    let slot = slots.entry(key).or_default();
    slot.used = used;
    slot
}

impl PageIndexes {
    /// No index yet.
    pub fn new(
        queries: Arc<dyn AudienceQueries>,
        contacts: Arc<dyn ContactStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            queries,
            contacts,
            clock,
            slots: Mutex::default(),
            building: Mutex::default(),
            counts: AtomicU64::default(),
        }
    }

    /// To be asked under the content's write lock before anything is stored, for [`Self::written`].
    pub(crate) fn latest_count(&self, key: ContentKey) -> PageCount {
        let slots = locked(&self.slots);
        slots.get(&key).map_or_else(PageCount::default, |s| s.count)
    }

    /// Notes what a write changed. Called under the content's write lock, in order.
    pub(crate) fn written(
        &self,
        content: &Content,
        began_after: PageCount,
        written: &[Written<'_>],
    ) {
        if let Some(slot) = locked(&self.slots).get_mut(&content.key) {
            slot.written(content, began_after, written);
        }
    }

    /// Notes that a removal began to count, after the state `from`, and what it counted.
    pub(crate) fn removed(
        self: &Arc<Self>,
        from: &Content,
        content: &Content,
        surveyed: Option<Surveyed>,
    ) {
        let now = self.clock.now();
        let known =
            slot(&mut locked(&self.slots), content.key).removed(from, content, surveyed, now);
        if !known {
            self.warm(content);
        }
    }

    /// Notes that a removal ceased to count, after the revision `from`; whether `everybody` came back.
    pub(crate) fn restored(self: &Arc<Self>, from: i64, content: &Content, everybody: bool) {
        let now = self.clock.now();
        let known = match locked(&self.slots).get_mut(&content.key) {
            Some(slot) => slot.restored(from, content, everybody, now),
            None => false,
        };
        if !known {
            self.warm(content);
        }
    }

    /// Counts a large content before anybody asks for a page of it.
    pub(crate) fn warm(self: &Arc<Self>, content: &Content) {
        if content.contacts >= QUICK {
            self.rebuild_behind(content.clone());
        }
    }

    /// An index that may answer now: exact, or fresh enough while a rebuild goes on behind it.
    pub(crate) async fn current(
        self: &Arc<Self>,
        content: &Content,
    ) -> Result<(Arc<Index>, Base), StoreError> {
        let now = self.clock.now();
        if let Some(index) = self.follow(content) {
            return Ok((index, Base::Exact));
        }
        self.catch_up(content).await?;
        if let Some(known) = self.known(content) {
            let fresh = now - known.exact_at < STALE;
            let few = known.touched.is_some_and(|n| n <= EAGER_BLOCKS);
            if fresh && !few && content.contacts >= QUICK {
                self.rebuild_behind(content.clone());
                return Ok((known.index, Base::Old));
            }
        }
        self.rebuild(content).await
    }

    /// The index of this state, where nothing is to be counted for it.
    pub(crate) fn follow(&self, content: &Content) -> Option<Arc<Index>> {
        let now = self.clock.now();
        let mut slots = locked(&self.slots);
        slots
            .contains_key(&content.key)
            .then(|| slot(&mut slots, content.key))?
            .follow(content, now)
    }

    fn known(&self, content: &Content) -> Option<Known> {
        locked(&self.slots).get(&content.key)?.known(content)
    }

    /// Documents that this process wrote in between, where it remembers and nobody else wrote.
    pub(crate) fn written_between(
        &self,
        key: ContentKey,
        from: i64,
        to: i64,
    ) -> Option<Vec<Document>> {
        locked(&self.slots).get(&key)?.written_between(from, to)
    }

    /// Forgets an index that counts what is not there, so that everything is counted again.
    pub(crate) fn distrust(&self, key: ContentKey, rows: usize, total: u64) {
        tracing::error!(audience = %key.audience, rows, total, "a page index was wrong");
        locked(&self.slots).remove(&key);
    }

    fn rebuild_behind(self: &Arc<Self>, content: Content) {
        let turn = self.turn(content.key);
        if turn.try_lock().is_err() {
            return;
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = this.rebuild(&content).await {
                tracing::warn!(%error, audience = %content.key.audience, "page index not rebuilt");
            }
        });
    }

    fn turn(&self, key: ContentKey) -> Arc<AsyncMutex<()>> {
        let mut building = locked(&self.building);
        if building.len() > KEPT {
            building.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(building.entry(key).or_default())
    }

    /// Counts what changed, one rebuild per content at a time; who waited takes the other's result.
    async fn rebuild(&self, wanted: &Content) -> Result<(Arc<Index>, Base), StoreError> {
        let turn = self.turn(wanted.key);
        let _turn = turn.lock().await;
        slot(&mut locked(&self.slots), wanted.key).begin_log();
        let content = self.queries.content(wanted.key).await?;
        let content = content.unwrap_or_else(|| wanted.clone());
        self.catch_up(&content).await?;
        let (base, touched) = match self.rebuild_base(&content) {
            RebuildBase::Exact(index) => return Ok((index, Base::Exact)),
            RebuildBase::Some(index, touched) => (Some(index), touched),
            RebuildBase::Unknown => (None, BTreeSet::new()),
        };
        let view = view_of(&content);
        let blocks = match base {
            Some(base) => self.recount(&content, &view, &base, &touched).await?,
            None => match self.saved(&content).await? {
                Some(saved) => saved,
                None => {
                    let blocks = self.cut(&content, &view, None, None).await?;
                    if blocks.len() >= WORTH_SAVING {
                        self.save_behind(&content, &blocks);
                    }
                    blocks
                }
            },
        };
        let index = Arc::new(Index::new(content.revision, view, blocks));
        let until = self.announced(&content).await?;
        let exact = self.keep(content.key, &index, until);
        Ok((index, if exact { Base::Exact } else { Base::Unsure }))
    }

    /// The revision with which the writes end that a count may have seen.
    async fn announced(&self, content: &Content) -> Result<i64, StoreError> {
        let under_way = self.queries.under_way(content.key).await?;
        Ok(under_way.map_or(content.revision, |now| {
            now.revision + i64::from(!now.documents.is_empty())
        }))
    }

    /// Looks up what other processes have written.
    async fn catch_up(&self, content: &Content) -> Result<(), StoreError> {
        let behind = locked(&self.slots)
            .get(&content.key)
            .and_then(|slot| slot.behind(content));
        let Some(from) = behind else { return Ok(()) };
        let (queries, to) = (&self.queries, content.revision);
        if let Some(documents) = queries.written_between(content.key, from, to).await? {
            slot(&mut locked(&self.slots), content.key).caught_up(from, to, &documents);
        }
        Ok(())
    }

    fn rebuild_base(&self, content: &Content) -> RebuildBase {
        match locked(&self.slots).get_mut(&content.key) {
            Some(slot) => slot.rebuild_base(content),
            None => RebuildBase::Unknown,
        }
    }

    fn keep(&self, key: ContentKey, index: &Arc<Index>, until: i64) -> bool {
        let now = self.clock.now();
        let count = PageCount(self.counts.fetch_add(1, Ordering::Relaxed) + 1);
        slot(&mut locked(&self.slots), key).keep(index, until, count, now)
    }

    /// The index kept in the store, where it is still exact.
    async fn saved(&self, content: &Content) -> Result<Option<Vec<Block>>, StoreError> {
        let saved = self.contacts.load_page_index(content.key).await?;
        let exact = saved.filter(|(revision, _)| *revision == content.revision);
        let block = |(last, count)| Block { last, count };
        Ok(exact.map(|(_, blocks)| blocks.into_iter().map(block).collect()))
    }

    /// Keeps blocks for after a restart. Nobody waits for it.
    fn save_behind(&self, content: &Content, blocks: &[Block]) {
        let rows: Vec<_> = blocks.iter().map(|b| (b.last.clone(), b.count)).collect();
        let (contacts, content) = (Arc::clone(&self.contacts), content.clone());
        tokio::spawn(async move {
            let saved = contacts.save_page_index(content.key, content.revision, &rows);
            if let Err(error) = saved.await {
                tracing::warn!(%error, audience = %content.key.audience, "page index not kept");
            }
        });
    }

    /// Counts touched blocks again, several at a time, and keeps the others.
    async fn recount(
        &self,
        content: &Content,
        view: &View,
        base: &Index,
        touched: &BTreeSet<usize>,
    ) -> Result<Vec<Block>, StoreError> {
        let blocks: Vec<Block> = base.blocks().collect();
        let mut counts = Vec::with_capacity(touched.len());
        for &at in touched {
            let Some(block) = blocks.get(at) else {
                continue;
            };
            let before = at.checked_sub(1).and_then(|before| blocks.get(before));
            let after = before.map(|block| &block.last);
            // Nothing bounds the last block: keys beyond the last one belong to it.
            let until = (at + 1 < blocks.len()).then_some(&block.last);
            counts.push(async move {
                let counted = self.count(content, view, after, until, block).await?;
                Ok::<_, StoreError>((at, counted))
            });
        }
        let counts = stream::iter(counts).buffer_unordered(AT_ONCE);
        let mut counted: HashMap<usize, Vec<Block>> = counts.try_collect().await?;
        let block = |(at, block)| counted.remove(&at).unwrap_or_else(|| vec![block]);
        Ok(blocks.into_iter().enumerate().flat_map(block).collect())
    }

    /// Counts a block again; what has grown too large is cut.
    async fn count(
        &self,
        content: &Content,
        view: &View,
        after: Option<&Document>,
        until: Option<&Document>,
        block: &Block,
    ) -> Result<Vec<Block>, StoreError> {
        let store = &self.contacts;
        let span = store
            .count_span(content.key, view, after, until, MAX_BLOCK + 1)
            .await?;
        if span.count > MAX_BLOCK {
            return self.cut(content, view, after, until).await;
        }
        let last = until.cloned().or(span.last);
        Ok(vec![Block {
            last: last.unwrap_or_else(|| block.last.clone()),
            count: span.count,
        }])
    }

    /// Cuts a range of visible keys into blocks.
    async fn cut(
        &self,
        content: &Content,
        view: &View,
        after: Option<&Document>,
        until: Option<&Document>,
    ) -> Result<Vec<Block>, StoreError> {
        let mut blocks: Vec<Block> = Vec::new();
        loop {
            let store = &self.contacts;
            let from = blocks.last().map_or(after, |block| Some(&block.last));
            let spans = store
                .spans(content.key, view, from, until, BLOCK, SPANS)
                .await?;
            let ended = spans.len() < SPANS || spans.iter().any(|span| span.count < BLOCK);
            blocks.extend(spans.into_iter().filter_map(|span| {
                let count = span.count;
                span.last.map(|last| Block { last, count })
            }));
            if ended {
                break;
            }
            tokio::task::yield_now().await;
        }
        if let (Some(until), Some(block)) = (until, blocks.last_mut()) {
            block.last = until.clone();
        }
        Ok(blocks)
    }
}
