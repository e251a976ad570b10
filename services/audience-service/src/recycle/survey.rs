//! Walking the visible contacts and judging each, for a dry run, a removal, or a copy.

use domain::{
    contact::Document,
    recycle::{DuplicateKeep, DuplicateKey, Reasons, Rules},
    segment::ContactFacts,
    shared::OperationId,
};
use operations::Signals;
use ports::{contacts::Order, files::Sorter};

use super::{
    DUPLICATES, RecycleParams,
    judge::Judge,
    set_name,
    sets::SORT_BYTES,
    tally::Tally,
    walk::{Candidate, Source, Walk},
};
use crate::AppResult;

/// Contacts shown of a dry run.
const SAMPLE: usize = 10;

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

/// Walks the visible contacts and judges each.
#[derive(Clone)]
pub struct Surveyor {
    pub(crate) walk: Walk,
}

impl Surveyor {
    /// Judges every contact and stores nothing.
    pub(crate) async fn survey(
        &self,
        source: &Source,
        params: &RecycleParams,
        sets: OperationId,
    ) -> AppResult<Survey> {
        let surveyed = self.judge_all(source, params, sets).await;
        // The operation that follows looks for duplicates among those who are there then.
        self.walk.spool.remove(&set_name(sets, DUPLICATES))?;
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
        let mut judge = Judge::new(&self.walk, &source.workspace, params, sets).await?;
        let mut survey = Survey::default();
        let mut after = None;
        loop {
            let batch = self
                .walk
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
        if self.walk.spool.exists(&name)? {
            return Ok(());
        }
        let spool = &self.walk.spool;
        let by_key = set_name(sets, "keys");
        let mut keys = spool.sorter(&by_key, SORT_BYTES)?;
        let mut judge = Judge::new(&self.walk, &source.workspace, params, sets).await?;
        let mut after = None;
        loop {
            signals.check()?;
            let batch = self.walk.candidates(source, after.as_ref(), true).await?;
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
    let document = &candidate.document;
    let count = filter.unreadable(&ContactFacts { document, body });
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
