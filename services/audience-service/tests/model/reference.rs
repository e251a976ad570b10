//! What operations do to the reference.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    command::RuleSpec,
    system::STEPS,
    world::{Doc, Epoch, Kind, Op, Removal, Report, Seq, Shown, State, Tally, Values, World},
};

/// Rows of one document.
type DocRows = (Doc, Vec<(Seq, Values)>);

impl Op {
    /// An upload's rows by document, in the batches that they are written in.
    pub fn batches_of_rows(&self) -> Vec<Vec<DocRows>> {
        let (Kind::Upload(items) | Kind::Create(items)) = &self.kind else {
            return Vec::new();
        };
        let mut by_doc: BTreeMap<Doc, Vec<(Seq, Values)>> = BTreeMap::new();
        for (row, item) in items.iter().enumerate() {
            if let Some((doc, values)) = item.good() {
                let seq = (self.request, row as u32 + 1);
                by_doc.entry(doc).or_default().push((seq, values));
            }
        }
        let rows: Vec<DocRows> = by_doc.into_iter().collect();
        rows.chunks(STEPS.written).map(<[_]>::to_vec).collect()
    }

    /// The report of an upload: of the whole file, or of what is in.
    pub fn upload_report(&self, whole: bool) -> Report {
        let (Kind::Upload(items) | Kind::Create(items)) = &self.kind else {
            panic!("no upload: {:?}", self.kind);
        };
        let rejected = items.iter().filter(|i| i.good().is_none()).count() as i64;
        let Tally {
            created,
            updated,
            unchanged,
            superseded,
        } = self.tally;
        let received = if whole {
            items.len() as i64
        } else {
            created + updated + unchanged + rejected
        };
        Report::Upload {
            received,
            created,
            updated,
            unchanged,
            superseded,
            rejected,
        }
    }
}

impl World {
    /// A batch of an upload's rows goes in, or goes in again.
    pub fn apply_batch(&mut self, op: usize, batch: usize) {
        let (audience, counted) = (self.ops[op].audience, self.ops[op].batches);
        let Some(rows) = self.ops[op].batches_of_rows().into_iter().nth(batch) else {
            return;
        };
        let mut tally = self.ops[op].tally;
        for (doc, rows) in rows {
            let (seq, values) = rows[rows.len() - 1];
            let class = self.epoch(audience).put(doc, seq, values);
            // What became of a row is told once, however often it is written.
            let class = self.ops[op].part.remove(&doc).unwrap_or(class);
            tally.count(class, rows.len() as i64);
        }
        if batch >= counted {
            (self.ops[op].tally, self.ops[op].batches) = (tally, batch + 1);
        }
    }

    /// Some rows of a batch go in, and nobody has counted them when the process ends.
    pub fn apply_part(&mut self, op: usize, batch: usize, stored: &BTreeSet<Doc>) {
        let audience = self.ops[op].audience;
        let rows = self.ops[op].batches_of_rows().into_iter().nth(batch);
        let rows = rows.into_iter().flatten();
        for (doc, rows) in rows.filter(|(doc, _)| stored.contains(doc)) {
            let (seq, values) = rows[rows.len() - 1];
            let class = self.epoch(audience).put(doc, seq, values);
            self.ops[op].part.entry(doc).or_insert(class);
        }
    }

    /// A claimed operation comes to its end.
    pub fn finish(&mut self, op: usize) {
        let Op { kind, audience, .. } = self.ops[op].clone();
        if !matches!(kind, Kind::Upload(_)) {
            self.touch(audience);
        }
        match kind {
            Kind::Upload(_) | Kind::Create(_) => self.finish_upload(op),
            Kind::Recycle {
                rules,
                target: None,
            } => {
                let (report, mut marks) = self.judge(audience, &rules);
                // Nobody comes back by what was accepted before.
                let before = (self.ops[op].request, u32::MAX);
                marks.values_mut().for_each(|seq| *seq = before.max(*seq));
                let epoch = self.epoch(audience);
                epoch.active.push(epoch.removals.len());
                epoch.removals.push(Removal { op, marks });
                self.end(op, State::Succeeded, report, true);
            }
            Kind::Recycle {
                rules,
                target: Some(new),
            } => {
                let (report, marks) = self.judge(audience, &rules);
                self.copy(audience, new, &marks);
                self.end(op, State::Succeeded, report, true);
            }
            Kind::Duplicate { source } => {
                let (report, marks) = self.judge(source, &RuleSpec::default());
                self.copy(source, audience, &marks);
                self.end(op, State::Succeeded, report, true);
            }
            Kind::Clear { .. } => {}
        }
    }

    fn finish_upload(&mut self, op: usize) {
        let report = self.ops[op].upload_report(true);
        let all_rejected = matches!(report,
            Report::Upload { received, rejected, .. } if received > 0 && received == rejected);
        let made = self.made_by(op);
        let shown = if all_rejected {
            Shown::Abandoned
        } else {
            Shown::Ready
        };
        if let Some(made) = made {
            self.audiences[made].shown = shown;
        }
        let state = if all_rejected {
            State::Failed
        } else {
            State::Succeeded
        };
        self.end(op, state, report, made.is_some() && !all_rejected);
    }

    fn copy(&mut self, from: usize, to: usize, without: &BTreeMap<Doc, Seq>) {
        let stays = self
            .visible(from)
            .into_iter()
            .filter(|(d, _)| !without.contains_key(d));
        let rows: Vec<_> = stays.collect();
        for (row, (doc, (_, values))) in rows.into_iter().enumerate() {
            self.epoch(to)
                .contacts
                .insert(doc, ((0, row as u32), values));
        }
        self.audiences[to].shown = Shown::Ready;
    }

    /// Who goes, and the report of it.
    pub fn judge(&self, audience: usize, rules: &RuleSpec) -> (Report, BTreeMap<Doc, Seq>) {
        let ws = self.audiences[audience].ws;
        let members = self.visible(audience);
        let is_member = |other: &Option<usize>, doc: &Doc| {
            other.is_some_and(|other| self.visible(other).contains_key(doc))
        };
        let mut reasons: BTreeMap<Doc, BTreeSet<(u8, &str)>> = BTreeMap::new();
        for (doc, (_, values)) in &members {
            let kept = rules.keep.contains(doc) || is_member(&rules.keep_audience, doc);
            let opted_out = rules.opted_out && self.opted_out[ws].contains(doc);
            let held = [
                (opted_out, (0, "opted_out")),
                (!kept && rules.documents.contains(doc), (1, "documents")),
                (!kept && is_member(&rules.audience, doc), (2, "audience")),
                (!kept && rules.named == Some(values.name), (7, "where")),
            ];
            let held = held
                .iter()
                .filter(|(holds, _)| *holds)
                .map(|(_, reason)| *reason);
            reasons.insert(*doc, held.collect());
        }
        if let Some(latest) = rules.duplicates {
            let competes = |d: &Doc| reasons[d].is_empty();
            let mut groups: BTreeMap<u8, Vec<(Seq, Doc)>> = BTreeMap::new();
            for (doc, (seq, values)) in members
                .iter()
                .filter(|(d, v)| v.1.has_valid_phone() && competes(d))
            {
                groups.entry(values.phone).or_default().push((*seq, *doc));
            }
            for mut group in groups.into_values() {
                group.sort_unstable();
                let best = if latest {
                    group.pop()
                } else {
                    Some(group.remove(0))
                };
                for (_, doc) in group.iter().filter(|one| Some(**one) != best) {
                    let kept = rules.keep.contains(doc) || is_member(&rules.keep_audience, doc);
                    if !kept {
                        reasons.entry(*doc).or_default().insert((8, "duplicates"));
                    }
                }
            }
        }
        let mut by_reason = BTreeMap::new();
        let mut marks = BTreeMap::new();
        for (doc, reasons) in reasons {
            if let Some((_, first)) = reasons.first() {
                *by_reason.entry((*first).to_owned()).or_default() += 1;
                marks.insert(doc, members[&doc].0);
            }
        }
        let (total, removed) = (members.len() as i64, marks.len() as i64);
        (
            Report::Removal {
                total,
                removed,
                by_reason,
                withheld: 0,
            },
            marks,
        )
    }

    /// Empties an audience; `false` where a clear left it empty already.
    pub fn clear(&mut self, audience: usize) -> bool {
        let current = self.audiences[audience].current;
        let last = self.ops.iter().rev().find_map(|o| match o.kind {
            Kind::Clear { to, .. } if o.audience == audience => Some(to),
            _ => None,
        });
        let total = self.visible(audience).len() as i64;
        if total == 0 && last == Some(current) {
            return false;
        }
        let live = |o: &Op| matches!(o.kind, Kind::Recycle { .. }) && o.audience == audience;
        for op in 0..self.ops.len() {
            if live(&self.ops[op]) && self.ops[op].state.is_live() {
                self.cancel(op);
                self.ops[op].superseded = true;
            }
        }
        self.touch(audience);
        let first_request = self.requests + 1;
        let a = &mut self.audiences[audience];
        a.epochs.push(Epoch {
            first_request,
            ..Epoch::default()
        });
        a.current = a.epochs.len() - 1;
        let kind = Kind::Clear {
            from: current,
            to: a.current,
        };
        let op = self.new_op(kind, audience, 0);
        let by_reason = BTreeMap::new();
        let report = Report::Removal {
            total,
            removed: total,
            by_reason,
            withheld: 0,
        };
        self.end(op, State::Succeeded, report, true);
        true
    }

    /// Work on an operation stops before its end.
    pub fn stop(&mut self, op: usize) {
        self.ops[op].stopped = true;
        self.cancel(op);
    }

    pub fn cancel(&mut self, op: usize) {
        self.count_part(op);
        self.ops[op].state = State::Cancelled;
        self.ops[op].cancel = false;
        self.ops[op].report = match self.ops[op].kind {
            Kind::Upload(_) => Some(self.ops[op].upload_report(false)),
            _ => None,
        };
        let attempt = self.ops[op].attempt;
        self.ops[op].ended.push(attempt);
        if let Some(made) = self.made_by(op) {
            self.audiences[made].shown = Shown::Abandoned;
        }
    }

    /// Whoever ends early counts what is stored of the batch that was cut off.
    fn count_part(&mut self, op: usize) {
        let batches = self.ops[op].batches_of_rows().concat();
        for (doc, rows) in batches {
            if let Some(class) = self.ops[op].part.remove(&doc) {
                self.ops[op].tally.count(class, rows.len() as i64);
            }
        }
    }

    pub fn retry(&mut self, op: usize) {
        self.ops[op].state = State::Queued;
        self.ops[op].attempt += 1;
        if let Some(made) = self.made_by(op) {
            self.audiences[made].shown = Shown::Creating;
        }
    }

    /// Takes an operation back, or says why not.
    pub fn undo(&mut self, op: usize) -> Result<(), &'static str> {
        let Op {
            kind,
            audience,
            undoable,
            expired,
            undone,
            ..
        } = self.ops[op].clone();
        if undone {
            return Ok(());
        }
        if !undoable {
            return Err("not_undoable");
        }
        if expired {
            return Err("undo_expired");
        }
        let withheld = if let Some(made) = self.made_by(op) {
            self.audiences[made].dropped = true;
            0
        } else if self.audiences[audience].dropped {
            return Err("audience_deleted");
        } else if let Kind::Clear { from, to } = kind {
            self.undo_clear(audience, from, to)?
        } else {
            self.undo_removal(audience, op)?
        };
        self.ops[op].undone = true;
        if let Some(Report::Removal { withheld: w, .. }) = &mut self.ops[op].report {
            *w = withheld;
        }
        Ok(())
    }

    fn undo_clear(&mut self, audience: usize, from: usize, to: usize) -> Result<i64, &'static str> {
        if self.audiences[audience].current != to {
            return Err("later_removal_exists");
        }
        let epoch = self.epoch(audience);
        if epoch.asked || !epoch.active.is_empty() || !epoch.visible().is_empty() {
            return Err("audience_changed");
        }
        self.audiences[audience].current = from;
        let back = self
            .visible(audience)
            .into_iter()
            .map(|(d, (seq, _))| (d, seq))
            .collect();
        Ok(self.withhold(audience, &back))
    }

    fn undo_removal(&mut self, audience: usize, op: usize) -> Result<i64, &'static str> {
        let is_busy = |o: &Op| o.audience == audience && o.state == State::Running;
        if self
            .ops
            .iter()
            .any(|o| is_busy(o) && matches!(o.kind, Kind::Recycle { .. }))
        {
            return Err("later_removal_exists");
        }
        let epoch = self.epoch(audience);
        let last = epoch.active.last().copied();
        if last.is_none_or(|r| epoch.removals[r].op != op) {
            return Err("later_removal_exists");
        }
        let before = epoch.visible();
        epoch.active.pop();
        self.touch(audience);
        let epoch = self.epoch(audience);
        let back = epoch
            .visible()
            .into_iter()
            .filter(|(d, _)| !before.contains_key(d));
        let back = back.map(|(d, (seq, _))| (d, seq)).collect();
        Ok(self.withhold(audience, &back))
    }

    /// Time goes by until nothing can be undone, and what cannot come back is deleted.
    pub fn age(&mut self) {
        (self.aged, self.walk) = (true, None);
        self.ops.iter_mut().for_each(|op| op.expired |= op.undoable);
        for audience in 0..self.audiences.len() {
            let visible = self.visible(audience);
            let epoch = self.epoch(audience);
            let active = std::mem::take(&mut epoch.active);
            let all = epoch.seen_with(&[]);
            let purged = |d: &Doc| all.contains_key(d) && !visible.contains_key(d);
            epoch.contacts.retain(|d, _| !purged(d));
            drop(active);
        }
    }

    /// Keeps out who would come back and is opted out.
    fn withhold(&mut self, audience: usize, back: &BTreeMap<Doc, Seq>) -> i64 {
        let out = self.opted_out[self.audiences[audience].ws].clone();
        let stays = back.iter().filter(|(d, _)| out.contains(d));
        let stays: Vec<_> = stays.map(|(d, seq)| (*d, *seq)).collect();
        let count = stays.len() as i64;
        self.epoch(audience).permanent.extend(stays);
        count
    }
}
