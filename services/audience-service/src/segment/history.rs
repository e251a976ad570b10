//! Who was a member of an audience, when, and by which refresh.

use std::{collections::HashMap, sync::Arc};

use domain::{
    audience::{Audience, Refreshed},
    contact::{ContactBody, Document},
    shared::{AudienceId, Instant},
};
use ports::{
    Clock,
    contacts::{ContactRecord, ContactStore, Order},
    store::{AudienceQueries, Content, REFRESHES_KEPT_FOR},
};

use super::Whom;
use crate::{
    Actor, AppError, AppResult,
    audience::FindAudience,
    contact::{
        Marks,
        read::{Lookup, ReadContacts},
        view_of,
    },
};

/// Contacts that are read in one go, and how often at most for one page of members.
const LOOK: usize = 1_000;
const LOOKS: usize = 20;

/// A time that somebody was a member.
#[derive(Debug, Clone)]
pub struct Period {
    /// The refresh by which they entered, where it is still known.
    pub entered: Option<Refreshed>,
    /// The refresh by which they left.
    pub left: Option<Refreshed>,
}

/// When somebody was a member.
#[derive(Debug)]
pub struct MemberHistory {
    /// Whether they are one now.
    pub is_member: bool,
    /// Each time, the earliest first.
    pub periods: Vec<Period>,
}

/// A page of those who were members at an instant.
#[derive(Debug, Default)]
pub struct MembersAt {
    /// The refresh that readers saw then.
    pub refresh: Option<Refreshed>,
    /// Who, in the order of keys, with what is known of them now.
    pub rows: Vec<ContactRecord>,
    /// Where the next page begins.
    pub next: Option<Document>,
}

/// Reads the history of audiences.
#[derive(Clone)]
pub struct ReadHistory {
    pub(crate) find: FindAudience,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) read: ReadContacts,
    pub(crate) clock: Arc<dyn Clock>,
}

impl ReadHistory {
    /// Refreshes of an audience, latest first, and whether there are more.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "segment.refreshes", skip_all)]
    pub async fn refreshes(
        &self,
        actor: &Actor,
        id: AudienceId,
        before: Option<i64>,
        limit: usize,
    ) -> AppResult<(Vec<Refreshed>, bool)> {
        self.find.visible(actor, id).await?;
        let more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut found = self.queries.refreshes(id, before, more).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        Ok((found, more))
    }

    /// When somebody was a member, and by which refreshes.
    ///
    /// # Errors
    /// `NotFound` for the audience or the customer; `Conflict` on an audience without conditions.
    #[tracing::instrument(name = "segment.membership", skip_all)]
    pub async fn membership(
        &self,
        actor: &Actor,
        id: AudienceId,
        whom: Whom,
    ) -> AppResult<MemberHistory> {
        self.segment(actor, id).await?;
        let key = match whom {
            // Members of a source outside need not be registered.
            Whom::Document(document) => document,
            Whom::Customer(customer) => {
                let found = self.queries.customer(&actor.workspace, customer).await?;
                Document::from_stored(found.ok_or(AppError::NotFound)?.key())
            }
        };
        let mut periods = Vec::new();
        let now = match self.read.lookup(actor, id, &key).await? {
            Lookup::Member(contact) => Some(contact.order.request()),
            Lookup::Removed(_) | Lookup::Unknown => None,
        };
        for stay in self.queries.stays_of(id, key.as_str()).await? {
            if Some(stay.departure.entered) != now {
                periods.push(Period {
                    entered: self.queries.refresh(id, stay.departure.entered).await?,
                    left: Some(stay.left),
                });
            }
        }
        if let Some(entered) = now {
            periods.push(Period {
                entered: self.queries.refresh(id, entered).await?,
                left: None,
            });
        }
        Ok(MemberHistory {
            is_member: now.is_some(),
            periods,
        })
    }

    /// Those who were members at an instant, with what is known of them now.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` on an audience without conditions; `Gone` where the refresh of then is no longer
    /// kept.
    #[tracing::instrument(name = "segment.members_at", skip_all)]
    pub async fn members_at(
        &self,
        actor: &Actor,
        id: AudienceId,
        at: Instant,
        after: Option<Document>,
        limit: usize,
    ) -> AppResult<MembersAt> {
        let audience = self.segment(actor, id).await?;
        let Some(refresh) = self.queries.refresh_at(id, at).await? else {
            // What readers saw less long ago is kept: there was nothing before.
            if at < self.clock.now() - REFRESHES_KEPT_FOR && at >= audience.created_at {
                return Err(AppError::Gone {
                    code: "refresh_expired",
                    detail: "the refresh of that time is no longer kept".to_owned(),
                });
            }
            return Ok(MembersAt::default());
        };
        let content = self.find.content_of(&audience).await?;
        let stayed = self.stayed(&content, &refresh, after.clone(), limit);
        let (stayed, seen) = stayed.await?;
        let departed = self.departed(actor, &content, &refresh, after, limit);
        let (departed, known) = departed.await?;
        // Beyond what both have looked at, one of them may have more.
        let reached = [seen, known].into_iter().flatten().min();
        let mut rows: Vec<ContactRecord> = stayed.into_iter().chain(departed).collect();
        rows.retain(|row| {
            reached
                .as_ref()
                .is_none_or(|reached| row.document <= *reached)
        });
        rows.sort_unstable_by(|a, b| a.document.cmp(&b.document));
        let next = match rows.len() > limit {
            true => {
                rows.truncate(limit);
                rows.last().map(|last| last.document.clone())
            }
            false => reached,
        };
        Ok(MembersAt {
            refresh: Some(refresh),
            rows,
            next,
        })
    }

    async fn segment(&self, actor: &Actor, id: AudienceId) -> AppResult<Audience> {
        let audience = self.find.visible(actor, id).await?;
        match audience.definition.is_segment() {
            true => Ok(audience),
            false => Err(super::no_segment()),
        }
    }

    /// Members of now who were members when a refresh was shown, and the last key that was looked at where more
    /// may come.
    async fn stayed(
        &self,
        content: &Content,
        refresh: &Refreshed,
        mut after: Option<Document>,
        limit: usize,
    ) -> AppResult<(Vec<ContactRecord>, Option<Document>)> {
        let view = view_of(content);
        let mut stayed: Vec<ContactRecord> = Vec::new();
        for _ in 0..LOOKS {
            let rows = self
                .contacts
                .scan(content.key, &view, after.as_ref(), LOOK)
                .await?;
            let ended = rows.len() < LOOK;
            after = rows.last().map(|last| last.document.clone()).or(after);
            let then = rows
                .into_iter()
                .filter(|row| row.order.request() <= refresh.request);
            stayed.extend(then);
            if ended {
                return Ok((stayed, None));
            }
            if stayed.len() > limit {
                break;
            }
        }
        Ok((stayed, after))
    }

    /// Members of then who have left since, and the last key that was looked at where more may come.
    async fn departed(
        &self,
        actor: &Actor,
        content: &Content,
        refresh: &Refreshed,
        after: Option<Document>,
        limit: usize,
    ) -> AppResult<(Vec<ContactRecord>, Option<Document>)> {
        let more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let after = after.as_ref().map(Document::as_str);
        let departed = self
            .queries
            .departed_since(content.key.audience, refresh.request, after, more)
            .await?;
        let ended = departed.len() <= limit;
        let reached = departed.last().filter(|_| !ended);
        let reached = reached.map(|last| Document::from_stored(last.key.clone()));
        let keys: Vec<&str> = departed.iter().map(|d| d.key.as_str()).collect();
        let customers = self.queries.customers_of_keys(&actor.workspace, &keys);
        let mut bodies: HashMap<String, ContactBody> = HashMap::new();
        for customer in customers.await? {
            // The one who was registered first is whose contact it is.
            bodies
                .entry(customer.key())
                .or_insert_with(|| customer.contact().body);
        }
        let documents: Vec<Document> = keys
            .iter()
            .map(|key| Document::from_stored((*key).to_owned()))
            .collect();
        let view = view_of(content);
        let stored = self.contacts.get(content.key, &documents).await?;
        let stones = self.contacts.tombstones(content.key, &documents).await?;
        let marks = Marks::new(stones, &view);
        let mut rows = Vec::with_capacity(departed.len());
        for (departure, document) in departed.into_iter().zip(documents) {
            let stored = stored.iter().find(|row| row.document == document);
            // A batch that was cut off before it removed anybody.
            let stays = stored.is_some_and(|row| {
                row.order.request() == departure.entered
                    && marks.hider(&row.document, row.order).is_none()
            });
            if stays {
                continue;
            }
            let body = bodies
                .remove(document.as_str())
                .or_else(|| stored.map(|row| row.body.clone()));
            rows.push(ContactRecord {
                document,
                order: Order::new(departure.entered, 0),
                body: body.unwrap_or_default(),
            });
        }
        Ok((rows, reached))
    }
}
