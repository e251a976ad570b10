//! Random histories of one content beside its slot: writes, removals, undos, counts and readers, in every
//! order that the locks allow. Whatever a slot calls exact is held against what was visible then.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    contact::Document,
    shared::{AudienceId, Epoch, Instant, RemovalNo},
};
use ports::{
    contacts::{ContentKey, View},
    store::Content,
};

use super::{
    counted::{PageCount, RebuildBase, Surveyed, Written},
    index::{Block, Index},
    slot::Slot,
};
use crate::contact::view_of;

const HISTORIES: u64 = 1_500;
const STEPS: usize = 160;
const KEYS: u8 = 24;
/// Keys per block.
const SMALL: usize = 3;

struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn key(&mut self) -> u8 {
        self.below(usize::from(KEYS)) as u8
    }
}

fn document(key: u8) -> Document {
    Document::from_stored(format!("{key:03}"))
}

/// What the stores hold.
#[derive(Default)]
struct Stores {
    contacts: BTreeMap<u8, u32>,
    marks: BTreeMap<RemovalNo, BTreeMap<u8, u32>>,
    order: u32,
}

impl Stores {
    fn is_visible(&self, key: u8, view: &View) -> bool {
        let Some(order) = self.contacts.get(&key) else {
            return false;
        };
        let counts = |no: &RemovalNo| *no == RemovalNo::PERMANENT || view.removals.contains(no);
        let hides = |marks: &BTreeMap<u8, u32>| marks.get(&key).is_some_and(|seen| seen >= order);
        !self
            .marks
            .iter()
            .any(|(no, marks)| counts(no) && hides(marks))
    }

    fn visible(&self, view: &View) -> BTreeSet<u8> {
        let keys = self.contacts.keys().copied();
        keys.filter(|key| self.is_visible(*key, view)).collect()
    }

    fn mark(&mut self, no: RemovalNo, key: u8) {
        if let Some(order) = self.contacts.get(&key) {
            self.marks.entry(no).or_default().insert(key, *order);
        }
    }
}

/// A write that has the lock.
struct Write {
    began_after: PageCount,
    left: Vec<(u8, bool)>,
    done: Vec<(u8, i64)>,
    all: BTreeSet<u8>,
    closed: bool,
}

/// A removal that is being built.
struct Building {
    no: RemovalNo,
    view: View,
    goes: u8,
    after: Option<u8>,
    everybody: Vec<u8>,
    stays: Vec<u8>,
    touched: BTreeSet<u8>,
}

/// Flips that are committed and not told yet.
enum Untold {
    Removed(Content, Option<Surveyed>),
    Restored(i64),
}

/// How far a count has got.
enum Count {
    Begun,
    Read(Content),
    Going {
        content: Content,
        base: Option<(Arc<Index>, BTreeSet<usize>)>,
        blocks: Vec<Block>,
    },
    Ended(Arc<Index>),
    Announced(Arc<Index>, i64),
}

struct Play {
    random: Random,
    stores: Stores,
    revision: i64,
    active: Vec<RemovalNo>,
    /// What was visible at each revision.
    states: BTreeMap<i64, (View, BTreeSet<u8>)>,
    slot: Slot,
    write: Option<Write>,
    building: Option<Building>,
    untold: Option<Untold>,
    count: Option<Count>,
    counts: u64,
    removals: i64,
    /// A content that a slow reader has read.
    read: Content,
}

fn cut(keys: &[u8]) -> Vec<Block> {
    let block = |part: &[u8]| Block {
        last: document(part[part.len() - 1]),
        count: part.len() as u64,
    };
    keys.chunks(SMALL).map(block).collect()
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut play = Self {
            random: Random(seed),
            stores: Stores::default(),
            revision: 0,
            active: Vec::new(),
            states: BTreeMap::new(),
            slot: Slot::default(),
            write: None,
            building: None,
            untold: None,
            count: None,
            counts: 0,
            removals: 0,
            read: content(1, &[]),
        };
        for key in (0..KEYS).step_by(2) {
            play.stores.contacts.insert(key, 0);
        }
        play.commit(1);
        play
    }

    fn now(&self) -> Content {
        content(self.revision, &self.active)
    }

    fn commit(&mut self, revisions: i64) {
        self.revision += revisions;
        let view = view_of(&self.now());
        let visible = self.stores.visible(&view);
        self.states.insert(self.revision, (view, visible));
    }

    fn is_free(&self) -> bool {
        self.write.is_none() && self.untold.is_none()
    }

    fn step(&mut self) {
        match self.random.below(10) {
            0..=2 => self.step_write(),
            3..=4 => self.step_removal(),
            5 => self.undo(),
            6..=7 => self.step_count(),
            8 => self.tell(),
            _ => self.look(),
        }
    }

    fn step_write(&mut self) {
        if self.is_free() {
            let size = self.random.below(4);
            let left: Vec<_> = (0..size)
                .map(|_| (self.random.key(), self.random.below(3) == 0))
                .collect::<BTreeMap<_, _>>()
                .into_iter()
                .collect();
            self.write = Some(Write {
                began_after: self.slot.count,
                all: left.iter().map(|(key, _)| *key).collect(),
                left,
                done: Vec::new(),
                closed: false,
            });
            return;
        }
        let view = view_of(&self.now());
        let Some(write) = self.write.as_mut().filter(|write| !write.closed) else {
            return self.tell();
        };
        if let Some((key, removes)) = write.left.pop() {
            let was = self.stores.is_visible(key, &view);
            self.stores.order += 1;
            match removes {
                true if was => self.stores.mark(RemovalNo::PERMANENT, key),
                true => {}
                false => drop(self.stores.contacts.insert(key, self.stores.order)),
            }
            let is = self.stores.is_visible(key, &view);
            write.done.push((key, i64::from(is) - i64::from(was)));
            return;
        }
        write.closed = true;
        let all = write.all.clone();
        self.building
            .iter_mut()
            .for_each(|b| b.touched.extend(&all));
        self.commit(1);
    }

    /// What is committed reaches the slot, before the turn ends.
    fn tell(&mut self) {
        let (now, at) = (self.now(), Instant::UNIX_EPOCH);
        if self.write.as_ref().is_some_and(|write| write.closed)
            && let Some(write) = self.write.take()
        {
            let documents: Vec<Document> = write.done.iter().map(|(k, _)| document(*k)).collect();
            let shifts = documents.iter().zip(&write.done);
            let written: Vec<_> = shifts
                .map(|(d, (_, shift))| Written::by(d, *shift))
                .collect();
            self.slot.written(&now, write.began_after, &written);
        }
        match self.untold.take() {
            Some(Untold::Removed(from, surveyed)) => {
                self.slot.removed(&from, &now, surveyed, at);
            }
            Some(Untold::Restored(from)) => {
                self.slot.restored(from, &now, true, at);
            }
            None => {}
        }
    }

    fn step_removal(&mut self) {
        let Some(mut building) = self.building.take() else {
            self.removals += 1;
            self.building = Some(Building {
                no: RemovalNo(self.removals),
                view: view_of(&self.now()),
                goes: self.random.below(4) as u8,
                after: None,
                everybody: Vec::new(),
                stays: Vec::new(),
                touched: BTreeSet::new(),
            });
            return;
        };
        let seen = self.stores.visible(&building.view);
        let ahead = |key: &u8| building.after.is_none_or(|after| *key > after);
        let next: Vec<u8> = seen.iter().copied().filter(ahead).take(4).collect();
        let goes = |key: u8| key % 4 == building.goes;
        if let Some(last) = next.last() {
            building.after = Some(*last);
            for key in &next {
                building.everybody.push(*key);
                if goes(*key) {
                    self.stores.mark(building.no, *key);
                } else {
                    building.stays.push(*key);
                }
            }
            self.building = Some(building);
            return;
        }
        if !self.is_free() {
            self.building = Some(building);
            return;
        }
        for key in building
            .touched
            .iter()
            .filter(|k| goes(**k) && seen.contains(k))
        {
            self.stores.mark(building.no, *key);
        }
        let from = self.now();
        self.active.push(building.no);
        self.commit(2);
        let surveyed = (self.random.below(4) > 0).then(|| Surveyed {
            view: building.view,
            stays: cut(&building.stays),
            everybody: cut(&building.everybody),
            touched: building.touched.iter().map(|key| document(*key)).collect(),
        });
        self.untold = Some(Untold::Removed(from, surveyed));
    }

    /// The last removal ceases to count, also while another is being built: a slot must stand that.
    fn undo(&mut self) {
        if self.is_free() && self.active.pop().is_some() {
            self.untold = Some(Untold::Restored(self.revision));
            self.commit(2);
        }
    }

    fn step_count(&mut self) {
        self.count = match self.count.take() {
            None => {
                self.slot.begin_log();
                Some(Count::Begun)
            }
            Some(Count::Begun) => Some(Count::Read(self.now())),
            Some(Count::Read(content)) => match self.slot.rebuild_base(&content) {
                RebuildBase::Exact(index) => {
                    self.check(&index);
                    None
                }
                RebuildBase::Some(base, touched) => Some(going(content, Some((base, touched)))),
                RebuildBase::Unknown => Some(going(content, None)),
            },
            Some(Count::Going {
                content,
                base,
                blocks,
            }) => Some(self.count_block(content, base, blocks)),
            Some(Count::Ended(index)) => {
                let open = self.write.as_ref();
                let open = open.is_some_and(|write| !write.closed && !write.all.is_empty());
                Some(Count::Announced(index, self.revision + i64::from(open)))
            }
            Some(Count::Announced(index, until)) => {
                self.counts += 1;
                let count = PageCount(self.counts);
                if self.slot.keep(&index, until, count, Instant::UNIX_EPOCH) {
                    self.check(&index);
                }
                None
            }
        };
    }

    /// The next block, as the stores are now.
    fn count_block(
        &self,
        content: Content,
        base: Option<(Arc<Index>, BTreeSet<usize>)>,
        mut blocks: Vec<Block>,
    ) -> Count {
        let view = view_of(&content);
        let seen = self.stores.visible(&view).into_iter().map(document);
        let behind = |block: &Block, d: &Document| *d > block.last;
        let ahead: Vec<Document> = match blocks.last() {
            Some(block) => seen.filter(|d| behind(block, d)).collect(),
            None => seen.collect(),
        };
        let next = match &base {
            Some((base, touched)) => {
                let at = blocks.len();
                let number = base.blocks().len();
                base.blocks().nth(at).map(|block| {
                    let within = |d: &&Document| at + 1 == number || **d <= block.last;
                    let count = ahead.iter().filter(within).count() as u64;
                    let count = if touched.contains(&at) {
                        count
                    } else {
                        block.count
                    };
                    Block { count, ..block }
                })
            }
            None => {
                let part = &ahead[..ahead.len().min(SMALL)];
                part.last().map(|last| Block {
                    last: last.clone(),
                    count: part.len() as u64,
                })
            }
        };
        match next {
            Some(block) => {
                blocks.push(block);
                Count::Going {
                    content,
                    base,
                    blocks,
                }
            }
            None => Count::Ended(Arc::new(Index::new(content.revision, view, blocks))),
        }
    }

    /// A reader who has read the content just now or a while ago.
    fn look(&mut self) {
        let now = self.now();
        let read = std::mem::replace(&mut self.read, now);
        for content in [read, self.now()] {
            if let Some(index) = self.slot.follow(&content, Instant::UNIX_EPOCH) {
                self.check(&index);
            }
        }
    }

    fn check(&self, index: &Index) {
        let (view, visible) = &self.states[&index.revision];
        assert_eq!(*view, index.view, "at {}", index.revision);
        let mut counts = vec![0; index.blocks().len()];
        for key in visible {
            if let Some(count) = counts.get_mut(index.block_of(&document(*key))) {
                *count += 1;
            }
        }
        let found: Vec<u64> = index.blocks().map(|block| block.count).collect();
        assert_eq!(found, counts, "at {}", index.revision);
        assert_eq!(index.total, visible.len() as u64, "at {}", index.revision);
    }

    /// Nobody writes any more, and somebody asks for a page.
    fn quiet(&mut self) {
        while self.write.is_some() {
            self.step_write();
        }
        self.tell();
        self.look();
        self.look();
        while self.count.is_some() {
            self.step_count();
        }
        self.step_count();
        while self.count.is_some() {
            self.step_count();
        }
        let now = self.now();
        let index = self.slot.follow(&now, Instant::UNIX_EPOCH).unwrap();
        assert_eq!(index.revision, self.revision);
        self.check(&index);
    }
}

fn going(content: Content, base: Option<(Arc<Index>, BTreeSet<usize>)>) -> Count {
    Count::Going {
        content,
        base,
        blocks: Vec::new(),
    }
}

fn content(revision: i64, active: &[RemovalNo]) -> Content {
    Content {
        key: ContentKey {
            audience: AudienceId::from_raw(1),
            epoch: Epoch(1),
        },
        contacts: 0,
        next_request: 1,
        first_request: 0,
        revision,
        active: active.to_vec(),
    }
}

#[test]
fn what_a_slot_calls_exact_is_what_was_visible() {
    for seed in 0..HISTORIES {
        let played = std::panic::catch_unwind(|| {
            let mut play = Play::new(seed);
            for _ in 0..3 {
                (0..STEPS).for_each(|_| play.step());
                play.quiet();
            }
        });
        assert!(played.is_ok(), "history {seed}");
    }
}
