//! Copying the contacts that stay into a new audience, which shows when it is complete.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    audience::Audience,
    contact::Document,
    operation::{OperationKind, OperationResult, Report},
    recycle::{Keep, Reasons, Rules, Target},
    shared::AudienceId,
};
use operations::{Ending, Job, Run};
use ports::{
    Clock, crash,
    store::{AudienceStore, Durability},
};
use serde::{Deserialize, Serialize};

use super::{
    RecycleParams,
    checkpoint::{RecycleCheckpoint, save},
    judge::Judge,
    survey::Surveyor,
    walk::{Candidate, Source},
};
use crate::{
    AppError, AppResult,
    audience::{AudienceVisibility, FindAudience},
    contact::{pages::WarmPages, view_of, write::WriteContacts},
    events::Events,
    operation::{EndOperation, UNDO},
};

/// Copies the contacts that stay into a new audience.
#[derive(Clone)]
pub(crate) struct CopyContacts {
    pub(crate) survey: Surveyor,
    pub(crate) find: FindAudience,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) write: WriteContacts,
    pub(crate) visibility: AudienceVisibility,
    pub(crate) events: Events,
    pub(crate) ends: EndOperation,
    pub(crate) warm: WarmPages,
}

impl CopyContacts {
    /// Copies what no rule removes, in steps with a checkpoint each, and shows the new audience.
    pub(super) async fn copy(
        &self,
        run: &mut Run,
        params: &RecycleParams,
        source: Source,
        target: AudienceId,
        mut at: RecycleCheckpoint,
    ) -> AppResult<()> {
        at.tally.exclusion = params.exclusion();
        let mut audience = self.find.any(&source.workspace, target).await?;
        let mut after = at.after.clone().map(Document::from_stored);
        let mut judge = Judge::new(
            &self.survey.walk,
            &source.workspace,
            params,
            run.operation.id,
        )
        .await?;
        judge.begin_after(after.as_ref());
        loop {
            let batch = self
                .survey
                .walk
                .candidates(&source, after.as_ref(), true)
                .await?;
            let Some(last) = batch.last() else { break };
            after = Some(last.document.clone());
            let verdicts = judge.judge(&batch).await?;
            verdicts.iter().for_each(|reasons| at.tally.add(*reasons));
            // Who stood still while reading may hold people who have left since the copy was finished
            // elsewhere.
            run.ensure_held().await?;
            self.store_copies(&mut audience, batch, &verdicts, &mut at)
                .await?;
            crash::point("copy.batch_stored");
            at.after = after.as_ref().map(|d| d.as_str().to_owned());
            save::<RunDuplicate>(run, &at).await?;
        }
        self.finish_copy(run, audience, &at).await?;
        self.warm.warm(&run.operation.workspace, target).await;
        Ok(())
    }

    async fn store_copies(
        &self,
        audience: &mut Audience,
        batch: Vec<Candidate>,
        verdicts: &[Reasons],
        at: &mut RecycleCheckpoint,
    ) -> AppResult<()> {
        let stays = batch
            .into_iter()
            .zip(verdicts)
            .filter(|(_, reasons)| reasons.is_empty());
        let contacts = stays.filter_map(|(found, _)| Some((found.document, found.body?)));
        self.write
            .copies(audience, contacts.collect(), &mut at.copied)
            .await
    }

    async fn finish_copy(
        &self,
        run: &mut Run,
        mut audience: Audience,
        at: &RecycleCheckpoint,
    ) -> AppResult<()> {
        let report = at.tally.report();
        let until = self.clock.now() + UNDO;
        let mut uow = self.store.begin(Durability::Full).await?;
        self.visibility.reveal(uow.as_mut(), &mut audience).await?;
        if run.operation.audience != Some(audience.id) {
            let target = Some(audience.id.to_string());
            let done = self
                .events
                .recycle_completed(&run.operation, target, &report, until)?;
            self.events.emit(&mut *uow, done).await?;
        }
        let ending = Ending::succeeded(Report::Removal(report), OperationResult::Complete);
        let ending = ending.undoable(until);
        self.ends.with(uow, run, &ending).await
    }
}

/// What a copy is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DuplicateParams {
    /// The audience that is copied, as it is read.
    pub source: i64,
}

/// Runs copies of whole audiences.
pub(crate) struct RunDuplicate(pub(crate) CopyContacts);

#[async_trait]
impl Job for RunDuplicate {
    type Params = DuplicateParams;
    type Checkpoint = RecycleCheckpoint;
    const KINDS: &'static [OperationKind] = &[OperationKind::Duplicate];

    async fn run(&self, run: &mut Run, params: DuplicateParams) -> AppResult<()> {
        let find = &self.0.find;
        let workspace = run.operation.workspace.clone();
        let from = AudienceId::from_raw(params.source);
        let content = find.content_of(&find.any(&workspace, from).await?).await?;
        let source = Source {
            workspace,
            key: content.key,
            view: view_of(&content),
        };
        let target = run.operation.audience.ok_or(AppError::NotFound)?;
        let all = RecycleParams {
            rules: Rules::default(),
            keep: Keep::default(),
            target: Target::New {
                audience: target.raw(),
            },
            at: run.operation.created_at,
            accepted_before: 0,
            file: None,
        };
        let at = Self::reached(&run.operation)?;
        self.0.copy(run, &all, source, target, at).await
    }
}
