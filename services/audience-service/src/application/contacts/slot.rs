//! What is known of one content's pages: its index, what was written since, and the index that an
//! undo brings back.

use std::{collections::BTreeSet, sync::Arc};

use domain::{contact::Document, shared::Instant};
use ports::store::Content;

use super::{
    index::{Block, Cutter, Index},
    view_of,
};

/// Documents logged during a count; more than these, and everything is counted again.
const LOGGED: usize = 100_000;

/// What a removal counted while it judged every contact.
pub(crate) struct Surveyed {
    /// Blocks of the keys that stay.
    blocks: Vec<Block>,
    /// Documents written meanwhile, which may be counted wrongly.
    touched: Vec<Document>,
}

impl Surveyed {
    /// What was cut while every contact was judged, and what was written meanwhile.
    pub fn new(cut: Cutter, touched: Vec<Document>) -> Self {
        Self {
            blocks: cut.finish(),
            touched,
        }
    }
}

/// An index, and what was written since it was counted.
#[derive(Clone)]
struct Counted {
    index: Arc<Index>,
    /// Blocks written to.
    touched: BTreeSet<usize>,
    /// The latest revision that `touched` is complete for.
    tracked: Option<i64>,
    /// Since when the index is behind, where this process saw it happen.
    behind_since: Option<Instant>,
}

impl Counted {
    fn new<'a>(
        index: Arc<Index>,
        touched: impl IntoIterator<Item = &'a Document>,
        tracked: Option<i64>,
        now: Instant,
    ) -> Self {
        let touched = touched.into_iter().map(|d| index.block_of(d)).collect();
        let behind = tracked != Some(index.revision);
        Self {
            behind_since: behind.then_some(now),
            index,
            touched,
            tracked,
        }
    }

    fn written(&mut self, revision: i64, documents: &[Document], now: Instant) {
        self.behind_since.get_or_insert(now);
        if self.tracked != Some(revision - 1) {
            self.tracked = None;
            return;
        }
        self.touched
            .extend(documents.iter().map(|d| self.index.block_of(d)));
        self.tracked = Some(revision);
    }
}

/// What a rebuild starts from.
pub(super) enum Taken {
    /// Nothing is to be counted.
    Exact(Arc<Index>),
    /// These blocks are to be counted again.
    Some(Arc<Index>, BTreeSet<usize>),
    /// Everything is.
    Unknown,
}

/// What an answer may be cut from.
pub(super) struct Known {
    pub index: Arc<Index>,
    /// How many blocks were touched since; `None`: unknown.
    pub touched: Option<usize>,
    pub behind_since: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Slot {
    current: Option<Counted>,
    /// The index as it was before the latest removal, kept up to date for its undo.
    before: Option<Counted>,
    /// The latest revision heard of.
    heard: Option<i64>,
    /// Revision of the latest flip: what was counted before it is out of date.
    flipped: Option<i64>,
    /// Documents written while the blocks are being counted; `None` when that is not known.
    log: Option<Vec<Document>>,
    /// When it was last asked for; see [`super::page_index`].
    pub used: u64,
}

impl Slot {
    pub fn known(&self) -> Option<Known> {
        self.current.as_ref().map(|counted| Known {
            index: Arc::clone(&counted.index),
            touched: counted.tracked.map(|_| counted.touched.len()),
            behind_since: counted.behind_since,
        })
    }

    /// Writes are heard of from here on, so that [`Slot::keep`] knows whether any came in between.
    pub fn begin_log(&mut self) {
        self.log = Some(Vec::new());
    }

    pub fn written(&mut self, content: &Content, documents: &[Document], now: Instant) {
        self.heard = Some(content.revision);
        if let Some(log) = &mut self.log {
            log.extend_from_slice(documents);
        }
        self.log = self.log.take().filter(|log| log.len() <= LOGGED);
        for counted in [&mut self.current, &mut self.before].into_iter().flatten() {
            counted.written(content.revision, documents, now);
        }
    }

    /// A removal began to count. With what it counted itself nothing is to be counted again but what
    /// was written meanwhile. `false` when that is not known.
    pub fn removed(
        &mut self,
        from: i64,
        content: &Content,
        surveyed: Option<Surveyed>,
        now: Instant,
    ) -> bool {
        let old = self.flip(content);
        self.before = old
            .filter(|counted| counted.tracked == Some(from))
            .map(|counted| Counted {
                tracked: Some(content.revision),
                ..counted
            });
        let counted = surveyed.map(|Surveyed { blocks, touched }| {
            let behind = i64::from(!touched.is_empty());
            let index = Index::new(content.revision - behind, view_of(content), blocks);
            Counted::new(Arc::new(index), &touched, Some(content.revision), now)
        });
        self.settle(counted, now)
    }

    /// A removal ceased to count. `false` when the index of before cannot be used, as when some of
    /// whom it removed stay out.
    pub fn restored(
        &mut self,
        from: i64,
        content: &Content,
        everybody: bool,
        now: Instant,
    ) -> bool {
        self.flip(content);
        let before = self.before.take();
        let counted = before
            .filter(|b| everybody && b.tracked == Some(from) && b.index.view == view_of(content))
            .map(|b| Counted {
                tracked: Some(content.revision),
                behind_since: b.behind_since.or(Some(now)),
                ..b
            });
        self.settle(counted, now)
    }

    fn flip(&mut self, content: &Content) -> Option<Counted> {
        self.heard = Some(content.revision);
        self.flipped = Some(content.revision);
        self.log = None;
        self.current.clone()
    }

    /// Until it is counted, an index that is out of date answers for a while.
    fn settle(&mut self, counted: Option<Counted>, now: Instant) -> bool {
        let known = counted.is_some();
        if known {
            self.current = counted;
        } else if let Some(current) = &mut self.current {
            current.tracked = None;
            current.behind_since.get_or_insert(now);
        }
        known
    }

    pub fn taken(&self, content: &Content) -> Taken {
        let Some(counted) = &self.current else {
            return Taken::Unknown;
        };
        let index = Arc::clone(&counted.index);
        if index.revision == content.revision {
            return Taken::Exact(index);
        }
        let tracked = counted.tracked.is_some_and(|to| to >= content.revision);
        if !tracked || index.view != view_of(content) || index.blocks.is_empty() {
            return Taken::Unknown;
        }
        // Kept in the slot as well: a write that lands while these are counted touches them again.
        Taken::Some(index, counted.touched.clone())
    }

    /// Puts an index in place. What was written while it was counted is touched; where that is not
    /// known, the next rebuild counts everything again.
    pub fn keep(&mut self, index: &Arc<Index>, now: Instant) {
        if self.flipped.is_some_and(|flip| index.revision < flip) {
            return;
        }
        let heard = self.heard.unwrap_or(index.revision).max(index.revision);
        let log = self.log.take();
        let known = log.is_some() || heard == index.revision;
        let log = log.unwrap_or_default();
        let tracked = known.then_some(heard);
        self.current = Some(Counted::new(Arc::clone(index), &log, tracked, now));
    }
}
