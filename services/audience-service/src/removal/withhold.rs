//! Who stays out when a removal is taken back.

use std::sync::Arc;

use domain::{
    audience::Audience,
    contact::Document,
    operation::Operation,
    recycle::{Reason, Reasons},
    shared::{Instant, RemovalNo},
};
use ports::{
    contacts::{ContactStore, ContentKey, Priority, Tombstone},
    store::{
        AudienceQueries, AudienceStore, Content, Durability, NewRemoval, Removal, RemovalState,
        UnitOfWork,
    },
};

use crate::{
    AppResult,
    contact::{view_of, write::Marks},
    operation::PlanPurge,
};

/// Opt-outs looked at per step.
const OPT_OUTS: i64 = 5_000;

/// Keeps people out who have opted out when a removal is taken back.
#[derive(Clone)]
pub struct Withhold {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) purges: PlanPurge,
}

impl Withhold {
    /// Keeps people out who are opted out, whenever they said so: of those whom `hidden_by` hides, or
    /// of the visible ones where it is absent. They are moved to the removal `into`. Answers how many.
    pub(super) async fn withhold(
        &self,
        audience: &Audience,
        content: &Content,
        hidden_by: Option<RemovalNo>,
        into: RemovalNo,
    ) -> AppResult<i64> {
        let view = view_of(content);
        let mut withheld = 0;
        let mut after: Option<Document> = None;
        let mut reasons = Reasons::NONE;
        reasons.add(Reason::OptedOut);
        loop {
            let queries = &self.queries;
            let people = queries
                .opted_out(&audience.workspace, after.as_ref(), OPT_OUTS)
                .await?;
            let Some(last) = people.last().cloned() else {
                return Ok(withheld);
            };
            let contacts = self.contacts.get(content.key, &people).await?;
            let stones = self.contacts.tombstones(content.key, &people).await?;
            let marks = Marks::new(stones, &view);
            let stays_out = contacts
                .into_iter()
                .filter(|c| marks.hider(&c.document, c.order) == hidden_by)
                .map(|c| Tombstone::uncounted(c.document, into, c.order, reasons));
            let stays_out: Vec<_> = stays_out.collect();
            withheld += i64::try_from(stays_out.len()).unwrap_or(0);
            if !stays_out.is_empty() {
                self.contacts
                    .put_tombstones(content.key, stays_out, Priority::Interactive)
                    .await?;
            }
            after = Some(last);
        }
    }

    /// Begins the removal of those whom the undo of a clear keeps out. It counts from the undo's flip
    /// on: an undo that was cut off before has hidden nobody, and the next one counts the same people.
    pub(super) async fn begin(&self, key: ContentKey, operation: &Operation) -> AppResult<Removal> {
        let operation = operation.id;
        let mut uow = self.store.begin(Durability::Full).await?;
        let new = NewRemoval { key, operation };
        let removal = uow.contents().begin_removal(new).await?;
        uow.commit().await?;
        Ok(removal)
    }

    /// Lets that removal count, for ever: it is the first of the active ones, since nobody undoes it,
    /// and whom it hides is deleted at once. Answers the content that comes back.
    pub(super) async fn end(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
        removal: Removal,
        content: &Content,
        withheld: i64,
        now: Instant,
    ) -> AppResult<Content> {
        let mut active = content.active.clone();
        let mut removal = removal;
        removal.state = RemovalState::Withdrawn;
        if withheld > 0 {
            active.insert(0, removal.no);
            removal.state = RemovalState::Expired;
            removal.hidden = withheld;
            removal.by_reason = [(Reason::OptedOut, withheld)].into();
            removal.active_since = Some(now);
            self.purges
                .plan_removal(&mut *uow, operation, &removal, now)
                .await?;
        }
        uow.contents().save_removal(&removal).await?;
        let revision = content.revision;
        Ok(uow
            .contents()
            .set_active(content.key, &active, -withheld, revision, now)
            .await?)
    }
}
