//! What has to change in an audience.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    audience::{Departure, RefreshCause, Refreshed},
    contact::Document,
    segment::{Scope, SegmentQuery},
    shared::Instant,
};
use ports::{
    contacts::{ContactRecord, Order},
    segments::Member,
    store::{Content, Durability},
};

use super::{
    FollowChanges,
    people::People,
    plan::{Planned, Standing},
};
use crate::{
    AppResult,
    contact::{
        view_of,
        write::{CONTENT_GONE, Changes, Held},
    },
    segment::{unresolved, version},
};

/// Keys that are looked at by one statement.
const STEP: usize = 1_000;

/// How a look at an audience ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its members are as its conditions have them.
    Done,
    /// It has changed itself: these keys have to be looked at again.
    Later,
}

/// An audience, whose keys are looked at, and as of when.
struct Look<'l> {
    planned: &'l Planned,
    people: &'l People,
    now: Instant,
}

/// What has to change.
#[derive(Default)]
struct Difference {
    entered: Vec<Member>,
    /// Those who stay with other values, and by which request they entered.
    changed: Vec<(Member, i64)>,
    left: BTreeMap<Document, Order>,
}

impl Difference {
    fn is_empty(&self) -> bool {
        self.entered.is_empty() && self.changed.is_empty() && self.left.is_empty()
    }

    fn keys(&self) -> BTreeSet<String> {
        let stay = self.changed.iter().map(|(member, _)| member);
        let stored = self.entered.iter().chain(stay).map(|m| m.key.clone());
        let left = self.left.keys().map(|key| key.as_str().to_owned());
        stored.chain(left).collect()
    }
}

impl FollowChanges {
    /// Makes those of these keys members who fulfil the conditions, and nobody else of them.
    pub(super) async fn apply(
        &self,
        planned: &Planned,
        keys: &BTreeSet<String>,
        people: &People,
        now: Instant,
    ) -> AppResult<Outcome> {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let look = Look {
            planned,
            people,
            now,
        };
        for step in keys.chunks(STEP) {
            let known = &planned.audience;
            let audience = self.find.any(&known.workspace, known.id).await?;
            if audience.version != known.version {
                return Ok(Outcome::Later);
            }
            let content = self.find.content_of(&audience).await?;
            let found = self.difference(&look, &content, step).await?;
            if found.is_empty() {
                continue;
            }
            let documents = found.keys().into_iter().map(Document::from_stored);
            let documents = documents.collect();
            let held = match self.writer.hold_for_changes(content.key, documents).await {
                Err(error) if error.is_conflict_on(CONTENT_GONE) => return Ok(Outcome::Later),
                held => held?,
            };
            // Nobody changes its members meanwhile; a refresh that begins now waits for this one.
            let again = self.find.any(&known.workspace, known.id).await?;
            let stands = self.standing(&again).await?;
            if again.version != known.version || stands != Standing::Follows {
                self.writer.release(&held).await;
                return Ok(Outcome::Later);
            }
            self.change(&look, held, &content, found).await?;
        }
        Ok(Outcome::Done)
    }

    /// Changes what was found to differ before the lock was taken, or differs now where somebody else changed the
    /// content in between.
    async fn change(
        &self,
        look: &Look<'_>,
        held: Held,
        before: &Content,
        mut found: Difference,
    ) -> AppResult<()> {
        let untouched =
            held.first_request == before.next_request && held.content.revision == before.revision;
        if !untouched {
            let keys = found.keys();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            found = match self.difference(look, &held.content, &keys).await {
                Ok(found) if !found.is_empty() => found,
                nothing => {
                    self.writer.release(&held).await;
                    return nothing.map(drop);
                }
            };
        }
        let stored = records(look, &found, held.first_request).await?;
        self.note(&held, &found, look.planned.member_events).await?;
        let changes = Changes {
            stored,
            removed: found.left.into_keys().collect(),
        };
        let workspace = &look.planned.audience.workspace;
        self.writer.change(held, workspace, changes).await?;
        Ok(())
    }

    /// Who of these keys is a member and should not be, the other way round, or has other values.
    async fn difference(
        &self,
        look: &Look<'_>,
        content: &Content,
        keys: &[&str],
    ) -> AppResult<Difference> {
        let planned = look.planned;
        let documents: Vec<Document> = keys
            .iter()
            .map(|key| Document::from_stored((*key).to_owned()))
            .collect();
        let query = SegmentQuery {
            workspace: planned.audience.workspace.clone(),
            predicate: planned.predicate.clone(),
            references: self.read.with_members(&planned.named, &documents).await?,
            now: look.now,
            scope: Scope::Ids(look.people.numbers(keys)),
        };
        let resolved = self.resolver.members(&query, usize::MAX).await;
        let mut members: BTreeMap<String, Member> = BTreeMap::new();
        for member in resolved.map_err(unresolved)? {
            // People who share a document are one contact: the one who was registered first.
            members.entry(member.key.clone()).or_insert(member);
        }
        let view = view_of(content);
        let visible = self.read.visible(content.key, &view, &documents).await?;
        let mut found = Difference::default();
        for contact in visible {
            match members.remove(contact.document.as_str()) {
                None => {
                    found.left.insert(contact.document, contact.order);
                }
                Some(member) => {
                    let entered = contact.order.request();
                    if Order::new(entered, version(&member)) != contact.order {
                        found.changed.push((member, entered));
                    }
                }
            }
        }
        found.entered = members.into_values().collect();
        Ok(found)
    }

    /// Notes who enters and leaves, before they do: where this ends in between, they are looked at again, and
    /// whoever is still a member has not left.
    async fn note(&self, held: &Held, found: &Difference, publishes: bool) -> AppResult<()> {
        let count = |len: usize| i64::try_from(len).unwrap_or(i64::MAX);
        let (entered, left) = (count(found.entered.len()), count(found.left.len()));
        let (key, now) = (held.content.key, self.clock.now());
        let departures: Vec<Departure> = found
            .left
            .iter()
            .map(|(document, order)| Departure {
                key: document.as_str().to_owned(),
                entered: order.request(),
                left: held.first_request,
            })
            .collect();
        let refreshed = Refreshed {
            audience: key.audience,
            request: held.first_request,
            operation: None,
            cause: RefreshCause::Live,
            epoch: key.epoch,
            began_at: now,
            shown_at: now,
            size: held.content.contacts + entered - left,
            entered,
            left,
            changed: count(found.changed.len()),
            bytes: None,
        };
        let mut uow = self.store.begin(Durability::Derived).await?;
        uow.memberships().depart(key.audience, &departures).await?;
        if publishes {
            let left = departures.iter().map(|departure| departure.key.as_str());
            let came = found.entered.iter().map(|member| member.key.as_str());
            let keys: Vec<&str> = left.chain(came).collect();
            let mut memberships = uow.memberships();
            memberships
                .queue_changes(key.audience, held.first_request, &keys)
                .await?;
        }
        uow.memberships().note(&refreshed).await?;
        Ok(uow.commit().await?)
    }
}

/// Who is stored, those who enter by this request.
async fn records(
    look: &Look<'_>,
    found: &Difference,
    request: i64,
) -> AppResult<Vec<ContactRecord>> {
    let entered = found.entered.iter().map(|member| (member, request));
    let stay = found
        .changed
        .iter()
        .map(|(member, entered)| (member, *entered));
    let members = entered.chain(stay);
    let contacts = look.people.contacts(members.clone().map(|(m, _)| m));
    let mut contacts = contacts.await?;
    let record = |(member, entered): (&Member, i64)| {
        Some(ContactRecord {
            document: Document::from_stored(member.key.clone()),
            order: Order::new(entered, version(member)),
            body: contacts.remove(&member.customer?)?.body,
        })
    };
    Ok(members.filter_map(record).collect())
}
