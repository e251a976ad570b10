//! The work of making audiences of others.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    audience::{Audience, Draw, Recipe},
    contact::{ContactBody, Document},
    operation::{OperationKind, OperationResult, Progress, RemovalReport, Report},
    shared::AudienceId,
};
use operations::{Ending, Job, Run};
use ports::{
    Clock,
    contacts::ContactStore,
    crash,
    store::{AudienceStore, Durability},
};
use serde::{Deserialize, Serialize};

use super::{
    DeriveParams,
    members::{Members, Person, Pinned},
};
use crate::{
    AppResult,
    audience::{AudienceVisibility, FindAudience},
    contact::{pages::WarmPages, view_of, write::WriteContacts},
    operation::{EndOperation, UNDO},
};

/// Stretches of the order of drawing that are counted at first.
const STRETCHES: u32 = 1 << 16;
/// Keys that are read in one go where nothing else is.
const KEYS: usize = 10_000;

/// Where the making of audiences stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct DeriveCheckpoint {
    /// What is read, as of the beginning; none before.
    sources: Vec<Pinned>,
    /// The last one who is drawn, where a number of people is.
    last: Option<Draw>,
    /// The last key that was looked at.
    after: Option<String>,
    /// People who were looked at.
    looked: i64,
    /// Contacts that were read for it.
    read: i64,
    /// Contacts in each audience that is made.
    copied: Vec<i64>,
}

impl DeriveCheckpoint {
    fn report(&self) -> RemovalReport {
        let kept = self.copied.iter().sum();
        RemovalReport {
            total: self.looked,
            removed: self.looked - kept,
            kept,
            ..RemovalReport::default()
        }
    }
}

/// Makes audiences of others.
pub(crate) struct RunDerive {
    pub(crate) find: FindAudience,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) write: WriteContacts,
    pub(crate) visibility: AudienceVisibility,
    pub(crate) ends: EndOperation,
    pub(crate) warm: WarmPages,
    /// People of one step.
    pub(crate) step: usize,
}

#[async_trait]
impl Job for RunDerive {
    type Params = DeriveParams;
    type Checkpoint = DeriveCheckpoint;
    const KINDS: &'static [OperationKind] = &[OperationKind::Derive];

    async fn run(&self, run: &mut Run, params: DeriveParams) -> AppResult<()> {
        let mut at = Self::reached(&run.operation)?;
        if at.sources.is_empty() {
            at.sources = self.pinned(run, &params).await?;
            at.last = self.last_drawn(run, &params.recipe, &at.sources).await?;
            at.copied = vec![0; params.targets.len()];
            // Whoever goes on reads the same.
            let progress = run.operation.progress;
            Self::save(run, progress, None, &at).await?;
        }
        let mut targets = Vec::with_capacity(params.targets.len());
        for id in &params.targets {
            let id = AudienceId::from_raw(*id);
            targets.push(self.find.any(&run.operation.workspace, id).await?);
        }
        let (contacts, after) = (Arc::clone(&self.contacts), at.after.as_deref());
        let (recipe, before) = (&params.recipe, at.read);
        let mut members = Members::new(contacts, &at.sources, recipe, after, self.step);
        loop {
            let batch = members.next(self.step).await?;
            let Some(last) = batch.last() else { break };
            at.after = Some(last.document.as_str().to_owned());
            at.looked += i64::try_from(batch.len()).unwrap_or(i64::MAX);
            at.read = before + members.passed;
            let parts = parted(recipe, batch, &at);
            // Who stood still while reading may hold people who have left since this was finished elsewhere.
            run.ensure_held().await?;
            for ((target, part), copied) in targets.iter_mut().zip(parts).zip(&mut at.copied) {
                self.write.copies(target, part, copied).await?;
            }
            crash::point("derive.batch_stored");
            let known = run.operation.progress.total;
            let progress = Progress {
                done: at.read,
                total: known.map(|total| total.max(at.read)),
            };
            let report = Report::Removal(at.report());
            Self::save(run, progress, Some(report), &at).await?;
        }
        self.finish(run, targets, &at).await
    }
}

impl RunDerive {
    /// What readers of the others see now.
    async fn pinned(&self, run: &Run, params: &DeriveParams) -> AppResult<Vec<Pinned>> {
        let mut pinned = Vec::with_capacity(params.sources.len());
        for id in &params.sources {
            let id = AudienceId::from_raw(*id);
            let audience = self.find.any(&run.operation.workspace, id).await?;
            let content = self.find.content_of(&audience).await?;
            pinned.push(Pinned {
                audience: id.raw(),
                epoch: content.key.epoch.0,
                removals: view_of(&content).removals,
            });
        }
        Ok(pinned)
    }

    /// The last one who is drawn, where a number of people is. At first it is counted how many lie in each
    /// stretch of the order; then those of the one stretch are looked at where the number is reached.
    async fn last_drawn(
        &self,
        run: &Run,
        recipe: &Recipe,
        sources: &[Pinned],
    ) -> AppResult<Option<Draw>> {
        let (Recipe::Count { seed, count }, Some(source)) = (recipe, sources.first()) else {
            return Ok(None);
        };
        let mut counts = vec![0_u64; STRETCHES as usize];
        let mut greatest: Option<Draw> = None;
        self.draws(run, seed, source, |draw| {
            if let Some(count) = counts.get_mut(draw.stretch(STRETCHES) as usize) {
                *count += 1;
            }
            if greatest.as_ref().is_none_or(|greatest| draw > *greatest) {
                greatest = Some(draw);
            }
        })
        .await?;
        let mut before = 0;
        let reached = counts.iter().position(|within| {
            let reached = before + within >= *count;
            before += if reached { 0 } else { *within };
            reached
        });
        let Some(reached) = reached else {
            // There are no more than so many.
            return Ok(greatest);
        };
        let mut within = Vec::new();
        self.draws(run, seed, source, |draw| {
            if draw.stretch(STRETCHES) as usize == reached {
                within.push(draw);
            }
        })
        .await?;
        within.sort_unstable();
        let index = usize::try_from(count - before - 1).unwrap_or(usize::MAX);
        let index = index.min(within.len().saturating_sub(1));
        Ok(within.into_iter().nth(index))
    }

    /// The places of all members of an audience in the order of drawing.
    async fn draws(
        &self,
        run: &Run,
        seed: &str,
        source: &Pinned,
        mut each: impl FnMut(Draw) + Send,
    ) -> AppResult<()> {
        let (key, view) = (source.key(), source.view());
        let mut after: Option<Document> = None;
        loop {
            run.signals.check()?;
            let keys = self
                .contacts
                .scan_keys(key, &view, after.as_ref(), KEYS)
                .await?;
            let Some(last) = keys.last() else {
                return Ok(());
            };
            after = Some(last.document.clone());
            for key in &keys {
                each(Draw::of(seed, key.document.as_str()));
            }
        }
    }

    /// Shows all that was made, or none of it.
    async fn finish(
        &self,
        run: &mut Run,
        mut targets: Vec<Audience>,
        at: &DeriveCheckpoint,
    ) -> AppResult<()> {
        crash::point("derive.before_flip");
        let until = self.clock.now() + UNDO;
        let mut uow = self.store.begin(Durability::Full).await?;
        for target in &mut targets {
            self.visibility.reveal(uow.as_mut(), target).await?;
        }
        let report = Report::Removal(at.report());
        let ending = Ending::succeeded(report, OperationResult::Complete).undoable(until);
        self.ends
            .leased(uow.as_mut(), &run.lease, &run.operation, &ending)
            .await?;
        uow.commit().await?;
        crash::point("derive.flipped");
        self.ends.announce(&run.operation);
        for target in &targets {
            self.warm.warm(&run.operation.workspace, target.id).await;
        }
        Ok(())
    }
}

/// The contacts of each audience that is made.
fn parted(
    recipe: &Recipe,
    people: Vec<Person>,
    at: &DeriveCheckpoint,
) -> Vec<Vec<(Document, ContactBody)>> {
    let mut parts = vec![Vec::new(); at.copied.len()];
    for person in people {
        let part = recipe.part_of(person.document.as_str(), &person.is_in, at.last.as_ref());
        let part = part.and_then(|part| parts.get_mut(part));
        if let (Some(part), Some(body)) = (part, person.body) {
            part.push((person.document, body));
        }
    }
    if let (Recipe::Count { count, .. }, [part], [copied]) = (recipe, &mut *parts, &*at.copied) {
        // Whoever came meanwhile takes nobody's place beyond the number.
        let room = i64::try_from(*count).unwrap_or(i64::MAX) - copied;
        part.truncate(usize::try_from(room).unwrap_or_default());
    }
    parts
}
