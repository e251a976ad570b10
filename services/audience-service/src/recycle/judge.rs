//! Deciding, contact by contact, which reasons hold. Contacts come in ascending order.

use std::collections::HashMap;

use domain::{
    contact::Document,
    recycle::{OutcomeFacts, Reason, Reasons},
    shared::{AudienceId, OperationId, WorkspaceId},
};
use ports::contacts::ContentKey;

use super::{
    DUPLICATES, KEEP, REMOVE, RecycleParams, set_name,
    sets::{FileSet, MemberSet},
    walk::{Candidate, Walk},
};
use crate::{AppResult, contact::view_of};

/// Reads the sets of an operation in step with a walk.
pub(crate) struct Judge<'a> {
    walk: &'a Walk,
    workspace: WorkspaceId,
    params: &'a RecycleParams,
    remove: Option<FileSet>,
    duplicates: Option<FileSet>,
    keep: Option<FileSet>,
    remove_members: Vec<MemberSet>,
    keep_members: Vec<MemberSet>,
    after: Option<Document>,
}

impl<'a> Judge<'a> {
    /// A judge at the beginning of a walk. `sets` is the operation that the sorted sets belong to.
    pub async fn new(
        walk: &'a Walk,
        workspace: &WorkspaceId,
        params: &'a RecycleParams,
        sets: OperationId,
    ) -> AppResult<Judge<'a>> {
        let open = |wanted: bool, which: &str| -> AppResult<Option<FileSet>> {
            let name = set_name(sets, which);
            let spool = walk.spool.as_ref();
            Ok(if wanted {
                Some(FileSet::open(spool, &name)?)
            } else {
                None
            })
        };
        let duplicates = walk.spool.exists(&set_name(sets, DUPLICATES))?;
        Ok(Self {
            walk,
            workspace: workspace.clone(),
            params,
            remove: open(params.rules.documents, REMOVE)?,
            duplicates: open(duplicates, DUPLICATES)?,
            keep: open(params.keep.documents, KEEP)?,
            remove_members: members(walk, workspace, &params.rules.audiences).await?,
            keep_members: members(walk, workspace, &params.keep.audiences).await?,
            after: None,
        })
    }

    /// Leaves the set of duplicates out: it was made of values that have changed since.
    pub fn without_duplicates(mut self) -> Self {
        self.duplicates = None;
        self
    }

    /// Begins after this document instead of at the first.
    pub fn begin_after(&mut self, after: Option<&Document>) {
        self.after = after.cloned();
        for set in self.remove_members.iter_mut().chain(&mut self.keep_members) {
            set.begin_after(after);
        }
    }

    /// The reasons that hold for each candidate, in order. Every call goes on where the last ended.
    pub async fn judge(&mut self, candidates: &[Candidate]) -> AppResult<Vec<Reasons>> {
        let wanted = candidates
            .last()
            .filter(|_| self.params.rules.needs_outcomes());
        let (walk, workspace, after) = (self.walk, self.workspace.clone(), self.after.clone());
        let facts = facts(walk, workspace, after, wanted.map(|c| &c.document)).await?;
        let mut verdicts = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            verdicts.push(self.reasons(candidate, &facts).await?);
        }
        self.after = candidates
            .last()
            .map(|c| c.document.clone())
            .or_else(|| self.after.take());
        Ok(verdicts)
    }

    async fn reasons(
        &mut self,
        candidate: &Candidate,
        facts: &HashMap<Document, OutcomeFacts>,
    ) -> AppResult<Reasons> {
        let document = &candidate.document;
        let rules = &self.params.rules;
        let mut reasons = match facts.get(document) {
            Some(facts) => rules.reasons_from_outcomes(facts, self.params.at),
            None => Reasons::NONE,
        };
        if in_file(self.remove.as_mut(), document)? {
            reasons.add(Reason::Documents);
        }
        if in_members(&mut self.remove_members, document).await? {
            reasons.add(Reason::Audience);
        }
        if let Some(body) = &candidate.body {
            rules.add_reasons_from_body(&mut reasons, document, body, self.params.at);
        }
        if in_file(self.duplicates.as_mut(), document)? {
            reasons.add(Reason::Duplicates);
        }
        let kept = in_file(self.keep.as_mut(), document)?
            | in_members(&mut self.keep_members, document).await?;
        Ok(if kept { reasons.protected() } else { reasons })
    }
}

/// What was reported of the people between two documents. Not a method: sorted files are not shared
/// between threads.
async fn facts(
    walk: &Walk,
    workspace: WorkspaceId,
    after: Option<Document>,
    until: Option<&Document>,
) -> AppResult<HashMap<Document, OutcomeFacts>> {
    let Some(until) = until else {
        return Ok(HashMap::new());
    };
    let found = walk
        .queries
        .facts_between(&workspace, after.as_ref(), until)
        .await?;
    Ok(found.into_iter().collect())
}

fn in_file(set: Option<&mut FileSet>, document: &Document) -> AppResult<bool> {
    match set {
        Some(set) => Ok(set.contains(document)?),
        None => Ok(false),
    }
}

async fn in_members(sets: &mut [MemberSet], document: &Document) -> AppResult<bool> {
    let mut found = false;
    for set in sets {
        found |= set.contains(document).await?;
    }
    Ok(found)
}

async fn members(walk: &Walk, workspace: &WorkspaceId, ids: &[i64]) -> AppResult<Vec<MemberSet>> {
    let mut sets = Vec::with_capacity(ids.len());
    for id in ids {
        let id = AudienceId::from_raw(*id);
        let Some(audience) = walk.queries.audience(workspace, id).await? else {
            continue;
        };
        let key = ContentKey {
            audience: id,
            epoch: audience.epoch,
        };
        let Some(content) = walk.queries.content(key).await? else {
            continue;
        };
        sets.push(MemberSet::new(
            walk.contacts.clone(),
            key,
            view_of(&content),
        ));
    }
    Ok(sets)
}
