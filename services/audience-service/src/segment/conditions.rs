//! Reading conditions, and finding the audiences that they name.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    audience::Definition,
    contact::Document,
    segment::{INCOMPLETE, Notation, Predicate, Reference, References},
    shared::{AudienceId, Violation, WorkspaceId},
};
use ports::{
    contacts::{ContactRecord, ContactStore, ContentKey, View},
    store::{AudienceQueries, Content},
};

use crate::{
    AppError, AppResult,
    audience::{FindAudience, Look, ensure_sound},
    contact::{Marks, view_of},
};

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
    /// Conditions, whose texts are read as people of the workspace write them.
    ///
    /// # Errors
    /// `Invalid` with every rule that they break; store errors.
    pub(crate) async fn parse(
        &self,
        workspace: &WorkspaceId,
        definition: &Definition,
    ) -> AppResult<Predicate> {
        let notation = self.notation(workspace).await?;
        self.read(definition, notation)
    }

    /// How people of a workspace write.
    ///
    /// # Errors
    /// Store errors.
    pub(crate) async fn notation(&self, workspace: &WorkspaceId) -> AppResult<Notation> {
        let settings = self.queries.workspace_settings(workspace).await?;
        Ok(settings.notation)
    }

    /// Conditions, whose texts are read in this notation.
    ///
    /// # Errors
    /// `Invalid` with every rule that they break.
    pub(crate) fn read(&self, definition: &Definition, notation: Notation) -> AppResult<Predicate> {
        let parsed = Predicate::parse_segment(&definition.conditions(), "", notation);
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
            let reference = match self.read(&audience.definition, predicate.notation) {
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
    /// they are, or further than five levels: as of now.
    ///
    /// # Errors
    /// `Invalid` at the condition; store errors.
    pub(crate) async fn ensure_sound(
        &self,
        workspace: &WorkspaceId,
        of: Option<AudienceId>,
        definition: &Definition,
    ) -> AppResult<()> {
        let look = Look::Now(self.queries.as_ref());
        ensure_sound(look, workspace, of, definition).await
    }
}

/// Whether everything that is wrong is something that is missing.
pub(crate) fn is_incomplete(violations: &[Violation]) -> bool {
    violations
        .iter()
        .all(|violation| violation.code == INCOMPLETE)
}
