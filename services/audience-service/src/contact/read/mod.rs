//! Reading contacts: by cursor, by page number, one, and by document.

mod cut;

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    audience::Audience,
    contact::Document,
    recycle::Reasons,
    shared::{AudienceId, Epoch, Instant, OperationId, RemovalNo},
};
use ports::{
    Clock,
    contacts::{ContactRecord, ContactStore, ContentKey, View},
    store::AudienceQueries,
};

pub use cut::CutPages;
use cut::Place;

use crate::{
    Actor, AppError, AppResult,
    audience::FindAudience,
    contact::{view_of, write::Marks},
};

/// How long a walk by cursor may take.
const CURSOR_LIFE: TimeDelta = TimeDelta::hours(24);

/// A position in a walk, with everything that keeps the walk in the state it began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactCursor {
    /// The generation the walk began in.
    pub epoch: Epoch,
    /// The removals that counted then.
    pub removals: Vec<RemovalNo>,
    /// The last contact answered.
    pub after: Document,
    /// When the walk began.
    pub began_at: Instant,
}

/// A part of a walk.
#[derive(Debug)]
pub struct CursorPage {
    /// The audience.
    pub audience: Audience,
    /// The contacts, ascending by document.
    pub rows: Vec<ContactRecord>,
    /// Where to go on, unless this was the end.
    pub next: Option<ContactCursor>,
}

/// A page by number.
#[derive(Debug)]
pub struct NumberedPage {
    /// The audience.
    pub audience: Audience,
    /// The contacts, ascending by document.
    pub rows: Vec<ContactRecord>,
    /// Visible contacts in the state that the page was cut from.
    pub total: u64,
    /// Where a walk by cursor would go on.
    pub next: Option<ContactCursor>,
}

/// A contact that readers see.
#[derive(Debug)]
pub struct ContactView {
    /// The contact.
    pub contact: ContactRecord,
}

/// What took a contact out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedBy {
    /// The operation; none for a contact deleted on its own.
    pub operation: Option<OperationId>,
    /// All reasons that held.
    pub reasons: Reasons,
    /// When it began to count.
    pub at: Option<Instant>,
}

/// What is known of a document in an audience.
#[derive(Debug)]
pub enum Lookup {
    /// A member.
    Member(ContactRecord),
    /// It was one.
    Removed(RemovedBy),
    /// It never was, or its traces are purged.
    Unknown,
}

/// Reads contacts: by cursor, by page number, one, and by document.
#[derive(Clone)]
pub struct ReadContacts {
    pub(crate) find: FindAudience,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cuts: CutPages,
}

impl ReadContacts {
    /// A part of a walk through the contacts, from the beginning or after `cursor`.
    ///
    /// # Errors
    /// `NotFound`; `Gone` with `cursor_expired` after 24 hours; store errors.
    #[tracing::instrument(name = "contact.walk", skip_all)]
    pub async fn walk(
        &self,
        actor: &Actor,
        id: AudienceId,
        cursor: Option<ContactCursor>,
        limit: usize,
    ) -> AppResult<CursorPage> {
        let audience = self.find.visible(actor, id).await?;
        let now = self.clock.now();
        let (epoch, view, after, began_at) = match cursor {
            None => {
                let content = self.find.content_of(&audience).await?;
                (audience.epoch, view_of(&content), None, now)
            }
            Some(c) => {
                let gone = || AppError::Gone {
                    code: "cursor_expired",
                    detail: "a walk by cursor lasts at most 24 hours; begin again".into(),
                };
                let key = ContentKey {
                    audience: id,
                    epoch: c.epoch,
                };
                let kept = self.queries.content(key).await?;
                if now - c.began_at > CURSOR_LIFE || kept.is_none() {
                    return Err(gone());
                }
                (
                    c.epoch,
                    View {
                        removals: c.removals,
                    },
                    Some(c.after),
                    c.began_at,
                )
            }
        };
        let key = ContentKey {
            audience: id,
            epoch,
        };
        let mut rows = self
            .contacts
            .scan(key, &view, after.as_ref(), limit.saturating_add(1))
            .await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|last| ContactCursor {
            epoch,
            removals: view.removals.clone(),
            after: last.document.clone(),
            began_at,
        });
        Ok(CursorPage {
            audience,
            rows,
            next,
        })
    }

    /// A page by number, from 1.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "contact.page", skip_all)]
    pub async fn page(
        &self,
        actor: &Actor,
        id: AudienceId,
        page: u64,
        per_page: usize,
    ) -> AppResult<NumberedPage> {
        let audience = self.find.visible(actor, id).await?;
        let content = self.find.content_of(&audience).await?;
        let size = u64::try_from(per_page).unwrap_or(u64::MAX);
        let position = page.saturating_sub(1).saturating_mul(size);
        let limit = per_page;
        let cut = self.cuts.cut(&content, Place { position, limit }).await?;
        let end = position.saturating_add(size);
        let next = cut
            .rows
            .last()
            .filter(|_| end < cut.total)
            .map(|last| ContactCursor {
                epoch: content.key.epoch,
                removals: cut.view.removals.clone(),
                after: last.document.clone(),
                began_at: self.clock.now(),
            });
        Ok(NumberedPage {
            audience,
            rows: cut.rows,
            total: cut.total,
            next,
        })
    }

    /// What is known of a document in an audience.
    ///
    /// # Errors
    /// `NotFound` for the audience; store errors.
    #[tracing::instrument(name = "contact.lookup", skip_all)]
    pub async fn lookup(
        &self,
        actor: &Actor,
        id: AudienceId,
        document: &Document,
    ) -> AppResult<Lookup> {
        let audience = self.find.visible(actor, id).await?;
        let content = self.find.content_of(&audience).await?;
        let documents = std::slice::from_ref(document);
        let found = self.contacts.get(content.key, documents).await?;
        let Some(contact) = found.into_iter().next() else {
            return Ok(Lookup::Unknown);
        };
        let stones = self.contacts.tombstones(content.key, documents).await?;
        let marks = Marks::new(stones.clone(), &view_of(&content));
        let Some(hider) = marks.hider(document, contact.order) else {
            return Ok(Lookup::Member(contact));
        };
        let reasons = stones
            .iter()
            .find(|s| s.removal == hider)
            .map(|s| s.reasons);
        let removals = self.queries.removals(content.key).await?;
        let removal = removals.into_iter().find(|r| r.no == hider);
        Ok(Lookup::Removed(RemovedBy {
            operation: removal.as_ref().map(|r| r.operation),
            reasons: reasons.unwrap_or_default(),
            at: removal.and_then(|r| r.active_since),
        }))
    }

    /// One visible contact.
    ///
    /// # Errors
    /// `NotFound` where there is none; store errors.
    pub async fn one(
        &self,
        actor: &Actor,
        id: AudienceId,
        document: &Document,
    ) -> AppResult<ContactView> {
        match self.lookup(actor, id, document).await? {
            Lookup::Member(contact) => Ok(ContactView { contact }),
            Lookup::Removed(_) | Lookup::Unknown => Err(AppError::NotFound),
        }
    }
}
