//! One index of a content's pages, and what is known to have been written since it was counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{contact::Document, shared::Instant};
use ports::{contacts::View, store::Content};

use super::index::{Block, Cutter, Index};
use crate::contact::view_of;

/// Cut while a removal judges every contact.
#[derive(Default)]
pub(crate) struct Cuts {
    /// Those who stay.
    pub stays: Cutter,
    /// Those who were there before.
    pub everybody: Cutter,
}

/// Which count of a content's pages was the latest when a write began. A count that ends later may have
/// seen what the write stored, or not.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageCount(pub(super) u64);

/// A document of a write, as an index takes it in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    pub document: &'a Document,
    /// By how much it changed the count, if that is known.
    shift: Option<i64>,
}

impl<'a> Written<'a> {
    /// It changed the count by so much.
    pub fn by(document: &'a Document, shift: i64) -> Self {
        Self {
            document,
            shift: Some(shift),
        }
    }

    /// It may have changed the count.
    pub fn with_unknown_shift(document: &'a Document) -> Self {
        Self {
            document,
            shift: None,
        }
    }
}

/// What a removal counted while it judged every contact.
pub(crate) struct Surveyed {
    /// Who was judged: those whom these removals leave visible.
    pub(super) view: View,
    pub(super) stays: Vec<Block>,
    pub(super) everybody: Vec<Block>,
    /// Documents written meanwhile, which may be counted wrongly.
    pub(super) touched: Vec<Document>,
}

impl Surveyed {
    /// What was cut while every contact was judged, and what was written meanwhile.
    pub fn new(view: View, cuts: Cuts, touched: Vec<Document>) -> Self {
        Self {
            view,
            stays: cuts.stays.finish(),
            everybody: cuts.everybody.finish(),
            touched,
        }
    }
}

/// An index, and what was written since it was counted.
#[derive(Clone)]
pub(super) struct Counted {
    pub index: Arc<Index>,
    /// Blocks to be counted again.
    pub touched: BTreeSet<usize>,
    /// By how much the count of others has changed.
    shifts: BTreeMap<usize, i64>,
    /// The latest revision that the two are complete for. Writes of other processes are not heard of:
    /// where one is missing, it stays behind.
    pub tracked: i64,
    /// No state before this revision can be cut from it: writes up to here may have been counted in part.
    sound_from: i64,
    /// When the index was last known to be exact.
    pub exact_at: Instant,
}

impl Counted {
    pub fn new<'a>(
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
            shifts: BTreeMap::new(),
            sound_from: tracked,
            tracked,
        }
    }

    /// As it was counted beside writes that end with the revision `until`.
    pub fn beside(self, until: i64) -> Self {
        Self {
            sound_from: until.max(self.sound_from),
            ..self
        }
    }

    /// Of the state `at`, as a survey cut it that ended with the revision `tracked`.
    pub fn surveyed(
        blocks: Vec<Block>,
        at: &Content,
        touched: &[Document],
        tracked: i64,
        now: Instant,
    ) -> Self {
        let index = Index::new(at.revision, view_of(at), blocks);
        // Of no state before something is counted again.
        let until = tracked + i64::from(!touched.is_empty());
        Self::new(Arc::new(index), touched, tracked, now).beside(until)
    }

    /// Takes in what was written after the revision `from` and up to `to`.
    pub fn written<'a>(&mut self, from: i64, to: i64, written: impl Iterator<Item = Written<'a>>) {
        if self.tracked != from {
            return;
        }
        for Written { document, shift } in written {
            let block = self.index.block_of(document);
            match shift {
                Some(0) => {}
                Some(shift) => *self.shifts.entry(block).or_default() += shift,
                None => drop(self.touched.insert(block)),
            }
        }
        self.tracked = to;
    }

    /// The index with all that is known of later writes. Blocks that have grown too large are touched.
    fn shifted(&mut self) -> Arc<Index> {
        self.shifts.retain(|block, _| !self.touched.contains(block));
        loop {
            match self.index.shifted(self.tracked, &self.shifts) {
                Ok(index) => return Arc::new(index),
                Err(odd) => {
                    self.shifts.retain(|block, _| !odd.contains(block));
                    self.touched.extend(odd);
                }
            }
        }
    }

    /// Brings the index up to date where nothing is to be counted for it.
    pub fn follow(&mut self, content: &Content, now: Instant) -> Option<Arc<Index>> {
        if !self.is_exact_at(content.revision) {
            if !self.covers(content) || !self.touched.is_empty() || self.tracked < self.sound_from {
                return None;
            }
            let index = self.shifted();
            if !self.touched.is_empty() {
                return None;
            }
            self.index = index;
            self.shifts.clear();
        }
        self.exact_at = now;
        Some(Arc::clone(&self.index))
    }

    /// What a rebuild for this state may start from. Kept here as well: a write that lands while blocks
    /// are counted touches them again.
    pub fn rebuild_base(&mut self, content: &Content) -> RebuildBase {
        if self.is_exact_at(content.revision) {
            return RebuildBase::Exact(Arc::clone(&self.index));
        }
        if !self.covers(content) {
            return RebuildBase::Unknown;
        }
        let index = self.shifted();
        RebuildBase::Some(index, self.touched.clone())
    }

    /// Whether the index as it is counts this state.
    pub fn is_exact_at(&self, revision: i64) -> bool {
        self.index.revision == revision && self.sound_from <= revision
    }

    /// Whether all that was written between the two states is known.
    pub fn covers(&self, content: &Content) -> bool {
        let tracked = self.tracked >= content.revision;
        tracked && self.index.view == view_of(content) && !self.index.is_empty()
    }
}

/// What a rebuild starts from.
pub(super) enum RebuildBase {
    /// Nothing is to be counted.
    Exact(Arc<Index>),
    /// These blocks are to be counted again.
    Some(Arc<Index>, BTreeSet<usize>),
    /// Everything is.
    Unknown,
}
