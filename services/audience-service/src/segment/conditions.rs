//! Reading conditions, and finding the audiences that they name.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    audience::{Audience, Definition},
    contact::Document,
    segment::{Condition, INCOMPLETE, Notation, Predicate, Reference, References},
    shared::{AudienceId, Violation, WorkspaceId},
};
use ports::{
    contacts::{ContactRecord, ContactStore, ContentKey, View},
    store::{AudienceQueries, Content},
};

use crate::{
    AppError, AppResult,
    audience::FindAudience,
    contact::{Marks, view_of},
};

/// Most audiences that lead from one to the next.
const MAX_LEVELS: usize = 5;
/// Keys of a list that are read in one go.
const KEYS: usize = 10_000;

/// Reads conditions.
#[derive(Clone)]
pub struct ReadConditions {
    pub(crate) find: FindAudience,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
}

/// The audiences that conditions name.
#[derive(Clone, Default)]
pub(crate) struct Named {
    /// Those that are conditions themselves, or nobody.
    pub references: References,
    /// Lists of contacts, with the content that was looked at.
    pub lists: Vec<(AudienceId, ContentKey, View)>,
    /// All of them: the version of those that are conditions, the epoch and revision of lists.
    pub states: Vec<(AudienceId, i64, i64)>,
}

impl ReadConditions {
    /// The conditions of an audience.
    ///
    /// # Errors
    /// `Invalid` with every rule that they break.
    pub(crate) fn parse(&self, definition: &Definition) -> AppResult<Predicate> {
        let parsed = Predicate::parse_segment(&definition.conditions(), "", Notation::default());
        parsed.map_err(AppError::Invalid)
    }

    /// The audiences that conditions name, and those that these name in turn.
    ///
    /// # Errors
    /// Store errors. What cannot be found has nobody in it.
    pub(crate) async fn named(
        &self,
        workspace: &WorkspaceId,
        predicate: &Predicate,
    ) -> AppResult<Named> {
        let mut named = Named::default();
        let mut open: Vec<AudienceId> = predicate.audiences().into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let found = self.queries.audience(workspace, id).await?;
            let Some(audience) = found.filter(|a| a.is_visible() && a.deleted_at.is_none()) else {
                named.references.insert(id, Reference::Nobody);
                continue;
            };
            if !audience.definition.is_segment() {
                let content: Content = self.find.content_of(&audience).await?;
                let state = (id, content.key.epoch.0, content.revision);
                named.states.push(state);
                named.lists.push((id, content.key, view_of(&content)));
                continue;
            }
            named.states.push((id, 0, audience.version));
            let reference = match self.parse(&audience.definition) {
                Ok(predicate) => {
                    open.extend(predicate.audiences());
                    Reference::Conditions(predicate)
                }
                // A draft whose conditions are incomplete.
                Err(_) => Reference::Nobody,
            };
            named.references.insert(id, reference);
        }
        Ok(named)
    }

    /// The references with those of these keys, which are sorted and lie after `after`, that lists have: who
    /// is no customer does not count, however many of them a list has.
    pub(crate) async fn with_keys(
        &self,
        named: &Named,
        after: Option<&str>,
        customers: &[String],
    ) -> AppResult<References> {
        let mut references = named.references.clone();
        let until = customers.last().map(String::as_str);
        for (id, key, view) in &named.lists {
            let mut keys = Vec::new();
            let mut after = after.map(|key| Document::from_stored(key.to_owned()));
            loop {
                let found = self
                    .contacts
                    .scan_keys(*key, view, after.as_ref(), KEYS)
                    .await?;
                let Some(last) = found.last() else { break };
                let ended = found.len() < KEYS
                    || until.is_some_and(|until| last.document.as_str() >= until);
                after = Some(last.document.clone());
                let within = found
                    .into_iter()
                    .map(|found| found.document.as_str().to_owned())
                    .filter(|key| customers.binary_search(key).is_ok());
                keys.extend(within);
                if ended {
                    break;
                }
            }
            references.insert(*id, Reference::Keys(keys));
        }
        Ok(references)
    }

    /// The references with those of these keys that lists have.
    pub(crate) async fn with_members(
        &self,
        named: &Named,
        documents: &[Document],
    ) -> AppResult<References> {
        let mut references = named.references.clone();
        for (id, key, view) in &named.lists {
            let found = self.visible(*key, view, documents).await?;
            let keys = found.into_iter().map(|c| c.document.as_str().to_owned());
            references.insert(*id, Reference::Keys(keys.collect()));
        }
        Ok(references)
    }

    /// Those of these contacts that readers of a content see.
    pub(crate) async fn visible(
        &self,
        key: ContentKey,
        view: &View,
        documents: &[Document],
    ) -> AppResult<Vec<ContactRecord>> {
        let mut found = self.contacts.get(key, documents).await?;
        let stones = self.contacts.tombstones(key, documents).await?;
        let marks = Marks::new(stones, view);
        found.retain(|c| marks.hider(&c.document, c.order).is_none());
        Ok(found)
    }

    /// Refuses conditions that name an audience that is not there, that lead back to the audience whose
    /// they are, or further than five levels.
    ///
    /// # Errors
    /// `Invalid` at the condition; store errors.
    pub(crate) async fn ensure_sound(
        &self,
        workspace: &WorkspaceId,
        of: Option<AudienceId>,
        predicate: &Predicate,
    ) -> AppResult<()> {
        for id in predicate.audiences() {
            let refuse = |code, detail: &str| {
                let at = pointer(predicate, id);
                AppError::Invalid(vec![Violation::new(at, code, detail)])
            };
            let found = self.queries.audience(workspace, id).await?;
            let there = |a: &Audience| a.is_visible() && a.deleted_at.is_none();
            let Some(audience) = found.filter(there) else {
                return Err(refuse("unknown_audience", "there is no such audience"));
            };
            match self.depth(workspace, of, &audience).await? {
                None => {
                    let detail = "the conditions of this audience lead back here";
                    return Err(refuse("audience_cycle", detail));
                }
                Some(levels) if levels > MAX_LEVELS => {
                    let detail = "audiences may refer to each other over five levels";
                    return Err(refuse("too_many_levels", detail));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// How many levels of references an audience stands for; none where they lead to `of`.
    async fn depth(
        &self,
        workspace: &WorkspaceId,
        of: Option<AudienceId>,
        audience: &Audience,
    ) -> AppResult<Option<usize>> {
        let mut level: BTreeSet<AudienceId> = BTreeSet::from([audience.id]);
        for depth in 1..=MAX_LEVELS {
            if of.is_some_and(|of| level.contains(&of)) {
                return Ok(None);
            }
            let mut next = BTreeSet::new();
            for id in level {
                let Some(audience) = self.queries.audience(workspace, id).await? else {
                    continue;
                };
                if let Ok(predicate) = self.parse(&audience.definition) {
                    next.extend(predicate.audiences());
                }
            }
            if next.is_empty() {
                return Ok(Some(depth));
            }
            level = next;
        }
        Ok(match of.is_some_and(|of| level.contains(&of)) {
            true => None,
            false => Some(MAX_LEVELS + 1),
        })
    }
}

/// Whether everything that is wrong is something that is missing.
pub(crate) fn is_incomplete(violations: &[Violation]) -> bool {
    violations
        .iter()
        .all(|violation| violation.code == INCOMPLETE)
}

/// Where conditions name an audience.
fn pointer(predicate: &Predicate, id: AudienceId) -> String {
    for (group, in_group) in predicate.groups.iter().enumerate() {
        for (index, condition) in in_group.conditions.iter().enumerate() {
            if matches!(condition, Condition::Audience { id: named, .. } if *named == id) {
                return format!("/groups/{group}/conditions/{index}/value");
            }
        }
    }
    "/groups".to_owned()
}
