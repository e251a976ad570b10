//! Taking an operation back, in one call, whatever its size.

use std::sync::Arc;

use domain::{
    audience::Audience,
    operation::{Operation, OperationKind, OperationState, Report},
    shared::{Instant, OperationId, RemovalNo},
};
use ports::{
    Clock,
    contacts::ContentKey,
    crash,
    store::{
        AudienceQueries, AudienceStore, Content, ContentDelta, Durability, OperationUpdate,
        Removal, RemovalState, UnitOfWork,
    },
};

use super::{clear::clear_params, withhold::Withhold};
use crate::{
    Actor, AppError, AppResult,
    audience::{FindAudience, ensure_unused, made_by},
    contact::{
        pages::PageIndexes,
        write::{CONTENT_GONE, Held, Writer},
    },
    events::Events,
    operation::{EndOperation, FindOperation, PlanPurge},
};

/// Takes operations back.
#[derive(Clone)]
pub struct UndoOperation {
    pub(crate) operations: FindOperation,
    pub(crate) find: FindAudience,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) pages: Arc<PageIndexes>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Events,
    pub(crate) ends: EndOperation,
    pub(crate) purges: PlanPurge,
    pub(crate) withhold: Withhold,
}

impl UndoOperation {
    /// Takes a recycling, a clear, or the making of an audience back. Again: no change.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `not_undoable`, `undo_expired`, `later_removal_exists` (names the
    /// later operation), `audience_changed`, or `audience_in_use` where it made one that is.
    #[tracing::instrument(name = "operation.undo", skip_all)]
    pub async fn execute(&self, actor: &Actor, id: OperationId) -> AppResult<Operation> {
        let operation = self.operations.get(actor, id).await?;
        if operation.undone_at.is_some() {
            return Ok(operation);
        }
        let until = operation
            .undo_until
            .filter(|_| operation.state == OperationState::Succeeded);
        let Some(until) = until else {
            return Err(AppError::conflict(
                "not_undoable",
                "the operation has nothing to undo",
            ));
        };
        if until <= self.clock.now() {
            let detail = "the undo has run out: seven days, or 64 later removals";
            return Err(AppError::conflict("undo_expired", detail));
        }
        let undone = if !made_by(&operation)?.is_empty() {
            self.undo_creation(actor, &operation).await
        } else if operation.kind == OperationKind::Clear {
            self.undo_clear(actor, &operation).await
        } else {
            self.undo_removal(actor, &operation).await
        };
        let now = match undone {
            Ok(()) => self.operations.get(actor, id).await?,
            // Another attempt of the same request may have been quicker.
            Err(refusal @ AppError::Conflict { .. }) => {
                let now = self.operations.get(actor, id).await?;
                return now.undone_at.map(|_| now).ok_or(refusal);
            }
            Err(error) => return Err(error),
        };
        self.ends.announce(&operation);
        Ok(now)
    }

    /// Drops the audiences that the operation made: all of them, or none.
    async fn undo_creation(&self, actor: &Actor, operation: &Operation) -> AppResult<()> {
        let mut uow = self.store.begin(Durability::Full).await?;
        let now = self.clock.now();
        let mut dropped = Vec::new();
        for id in made_by(operation)? {
            let made = uow.audiences().get(&actor.workspace, id).await?;
            let Some(mut audience) = made else { continue };
            let version = audience.version;
            if audience.drop_at(now) {
                uow.audiences().save(&audience, version).await?;
                let event = self.events.audience_dropped(&audience, &actor.user)?;
                self.events.emit(&mut *uow, event).await?;
                dropped.push(id);
            }
        }
        ensure_unused(uow.as_mut(), &actor.workspace, &dropped).await?;
        self.mark_undone(uow.as_mut(), actor, operation, 0, 0, now)
            .await?;
        commit_flip(uow).await
    }

    async fn undo_clear(&self, actor: &Actor, operation: &Operation) -> AppResult<()> {
        let audience = self.audience_of(actor, operation).await?;
        let params = clear_params(operation)?;
        let (old, new) = (params.emptied(audience.id), params.empty(audience.id));
        let changed = || {
            let detail = "the audience was written to since it was cleared";
            AppError::conflict("audience_changed", detail)
        };
        if audience.epoch != new.epoch {
            return Err(self.later_clear(actor, &audience).await?);
        }
        let held = self.hold_for_undo(new).await?;
        let kept = self.queries.content(old).await?;
        let Some(kept) = kept.filter(|kept| pristine(&held.content, kept)) else {
            self.writer.release(&held).await;
            return Err(changed());
        };
        let removal = self.withhold.begin(old, operation).await?;
        let withheld = self
            .withhold
            .withhold(&audience, &kept, None, removal.no)
            .await?;
        crash::point("undo.before_flip");
        let now = self.clock.now();
        let mut uow = self.store.begin(Durability::Full).await?;
        let contacts = kept.contacts - withheld;
        self.withhold
            .end(uow.as_mut(), operation, removal, &kept, withheld, now)
            .await?;
        self.writer
            .close_in(uow.as_mut(), &held, &ContentDelta::default())
            .await?;
        uow.audiences()
            .flip_epoch(audience.id, new.epoch, old.epoch, now)
            .await?;
        self.mark_undone(uow.as_mut(), actor, operation, contacts, withheld, now)
            .await?;
        commit_flip(uow).await
    }

    async fn undo_removal(&self, actor: &Actor, operation: &Operation) -> AppResult<()> {
        let audience = self.audience_of(actor, operation).await?;
        let key = ContentKey {
            audience: audience.id,
            epoch: audience.epoch,
        };
        self.refuse_while_removing(&audience).await?;
        let held = self.hold_for_undo(key).await?;
        match self.undo_held(actor, operation, &audience, &held).await {
            Ok((content, withheld)) => {
                let from = held.content.revision;
                self.pages.restored(from, &content, withheld == 0);
                Ok(())
            }
            Err(error) => {
                self.writer.release(&held).await;
                Err(error)
            }
        }
    }

    async fn undo_held(
        &self,
        actor: &Actor,
        operation: &Operation,
        audience: &Audience,
        held: &Held,
    ) -> AppResult<(Content, i64)> {
        let key = held.content.key;
        let removals = self.queries.removals(key).await?;
        let mine = removals
            .iter()
            .find(|r| r.operation == operation.id)
            .cloned();
        let Some(removal) = mine else {
            return Err(self.later_clear(actor, audience).await?);
        };
        if held.content.active.last() != Some(&removal.no) {
            let later = removals
                .iter()
                .rev()
                .find(|r| held.content.active.contains(&r.no));
            return Err(later_removal(later.map(|r| r.operation)));
        }
        let withheld = self
            .withhold
            .withhold(
                audience,
                &held.content,
                Some(removal.no),
                RemovalNo::PERMANENT,
            )
            .await?;
        crash::point("undo.before_flip");
        let now = self.clock.now();
        let restored = removal.hidden - withheld;
        let active: Vec<_> = held
            .content
            .active
            .iter()
            .copied()
            .filter(|r| *r != removal.no)
            .collect();
        let mut uow = self.store.begin(Durability::Full).await?;
        let revision = held.content.revision;
        uow.contents()
            .set_active(key, &active, restored, revision, now)
            .await?;
        // It judges those whom everybody sees now, and none who would come back beside it.
        let removals = uow.contents().removals(key).await?;
        if let Some(begun) = removals.iter().find(|r| r.state == RemovalState::Building) {
            return Err(later_removal(Some(begun.operation)));
        }
        let withdrawn = Removal {
            state: RemovalState::Withdrawn,
            ..removal
        };
        uow.contents().save_removal(&withdrawn).await?;
        self.purges
            .plan_removal(uow.as_mut(), operation, &withdrawn, now)
            .await?;
        self.mark_undone(uow.as_mut(), actor, operation, restored, withheld, now)
            .await?;
        let content = self
            .writer
            .close_in(uow.as_mut(), held, &ContentDelta::default())
            .await?;
        commit_flip(uow).await?;
        Ok((content, withheld))
    }

    async fn mark_undone(
        &self,
        uow: &mut dyn UnitOfWork,
        actor: &Actor,
        operation: &Operation,
        restored: i64,
        withheld: i64,
        now: Instant,
    ) -> AppResult<()> {
        let report = match &operation.report {
            Some(Report::Removal(report)) => {
                let mut report = report.clone();
                report.withheld = withheld;
                Some(Report::Removal(report))
            }
            other => other.clone(),
        };
        let update = OperationUpdate {
            undone_at: Some(now),
            report,
            ..OperationUpdate::default()
        };
        uow.operations()
            .update(operation.id, operation.state, &update)
            .await?;
        let event = self
            .events
            .removal_undone(operation, restored, withheld, &actor.user)?;
        Ok(self.events.emit(&mut *uow, event).await?)
    }

    async fn audience_of(&self, actor: &Actor, operation: &Operation) -> AppResult<Audience> {
        let id = operation.audience.ok_or(AppError::NotFound)?;
        let audience = self.find.visible(actor, id).await?;
        audience.ensure_live()?;
        Ok(audience)
    }

    async fn hold_for_undo(&self, key: ContentKey) -> AppResult<Held> {
        match self.writer.hold(key, Vec::new()).await {
            Ok(held) => Ok(held),
            Err(error) if error.is_conflict_on(CONTENT_GONE) => Err(later_removal(None)),
            Err(error) => Err(error.into()),
        }
    }

    async fn refuse_while_removing(&self, audience: &Audience) -> AppResult<()> {
        let mut uow = self.store.begin(Durability::Derived).await?;
        let live = uow
            .operations()
            .live_of(audience.id, &[OperationKind::Recycle])
            .await?;
        match live.iter().find(|o| o.state != OperationState::Queued) {
            Some(begun) => Err(later_removal(Some(begun.id))),
            None => Ok(()),
        }
    }

    /// The conflict that names the clear which emptied the audience since.
    async fn later_clear(&self, actor: &Actor, audience: &Audience) -> AppResult<AppError> {
        let filter = ports::store::OperationFilter {
            kind: Some(OperationKind::Clear),
            audience: Some(audience.id),
            limit: 1,
            ..Default::default()
        };
        let last = self
            .queries
            .operations(&actor.workspace, &filter)
            .await?
            .pop();
        Ok(later_removal(last.map(|o| o.id)))
    }
}

/// Whether nothing was ever written to or removed from the content that took the place of `emptied`.
/// Request numbers go on from one content of an audience to the next.
fn pristine(content: &Content, emptied: &Content) -> bool {
    let written = content.next_request != emptied.next_request;
    content.contacts == 0 && !written && content.active.is_empty()
}

async fn commit_flip(uow: Box<dyn UnitOfWork>) -> AppResult<()> {
    uow.commit().await?;
    crash::point("undo.flipped");
    Ok(())
}

fn later_removal(by: Option<OperationId>) -> AppError {
    let detail = match by {
        Some(id) => format!("undo {id} first: the last removal is undone first"),
        None => "a later removal is to be undone first".to_owned(),
    };
    let mut extra = serde_json::Map::new();
    if let Some(id) = by {
        extra.insert("operation_id".into(), id.to_string().into());
    }
    AppError::Conflict {
        code: "later_removal_exists",
        detail,
        extra,
    }
}
