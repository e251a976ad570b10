//! Walking the visible contacts and judging each, for a dry run, a removal, or a copy.

use std::collections::BTreeMap;

use domain::{
    contact::Document,
    operation::{ReasonCounts, RemovalReport},
    recycle::{DuplicateKeep, DuplicateKey, Reasons, Rules},
    shared::{OperationId, WorkspaceId},
};
use ports::{
    contacts::{ContentKey, Order, View},
    files::Sorter,
};

use super::{
    DUPLICATES, RecycleParams,
    judge::{Candidate, Judge},
    set_name,
    sets::SORT_BYTES,
};
use crate::application::{App, AppResult, operations::Signals, uploads::Exclusion};

/// Contacts shown of a dry run.
const SAMPLE: usize = 10;

/// Counts of a survey.
#[derive(Debug, Default, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Tally {
    /// Contacts judged.
    pub total: i64,
    /// Contacts by all their reasons, as bits; those that stay are not among them.
    pub by_reasons: BTreeMap<i64, i64>,
    /// What was found in the file of documents.
    #[serde(default)]
    pub exclusion: Option<Exclusion>,
}

impl Tally {
    /// Counts a verdict.
    pub fn add(&mut self, reasons: Reasons) {
        self.total += 1;
        if !reasons.is_empty() {
            *self.by_reasons.entry(reasons.bits()).or_default() += 1;
        }
    }

    /// Takes a verdict back that was counted, but leaves the contact in the total.
    pub fn take_back(&mut self, reasons: Reasons) {
        self.total -= 1;
        if let Some(count) = self.by_reasons.get_mut(&reasons.bits()) {
            *count -= 1;
        }
    }

    /// Contacts with a reason.
    pub fn removed(&self) -> i64 {
        self.by_reasons.values().sum()
    }

    /// Contacts by the reason that counts.
    pub fn by_first(&self) -> ReasonCounts {
        let mut counts = ReasonCounts::new();
        for (bits, count) in &self.by_reasons {
            if let Some(first) = Reasons::from_bits(*bits).first().filter(|_| *count != 0) {
                *counts.entry(first).or_default() += count;
            }
        }
        counts
    }

    /// The tally as a report.
    pub fn report(&self) -> RemovalReport {
        let removed = self.removed();
        let found = self.exclusion.clone();
        RemovalReport {
            total: self.total,
            removed,
            kept: self.total - removed,
            by_reason: self.by_first(),
            unreadable: found.as_ref().map(|found| found.unreadable),
            warnings: found.map(|found| found.warnings).unwrap_or_default(),
            withheld: 0,
        }
    }
}

/// What a survey found.
#[derive(Default)]
pub(crate) struct Survey {
    /// What would become of the contacts.
    pub tally: Tally,
    /// The first few that would go.
    pub sample: Vec<(Document, Reasons)>,
    /// Values that conditions could not read.
    pub unreadable: i64,
}

/// Where a walk reads.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub workspace: WorkspaceId,
    pub key: ContentKey,
    pub view: View,
}

impl App {
    /// The next contacts of a walk. Bodies are read only when `bodies` says so.
    pub(crate) async fn candidates(
        &self,
        source: &Source,
        after: Option<&Document>,
        bodies: bool,
    ) -> AppResult<Vec<Candidate>> {
        let (store, step) = (&self.deps.contacts, self.deps.steps.judged);
        if bodies {
            let rows = store.scan(source.key, &source.view, after, step).await?;
            let candidate = |c: ports::contacts::StoredContact| Candidate {
                document: c.document,
                order: c.order,
                body: Some(c.body),
            };
            return Ok(rows.into_iter().map(candidate).collect());
        }
        let rows = store
            .scan_keys(source.key, &source.view, after, step)
            .await?;
        let candidate = |k: ports::contacts::KeyOnly| Candidate {
            document: k.document,
            order: k.order,
            body: None,
        };
        Ok(rows.into_iter().map(candidate).collect())
    }

    /// Judges every contact and stores nothing.
    pub(crate) async fn survey(
        &self,
        source: &Source,
        params: &RecycleParams,
        sets: OperationId,
    ) -> AppResult<Survey> {
        let surveyed = self.judge_all(source, params, sets).await;
        // The operation that follows looks for duplicates among those who are there then.
        self.deps.spool.remove(&set_name(sets, DUPLICATES))?;
        surveyed
    }

    async fn judge_all(
        &self,
        source: &Source,
        params: &RecycleParams,
        sets: OperationId,
    ) -> AppResult<Survey> {
        self.find_duplicates(source, params, sets, &Signals::default())
            .await?;
        let mut judge = Judge::new(self, &source.workspace, params, sets).await?;
        let mut survey = Survey::default();
        let mut after = None;
        loop {
            let batch = self
                .candidates(source, after.as_ref(), params.rules.needs_body())
                .await?;
            let Some(last) = batch.last() else {
                return Ok(survey);
            };
            after = Some(last.document.clone());
            for (candidate, reasons) in batch.iter().zip(judge.judge(&batch).await?) {
                survey.tally.add(reasons);
                survey.unreadable += unreadable(candidate, &params.rules);
                if !reasons.is_empty() && survey.sample.len() < SAMPLE {
                    survey.sample.push((candidate.document.clone(), reasons));
                }
            }
        }
    }

    /// Sorts the documents of duplicates into a set of the operation, if the rules ask for it. Only
    /// contacts that no other rule removes compete, so that nobody goes for a contact that goes too.
    pub(crate) async fn find_duplicates(
        &self,
        source: &Source,
        params: &RecycleParams,
        sets: OperationId,
        signals: &Signals,
    ) -> AppResult<()> {
        let name = set_name(sets, DUPLICATES);
        let Some(rule) = &params.rules.duplicates else {
            return Ok(());
        };
        if self.deps.spool.exists(&name)? {
            return Ok(());
        }
        let spool = &self.deps.spool;
        let by_key = set_name(sets, "keys");
        let mut keys = spool.sorter(&by_key, SORT_BYTES)?;
        let mut judge = Judge::new(self, &source.workspace, params, sets).await?;
        let mut after = None;
        loop {
            signals.check()?;
            let batch = self.candidates(source, after.as_ref(), true).await?;
            let Some(last) = batch.last() else { break };
            after = Some(last.document.clone());
            for (candidate, reasons) in batch.iter().zip(judge.judge(&batch).await?) {
                if reasons.is_empty() {
                    push_keys(keys.as_mut(), candidate, &rule.by)?;
                }
            }
        }
        keys.finish()?;
        let mut losers = spool.sorter(&name, SORT_BYTES)?;
        let mut sorted = spool.open(&by_key, 0)?;
        let mut group = Group::default();
        while let Some((key, value)) = sorted.next()? {
            group.add(key, value, rule.keep, losers.as_mut())?;
        }
        losers.finish()?;
        Ok(spool.remove(&by_key)?)
    }
}

/// How many of its values the conditions cannot read.
fn unreadable(candidate: &Candidate, rules: &Rules) -> i64 {
    let (Some(filter), Some(body)) = (&rules.filter, &candidate.body) else {
        return 0;
    };
    let count = filter.unreadable(&candidate.document, body);
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Key of a duplicate: which value, and the value. Value: order and document.
fn push_keys(sorter: &mut dyn Sorter, candidate: &Candidate, by: &[DuplicateKey]) -> AppResult<()> {
    let Some(body) = &candidate.body else {
        return Ok(());
    };
    let mut value = candidate.order.0.to_be_bytes().to_vec();
    value.extend_from_slice(candidate.document.as_str().as_bytes());
    for which in by {
        let tag = match which {
            DuplicateKey::Phone => b'p',
            DuplicateKey::Email => b'e',
        };
        if let Some(text) = which.of(body) {
            let mut key = vec![tag];
            key.extend_from_slice(text.as_bytes());
            sorter.push(&key, &value)?;
        }
    }
    Ok(())
}

/// Contacts that share a key: the best so far; each one that loses goes to the set.
#[derive(Default)]
struct Group {
    key: Vec<u8>,
    best: Option<(Order, Vec<u8>)>,
}

impl Group {
    fn add(
        &mut self,
        key: &[u8],
        value: &[u8],
        keep: DuplicateKeep,
        losers: &mut dyn Sorter,
    ) -> AppResult<()> {
        let corrupt = ports::StoreError::Corrupt("a sorted key");
        let (order, document) = value.split_first_chunk::<8>().ok_or(corrupt)?;
        let order = Order(i64::from_be_bytes(*order));
        let challenger = (order, document.to_vec());
        if self.key != key {
            self.key = key.to_vec();
            self.best = Some(challenger);
            return Ok(());
        }
        let wins = |best: &(Order, Vec<u8>)| match keep {
            DuplicateKeep::Latest => challenger.0 > best.0,
            DuplicateKeep::Earliest => challenger.0 < best.0,
        };
        let loser = match self.best.take() {
            Some(best) if !wins(&best) => {
                self.best = Some(best);
                challenger.1
            }
            Some(best) => {
                self.best = Some(challenger);
                best.1
            }
            None => return Ok(()),
        };
        Ok(losers.push(&loser, &[])?)
    }
}
