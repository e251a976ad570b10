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

/// Cut while a removal judges every contact.
#[derive(Default)]
pub(crate) struct Cuts {
    /// Those who stay.
    pub stays: Cutter,
    /// Those who were there before.
    pub everybody: Cutter,
}

/// What a removal counted while it judged every contact.
pub(crate) struct Surveyed {
    stays: Vec<Block>,
    everybody: Vec<Block>,
    /// Documents written meanwhile, which may be counted wrongly.
    touched: Vec<Document>,
}

impl Surveyed {
    /// What was cut while every contact was judged, and what was written meanwhile.
    pub fn new(cuts: Cuts, touched: Vec<Document>) -> Self {
        Self {
            stays: cuts.stays.finish(),
            everybody: cuts.everybody.finish(),
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
    /// The latest revision that `touched` is complete for. Writes of other processes are not heard of:
    /// where one is missing, it stays behind.
    tracked: i64,
    /// When the index was last known to be exact.
    exact_at: Instant,
}

impl Counted {
    fn new<'a>(
        index: Arc<Index>,
        touched: impl IntoIterator<Item = &'a Document>,
        tracked: i64,
        now: Instant,
    ) -> Self {
        let touched = touched.into_iter().map(|d| index.block_of(d)).collect();
        Self {
            exact_at: now,
            index,
            touched,
            tracked,
        }
    }

    /// Of the state `at`, as a survey cut it that ended with the revision `tracked`.
    fn surveyed(
        blocks: Vec<Block>,
        at: &Content,
        touched: &[Document],
        tracked: i64,
        now: Instant,
    ) -> Self {
        // Not exact where something is to be counted again.
        let behind = i64::from(!touched.is_empty());
        let index = Index::new(at.revision - behind, view_of(at), blocks);
        Self::new(Arc::new(index), touched, tracked, now)
    }

    /// Takes in what was written after the revision `from` and up to `to`.
    fn written(&mut self, from: i64, to: i64, documents: &[Document]) {
        if self.tracked == from {
            self.touched
                .extend(documents.iter().map(|d| self.index.block_of(d)));
            self.tracked = to;
        }
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
    /// How many blocks are known to be touched since.
    pub touched: usize,
    /// When it was last known to be exact.
    pub exact_at: Instant,
}

/// What was written while blocks are being counted.
#[derive(Default)]
struct Log {
    documents: Vec<Document>,
    /// The revisions of these writes, ascending.
    revisions: Vec<i64>,
}

impl Log {
    /// The last revision of an unbroken run that begins right after `revision`.
    fn reaches(&self, revision: i64) -> i64 {
        let after = self.revisions.iter().filter(|r| **r > revision);
        let mut reached = revision;
        for next in after {
            if *next != reached + 1 {
                break;
            }
            reached = *next;
        }
        reached
    }
}

#[derive(Default)]
pub(super) struct Slot {
    current: Option<Counted>,
    /// The index as it was before the latest removal, kept up to date for its undo.
    before: Option<Counted>,
    /// Revision of the latest flip: what was counted before it is out of date.
    flipped: Option<i64>,
    /// Documents written while the blocks are being counted; `None` when that is not known.
    log: Option<Log>,
    /// When it was last asked for; see [`super::page_index`].
    pub used: u64,
}

impl Slot {
    pub fn known(&self) -> Option<Known> {
        self.current.as_ref().map(|counted| Known {
            index: Arc::clone(&counted.index),
            touched: counted.touched.len(),
            exact_at: counted.exact_at,
        })
    }

    /// Notes that the index is exact for a revision now.
    pub fn exact(&mut self, revision: i64, now: Instant) {
        if let Some(counted) = &mut self.current
            && counted.index.revision == revision
        {
            counted.exact_at = now;
        }
    }

    /// The revision after which writes have to be looked up, before only touched blocks are counted.
    pub fn behind(&self, content: &Content) -> Option<i64> {
        let counted = self.current.as_ref()?;
        let usable = counted.index.view == view_of(content);
        (usable && counted.tracked < content.revision).then_some(counted.tracked)
    }

    /// Takes in what was looked up.
    pub fn caught_up(&mut self, from: i64, to: i64, documents: &[Document]) {
        if let Some(counted) = &mut self.current {
            counted.written(from, to, documents);
        }
    }

    /// Writes are heard of from here on, so that [`Slot::keep`] knows whether any came in between.
    pub fn begin_log(&mut self) {
        self.log = Some(Log::default());
    }

    pub fn written(&mut self, content: &Content, documents: &[Document]) {
        let revision = content.revision;
        if let Some(log) = &mut self.log {
            log.documents.extend_from_slice(documents);
            log.revisions.push(revision);
        }
        self.log = self.log.take().filter(|log| log.documents.len() <= LOGGED);
        for counted in [&mut self.current, &mut self.before].into_iter().flatten() {
            counted.written(revision - 1, revision, documents);
        }
    }

    /// A removal began to count, after the state `from`. With what it counted itself nothing is to be
    /// counted again, now or after its undo, but what was written meanwhile. `false` when that is not
    /// known.
    pub fn removed(
        &mut self,
        from: &Content,
        content: &Content,
        surveyed: Option<Surveyed>,
        now: Instant,
    ) -> bool {
        let old = self.flip(content);
        let usable =
            |old: &Counted| old.tracked == from.revision && old.index.view == view_of(from);
        self.before = old.filter(usable).map(|old| Counted {
            tracked: content.revision,
            ..old
        });
        let Some(Surveyed {
            stays,
            everybody,
            touched,
        }) = surveyed
        else {
            return self.settle(None);
        };
        let tracked = content.revision;
        self.before
            .get_or_insert_with(|| Counted::surveyed(everybody, from, &touched, tracked, now));
        self.settle(Some(Counted::surveyed(
            stays, content, &touched, tracked, now,
        )))
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
            .filter(|b| everybody && b.tracked == from && b.index.view == view_of(content))
            .map(|b| Counted {
                tracked: content.revision,
                exact_at: now,
                ..b
            });
        self.settle(counted)
    }

    fn flip(&mut self, content: &Content) -> Option<Counted> {
        self.flipped = Some(content.revision);
        self.log = None;
        self.current.clone()
    }

    /// Until it is counted, an index that is out of date answers for a while.
    fn settle(&mut self, counted: Option<Counted>) -> bool {
        let known = counted.is_some();
        if known {
            self.current = counted;
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
        let tracked = counted.tracked >= content.revision;
        if !tracked || index.view != view_of(content) || index.blocks.is_empty() {
            return Taken::Unknown;
        }
        // Kept in the slot as well: a write that lands while these are counted touches them again.
        Taken::Some(index, counted.touched.clone())
    }

    /// Puts an index in place. What was written while it was counted is touched; from where that is
    /// not known, it is behind.
    pub fn keep(&mut self, index: &Arc<Index>, now: Instant) {
        if self.flipped.is_some_and(|flip| index.revision < flip) {
            return;
        }
        let log = self.log.take().unwrap_or_default();
        let tracked = log.reaches(index.revision);
        self.current = Some(Counted::new(
            Arc::clone(index),
            &log.documents,
            tracked,
            now,
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_reaches_as_far_as_nothing_is_missing() {
        let log = |revisions: &[i64]| Log {
            documents: Vec::new(),
            revisions: revisions.to_vec(),
        };
        assert_eq!(log(&[]).reaches(7), 7);
        assert_eq!(log(&[6, 7, 8, 9]).reaches(7), 9);
        // Another process wrote the ninth.
        assert_eq!(log(&[8, 10]).reaches(7), 8);
        assert_eq!(log(&[9, 10]).reaches(7), 7);
    }
}
