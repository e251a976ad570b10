//! What is known of one content's pages: its index, what was written since, and the index that an
//! undo brings back.

use std::{collections::VecDeque, sync::Arc};

use domain::{contact::Document, shared::Instant};
use ports::store::Content;

use super::{
    counted::{Counted, PageCount, RebuildBase, Surveyed, Written},
    index::Index,
};
use crate::contact::view_of;

/// Documents remembered of the latest writes: a page is read in the time of a few of them.
const REMEMBERED: usize = 2_000;
/// Documents logged during a count; more than these, and everything is counted again.
const LOGGED: usize = 100_000;

/// What an answer may be cut from.
pub(super) struct Known {
    pub index: Arc<Index>,
    /// How many blocks are known to be touched since; none where that is not known.
    pub touched: Option<usize>,
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

/// The latest writes, one after the other.
#[derive(Default)]
struct Recent {
    writes: VecDeque<(i64, Vec<Document>)>,
    documents: usize,
}

impl Recent {
    fn push(&mut self, revision: i64, documents: impl Iterator<Item = Document>) {
        if self
            .writes
            .back()
            .is_some_and(|(last, _)| last + 1 != revision)
        {
            *self = Self::default();
        }
        let documents: Vec<Document> = documents.collect();
        self.documents += documents.len();
        self.writes.push_back((revision, documents));
        while self.documents > REMEMBERED || self.writes.len() > REMEMBERED {
            let Some((_, forgotten)) = self.writes.pop_front() else {
                break;
            };
            self.documents -= forgotten.len();
        }
    }

    fn between(&self, from: i64, to: i64) -> Option<Vec<Document>> {
        let asked = self
            .writes
            .iter()
            .filter(|(at, _)| (from + 1..=to).contains(at));
        let all = usize::try_from(to - from).ok() == Some(asked.clone().count());
        all.then(|| {
            asked
                .flat_map(|(_, documents)| documents)
                .cloned()
                .collect()
        })
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
    recent: Recent,
    /// The latest count.
    pub count: PageCount,
    /// When it was last asked for; see [`super::page_index`].
    pub used: u64,
}

impl Slot {
    pub fn known(&self, content: &Content) -> Option<Known> {
        self.current.as_ref().map(|counted| Known {
            index: Arc::clone(&counted.index),
            touched: counted.covers(content).then_some(counted.touched.len()),
            exact_at: counted.exact_at,
        })
    }

    /// Documents of the writes after the revision `from` and up to `to`, where these are remembered.
    pub fn written_between(&self, from: i64, to: i64) -> Option<Vec<Document>> {
        self.recent.between(from, to)
    }

    /// The index, where it is exact without anything being counted.
    pub fn follow(&mut self, content: &Content, now: Instant) -> Option<Arc<Index>> {
        self.current.as_mut()?.follow(content, now)
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
            counted.written(from, to, documents.iter().map(Written::with_unknown_shift));
        }
    }

    /// Writes are heard of from here on, so that [`Slot::keep`] knows whether any came in between.
    pub fn begin_log(&mut self) {
        self.log = Some(Log::default());
    }

    /// Takes in a write that began after that count.
    pub fn written(&mut self, content: &Content, began_after: PageCount, written: &[Written<'_>]) {
        let revision = content.revision;
        let documents = || written.iter().map(|w| w.document);
        self.recent.push(revision, documents().cloned());
        if let Some(log) = &mut self.log {
            log.documents.extend(documents().cloned());
            log.revisions.push(revision);
        }
        self.log = self.log.take().filter(|log| log.documents.len() <= LOGGED);
        let view = view_of(content);
        for counted in [&mut self.current, &mut self.before].into_iter().flatten() {
            // What a write changed is known of the state that it was made in.
            if began_after == self.count && counted.index.view == view {
                counted.written(revision - 1, revision, written.iter().copied());
            } else {
                counted.written(
                    revision - 1,
                    revision,
                    documents().map(Written::with_unknown_shift),
                );
            }
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
        self.before = old.filter(usable).map(|mut old| {
            old.tracked = content.revision;
            old
        });
        // A survey is of no use where others came back or went while it was made.
        let Some(Surveyed {
            view: _,
            stays,
            everybody,
            touched,
        }) = surveyed.filter(|surveyed| surveyed.view == view_of(from))
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
            .map(|mut before| {
                (before.tracked, before.exact_at) = (content.revision, now);
                before
            });
        self.settle(counted)
    }

    fn flip(&mut self, content: &Content) -> Option<Counted> {
        self.flipped = Some(content.revision);
        self.log = None;
        self.recent = Recent::default();
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

    pub fn rebuild_base(&mut self, content: &Content) -> RebuildBase {
        let current = self.current.as_mut();
        current.map_or(RebuildBase::Unknown, |counted| {
            counted.rebuild_base(content)
        })
    }

    /// Puts an index in place that was counted beside writes which end with the revision `until`. What
    /// was written meanwhile is touched; from where that is not known, the index is behind. Answers
    /// whether it counts the state of its revision.
    pub fn keep(&mut self, index: &Arc<Index>, until: i64, count: PageCount, now: Instant) -> bool {
        if self.flipped.is_some_and(|flip| index.revision < flip) {
            return false;
        }
        self.count = count;
        let log = self.log.take().unwrap_or_default();
        let tracked = log.reaches(index.revision);
        let counted = Counted::new(Arc::clone(index), &log.documents, tracked, now).beside(until);
        let exact = counted.is_exact_at(index.revision);
        self.current = Some(counted);
        exact
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::pages::index::Block;
    use domain::shared::{AudienceId, Epoch};
    use ports::contacts::{ContentKey, View};

    fn at(revision: i64) -> Content {
        Content {
            key: ContentKey {
                audience: AudienceId::from_raw(1),
                epoch: Epoch(1),
            },
            contacts: 0,
            next_request: 1,
            first_request: 0,
            revision,
            active: Vec::new(),
        }
    }

    #[test]
    fn a_write_shifts_the_index_unless_a_count_may_have_seen_it() {
        let now = Instant::UNIX_EPOCH;
        let document = |text: &str| Document::from_stored(text.to_owned());
        let block = |last, count| Block {
            last: document(last),
            count,
        };
        let blocks = vec![block("m", 2), block("z", 1)];
        let mut slot = Slot::default();
        slot.begin_log();
        let counted = Index::new(5, View::default(), blocks);
        assert!(slot.keep(&Arc::new(counted), 5, PageCount(1), now));

        let (b, x) = (document("b"), document("x"));
        slot.written(
            &at(6),
            PageCount(1),
            &[Written::by(&b, 1), Written::by(&x, 0)],
        );
        let index = slot.follow(&at(6), now).unwrap();
        assert_eq!((index.revision, index.total), (6, 4));

        slot.written(&at(7), PageCount(1), &[Written::by(&b, -1)]);
        slot.written(&at(8), PageCount(0), &[Written::by(&x, 1)]);
        assert!(slot.follow(&at(8), now).is_none());
        let RebuildBase::Some(base, touched) = slot.rebuild_base(&at(8)) else {
            panic!("one block is to be counted");
        };
        let counts: Vec<u64> = base.blocks().map(|block| block.count).collect();
        assert_eq!((counts, touched), (vec![2, 1], [1].into()));
    }

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
