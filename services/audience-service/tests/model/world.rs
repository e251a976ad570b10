//! The reference: what audiences are, in plain collections. Everything happens at once and nothing fails.

use std::collections::{BTreeMap, BTreeSet};

use super::command::{Item, RuleSpec};

/// A document of the tiny keyspace.
pub type Doc = u8;
/// Order of acceptance: request, row.
pub type Seq = (u32, u32);

/// Values of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Values {
    pub name: u8,
    /// 0 is none, 1 to 3 are valid, others are none that could be called.
    pub phone: u8,
}

impl Values {
    pub fn has_valid_phone(self) -> bool {
        (1..=3).contains(&self.phone)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Creating,
    Ready,
    Abandoned,
}

#[derive(Debug, Clone)]
pub struct Audience {
    pub ws: usize,
    pub shown: Shown,
    pub dropped: bool,
    pub epochs: Vec<Epoch>,
    pub current: usize,
}

/// One generation of contacts.
#[derive(Debug, Clone, Default)]
pub struct Epoch {
    pub contacts: BTreeMap<Doc, (Seq, Values)>,
    pub permanent: BTreeMap<Doc, Seq>,
    pub removals: Vec<Removal>,
    pub active: Vec<usize>,
    /// Whether a request was accepted for it.
    pub asked: bool,
    /// The first request whose rows belong to it.
    pub first_request: u32,
}

#[derive(Debug, Clone)]
pub struct Removal {
    pub op: usize,
    pub marks: BTreeMap<Doc, Seq>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl State {
    pub fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

#[derive(Debug, Clone)]
pub enum Kind {
    Upload(Vec<Item>),
    Create(Vec<Item>),
    Recycle {
        rules: RuleSpec,
        target: Option<usize>,
    },
    Duplicate {
        source: usize,
    },
    Clear {
        from: usize,
        to: usize,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    Upload {
        received: i64,
        created: i64,
        updated: i64,
        unchanged: i64,
        superseded: i64,
        rejected: i64,
    },
    Removal {
        total: i64,
        removed: i64,
        by_reason: BTreeMap<String, i64>,
        withheld: i64,
    },
}

#[derive(Debug, Clone)]
pub struct Op {
    pub ws: usize,
    pub kind: Kind,
    /// The audience it works on or makes.
    pub audience: usize,
    pub request: u32,
    pub state: State,
    pub report: Option<Report>,
    pub undoable: bool,
    pub expired: bool,
    pub undone: bool,
    pub attempt: u32,
    /// Batches of an upload that are in, and what became of their rows.
    pub batches: usize,
    pub tally: Tally,
    /// Rows of the next batch that are in already, and what became of each.
    pub part: BTreeMap<Doc, char>,
    /// It was asked to stop while nobody worked on it.
    pub cancel: bool,
    /// It was stopped on its way.
    pub stopped: bool,
    /// Its rows were written over before an interrupted run counted them: the report says so or not.
    pub loose: bool,
    /// A clear made it pointless.
    pub superseded: bool,
    /// Attempts that ended: each has one terminal event.
    pub ended: Vec<u32>,
}

/// What became of an upload's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub superseded: i64,
}

impl Tally {
    /// Counts the rows of one document by what became of the last one, see [`Epoch::put`].
    pub fn count(&mut self, class: char, rows: i64) {
        match class {
            'i' => (self.created, self.updated) = (self.created + 1, self.updated + rows - 1),
            'u' => self.updated += rows,
            'c' => self.unchanged += rows,
            _ => {
                self.unchanged += rows;
                self.superseded += rows;
            }
        }
    }
}

/// A walk by cursor that has not come to its end.
#[derive(Debug, Clone)]
pub struct Walk {
    pub audience: usize,
    pub epoch: usize,
    pub active: Vec<usize>,
    pub after: Doc,
    pub limit: usize,
}

#[derive(Debug, Clone, Default)]
pub struct World {
    pub audiences: Vec<Audience>,
    pub ops: Vec<Op>,
    /// Per workspace: who opted out.
    pub opted_out: [BTreeSet<Doc>; 2],
    pub requests: u32,
    pub walk: Option<Walk>,
    /// Some of what was removed may be deleted.
    pub aged: bool,
}

/// What became of a request's rows: inserted, updated, unchanged, rejected.
pub type Classes = (i64, i64, i64, i64);

impl Op {
    /// Whether it copies contacts, in several steps.
    pub fn copies(&self) -> bool {
        matches!(
            self.kind,
            Kind::Duplicate { .. }
                | Kind::Recycle {
                    target: Some(_),
                    ..
                }
        )
    }
}

impl Epoch {
    pub fn is_hidden(&self, doc: Doc, seq: Seq, active: &[usize]) -> bool {
        let marks = active
            .iter()
            .filter_map(|r| self.removals[*r].marks.get(&doc));
        marks
            .chain(self.permanent.get(&doc))
            .any(|seen| *seen >= seq)
    }

    /// Visible contacts for a reader that counts these removals.
    pub fn seen_with(&self, active: &[usize]) -> BTreeMap<Doc, (Seq, Values)> {
        let seen = self
            .contacts
            .iter()
            .filter(|(d, (seq, _))| !self.is_hidden(**d, *seq, active));
        seen.map(|(d, c)| (*d, *c)).collect()
    }

    pub fn visible(&self) -> BTreeMap<Doc, (Seq, Values)> {
        self.seen_with(&self.active)
    }

    /// Writes one row: `'i'`nserted, `'u'`pdated, un`'c'`hanged, or `'s'`uperseded by a later removal.
    pub fn put(&mut self, doc: Doc, seq: Seq, values: Values) -> char {
        if seq.0 < self.first_request {
            return 's';
        }
        let visible = self.visible().contains_key(&doc);
        if self
            .contacts
            .get(&doc)
            .is_some_and(|(stored, _)| *stored > seq)
        {
            return 'c';
        }
        self.contacts.insert(doc, (seq, values));
        if self.is_hidden(doc, seq, &self.active) {
            return 's';
        }
        if visible { 'u' } else { 'i' }
    }
}

impl World {
    pub fn epoch(&mut self, audience: usize) -> &mut Epoch {
        let a = &mut self.audiences[audience];
        &mut a.epochs[a.current]
    }

    pub fn visible(&self, audience: usize) -> BTreeMap<Doc, (Seq, Values)> {
        let a = &self.audiences[audience];
        a.epochs[a.current].visible()
    }

    /// Audiences that readers see, dropped ones included.
    pub fn shown(&self) -> Vec<usize> {
        let ready = |i: &usize| self.audiences[*i].shown == Shown::Ready;
        (0..self.audiences.len()).filter(ready).collect()
    }

    pub fn new_audience(&mut self, ws: usize, shown: Shown) -> usize {
        let epochs = vec![Epoch::default()];
        self.audiences.push(Audience {
            ws,
            shown,
            dropped: false,
            epochs,
            current: 0,
        });
        self.audiences.len() - 1
    }

    pub fn next_request(&mut self, audience: usize) -> u32 {
        self.epoch(audience).asked = true;
        self.requests += 1;
        self.requests
    }

    /// Contacts of an audience change while an upload into it may be interrupted.
    pub fn touch(&mut self, audience: usize) {
        for op in self.ops.iter_mut().filter(|o| o.audience == audience) {
            op.loose |= op.state.is_live() && op.batches > 0;
        }
    }

    pub fn add(&mut self, audience: usize, items: &[Item]) -> Classes {
        self.touch(audience);
        let request = if items.iter().any(|i| i.good().is_some()) {
            self.next_request(audience)
        } else {
            self.requests
        };
        let mut classes = (0, 0, 0, 0);
        for (row, item) in items.iter().enumerate() {
            let Some((doc, values)) = item.good() else {
                classes.3 += 1;
                continue;
            };
            match self.epoch(audience).put(doc, (request, row as u32), values) {
                'i' => classes.0 += 1,
                'u' => classes.1 += 1,
                _ => classes.2 += 1,
            }
        }
        classes
    }

    pub fn remove_one(&mut self, audience: usize, doc: Doc) -> bool {
        if !self.visible(audience).contains_key(&doc) {
            return false;
        }
        self.touch(audience);
        let order = (self.next_request(audience), 0);
        self.epoch(audience).permanent.insert(doc, order);
        true
    }

    pub fn new_op(&mut self, kind: Kind, audience: usize, request: u32) -> usize {
        self.ops.push(Op {
            ws: self.audiences[audience].ws,
            kind,
            audience,
            request,
            state: State::Queued,
            report: None,
            undoable: false,
            expired: false,
            undone: false,
            attempt: 1,
            batches: 0,
            tally: Tally::default(),
            part: BTreeMap::new(),
            cancel: false,
            stopped: false,
            loose: false,
            superseded: false,
            ended: Vec::new(),
        });
        self.ops.len() - 1
    }

    pub fn end(&mut self, op: usize, state: State, report: Report, undoable: bool) {
        let op = &mut self.ops[op];
        (op.state, op.report, op.undoable) = (state, Some(report), undoable);
        op.ended.push(op.attempt);
    }

    /// The audience that an operation makes, if it makes one.
    pub fn made_by(&self, op: usize) -> Option<usize> {
        match &self.ops[op].kind {
            Kind::Create(_) | Kind::Duplicate { .. } => Some(self.ops[op].audience),
            Kind::Recycle { target, .. } => *target,
            Kind::Upload(_) | Kind::Clear { .. } => None,
        }
    }
}
