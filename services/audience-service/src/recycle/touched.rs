//! Contacts written while a removal was being prepared: judged again as they are at the flip.
//!
//! The survey counted some of them as they were then. The final tally is the survey's, less what it
//! counted for touched contacts, plus what holds for them now; this comes out the same however often
//! a crash makes it start again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    contact::Document,
    recycle::Reasons,
    shared::{RemovalNo, WriteNo},
};
use operations::Run;
use ports::{
    contacts::{ContactRecord, Order, Priority, Tombstone},
    store::{AudienceStore, Durability},
};

use super::{
    RecycleParams,
    checkpoint::RecycleCheckpoint,
    judge::Judge,
    tally::Tally,
    walk::{Candidate, Source, Walk},
};
use crate::{AppResult, contact::write::Marks};

/// Writes looked at per step.
const WRITES: i64 = 200;
/// Fewer touched contacts than this are judged under the lock.
const SMALL: usize = 1_000;
/// Rounds before the lock is taken whatever is left.
const ROUNDS: usize = 20;

/// What became of the contacts touched since a removal began.
pub(super) struct Touched<'a> {
    store: &'a dyn AudienceStore,
    walk: &'a Walk,
    source: Source,
    removal: RemovalNo,
    at: RecycleCheckpoint,
    seen: Option<WriteNo>,
    /// What the survey counted for each touched contact (`None`: it did not see it).
    before: HashMap<Document, Option<Reasons>>,
    /// What holds for each touched contact that is visible.
    now: HashMap<Document, Option<Reasons>>,
}

impl<'a> Touched<'a> {
    pub fn new(
        store: &'a dyn AudienceStore,
        walk: &'a Walk,
        source: Source,
        removal: RemovalNo,
        at: &RecycleCheckpoint,
    ) -> Self {
        Self {
            store,
            walk,
            source,
            removal,
            at: at.clone(),
            seen: None,
            before: HashMap::new(),
            now: HashMap::new(),
        }
    }

    /// Judges what was touched so far, without the lock, until little is left.
    pub async fn catch_up(&mut self, run: &Run, params: &RecycleParams) -> AppResult<()> {
        for _ in 0..ROUNDS {
            run.signals.check()?;
            let documents = self.written_since(WRITES).await?;
            let few = documents.len() < SMALL;
            self.judge(run, params, documents).await?;
            if few {
                break;
            }
        }
        Ok(())
    }

    /// Judges what was touched since. Under the lock this is everything.
    pub async fn look_again(&mut self, run: &Run, params: &RecycleParams) -> AppResult<()> {
        loop {
            let documents = self.written_since(WRITES).await?;
            if documents.is_empty() {
                return Ok(());
            }
            self.judge(run, params, documents).await?;
        }
    }

    /// Documents of the next writes.
    async fn written_since(&mut self, limit: i64) -> AppResult<BTreeSet<Document>> {
        let mut uow = self.store.begin(Durability::Derived).await?;
        let key = self.source.key;
        let writes = uow
            .contents()
            .touched_since(key, self.removal, self.seen, limit)
            .await?;
        self.seen = writes.last().map(|w| w.write).or(self.seen);
        Ok(writes.into_iter().flat_map(|w| w.documents).collect())
    }

    async fn judge(
        &mut self,
        run: &Run,
        params: &RecycleParams,
        documents: BTreeSet<Document>,
    ) -> AppResult<()> {
        if documents.is_empty() {
            return Ok(());
        }
        let documents: Vec<Document> = documents.into_iter().collect();
        let key = self.source.key;
        let judge = Judge::new(self.walk, &self.source.workspace, params, run.operation.id).await?;
        let mut judge = judge.without_duplicates();
        for part in documents.chunks(SMALL) {
            let contacts = self.walk.contacts.get(key, part).await?;
            let stones = self.walk.contacts.tombstones(key, part).await?;
            let orders: BTreeMap<&Document, Order> =
                contacts.iter().map(|c| (&c.document, c.order)).collect();
            self.remember(part, &stones);
            let marks = Marks::new(stones.clone(), &self.source.view);
            let visible = |d: &Document| {
                orders
                    .get(d)
                    .is_some_and(|order| marks.hider(d, *order).is_none())
            };
            for document in part.iter().filter(|d| !visible(d)) {
                self.now.insert(document.clone(), None);
            }
            let candidates: Vec<Candidate> = contacts
                .iter()
                .filter(|c| visible(&c.document))
                .map(candidate)
                .collect();
            let verdicts = judge.judge(&candidates).await?;
            let mut marked = Vec::new();
            for (candidate, reasons) in candidates.into_iter().zip(verdicts) {
                self.now.insert(candidate.document.clone(), Some(reasons));
                if !reasons.is_empty() {
                    let order = params.tombstone_order(candidate.order);
                    marked.push(self.tombstone(candidate.document, order, reasons));
                } else if self.hides(&stones, &candidate) {
                    // A row that was accepted before this removal has changed whom it had marked.
                    let order = Order(i64::MIN);
                    marked.push(self.tombstone(candidate.document, order, reasons));
                }
            }
            if !marked.is_empty() {
                self.walk
                    .contacts
                    .put_tombstones(key, marked, Priority::Interactive)
                    .await?;
            }
        }
        Ok(())
    }

    /// Notes what the survey counted, the first time a contact is met.
    fn remember(&mut self, documents: &[Document], stones: &[Tombstone]) {
        let mine = stones.iter().filter(|s| s.removal == self.removal);
        let counted: HashMap<&Document, Option<Reasons>> =
            mine.map(|s| (&s.document, self.at.counted(s))).collect();
        for document in documents {
            let reasons = counted.get(document).copied().flatten();
            self.before.entry(document.clone()).or_insert(reasons);
        }
    }

    /// Whether a tombstone of this removal is in force for the contact as it is.
    fn hides(&self, stones: &[Tombstone], candidate: &Candidate) -> bool {
        let mut mine = stones.iter().filter(|s| s.removal == self.removal);
        mine.any(|s| s.document == candidate.document && s.order >= candidate.order)
    }

    fn tombstone(&self, document: Document, order: Order, reasons: Reasons) -> Tombstone {
        let before = self.before.get(&document).copied().flatten();
        let stone = Tombstone::uncounted(document, self.removal, order, reasons);
        self.at.count(stone, before)
    }

    /// All contacts touched.
    pub fn documents(self) -> Vec<Document> {
        self.before.into_keys().collect()
    }

    /// The tally as of now. Its total is what the survey looked at.
    pub fn tally(&self) -> Tally {
        let mut tally = self.at.tally.clone();
        let total = tally.total;
        for reasons in self.before.values().copied().flatten() {
            tally.take_back(reasons);
        }
        for reasons in self
            .now
            .values()
            .copied()
            .flatten()
            .filter(|r| !r.is_empty())
        {
            tally.add(reasons);
        }
        tally.total = total;
        tally
    }
}

fn candidate(contact: &ContactRecord) -> Candidate {
    Candidate {
        document: contact.document.clone(),
        order: contact.order,
        body: Some(contact.body.clone()),
    }
}
