//! Adding and removing.

use std::{collections::HashSet, sync::Arc};

use domain::{
    shared::{ItemError, SuppressionId},
    suppression::{
        SuppressedHash, Suppression, SuppressionReason, parse_suppressed, parse_suppression,
    },
};
use kernel::receipt;
use ports::{
    Clock, IdGenerator, StoreError, crash,
    store::{AudienceStore, Durability},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ERASED, ERASED_DETAIL, Hashes, Refusal};
use crate::{Actor, AppError, AppResult, RequestId};

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionResult {
    /// It is suppressed from now on.
    Added,
    /// It was before.
    Unchanged,
    /// It is not suppressed any more.
    Removed,
    /// It was not.
    Absent,
    /// It was refused.
    Rejected,
}

impl SuppressionResult {
    /// The value as it is written in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
            Self::Absent => "absent",
            Self::Rejected => "rejected",
        }
    }
}

/// What became of an item, and under which id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionOutcome {
    /// What.
    pub result: SuppressionResult,
    /// The suppression, where it was added or there.
    pub id: Option<SuppressionId>,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
}

impl SuppressionOutcome {
    const fn of(result: SuppressionResult, id: Option<SuppressionId>) -> Self {
        Self {
            result,
            id,
            refusal: None,
        }
    }

    const fn refused(refusal: Refusal) -> Self {
        Self {
            result: SuppressionResult::Rejected,
            id: None,
            refusal: Some(refusal),
        }
    }
}

/// Adds and removes suppressions.
#[derive(Clone)]
pub struct WriteSuppressions {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) hashes: Hashes,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

impl WriteSuppressions {
    /// Suppresses people, all of them at once; one outcome for each item. Whoever is suppressed already stays so,
    /// for the same reason.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "suppression.add", skip_all)]
    pub async fn add(
        &self,
        actor: &Actor,
        request_id: RequestId,
        items: Vec<Value>,
    ) -> AppResult<Vec<SuppressionOutcome>> {
        let now = self.clock.now();
        let read = |item| {
            let new = parse_suppression(item)?;
            Ok(Suppression {
                id: SuppressionId::from_raw(self.ids.next()),
                who: self.hashes.of(&actor.workspace, &new.who),
                reason: new.reason,
                created_by: actor.user.clone(),
                created_at: now,
            })
        };
        let items: Vec<Result<Suppression, ItemError>> = items.into_iter().map(read).collect();
        let new: Vec<Suppression> = items.iter().flatten().cloned().collect();
        let mut uow = self.store.begin(Durability::Full).await?;
        if let Some(earlier) = receipt::earlier(uow.receipts(), request_id).await? {
            return Ok(earlier);
        }
        let stored = uow.suppressions().add(&actor.workspace, &new).await?;
        let mut stored = stored.into_iter();
        let outcome = |item: Result<Suppression, ItemError>| match item {
            Err(error) => Ok(SuppressionOutcome::refused(error.into())),
            Ok(new) => {
                let corrupt = StoreError::Corrupt("suppressions that were just stored");
                let stored = stored.next().ok_or(corrupt)?;
                let result = match stored.id == new.id {
                    true => SuppressionResult::Added,
                    false => SuppressionResult::Unchanged,
                };
                Ok(SuppressionOutcome::of(result, Some(stored.id)))
            }
        };
        let outcomes: Result<Vec<_>, StoreError> = items.into_iter().map(outcome).collect();
        let outcomes = outcomes?;
        receipt::keep(uow.receipts(), request_id, &outcomes).await?;
        uow.commit().await?;
        crash::point("request.before_answer");
        Ok(outcomes)
    }

    /// Takes suppressions of these people back, all of them at once; one outcome for each item.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "suppression.remove", skip_all)]
    pub async fn remove(
        &self,
        actor: &Actor,
        items: Vec<Value>,
    ) -> AppResult<Vec<SuppressionOutcome>> {
        let workspace = &actor.workspace;
        let read = |item| Ok(self.hashes.of(workspace, &parse_suppressed(item)?));
        let items: Vec<Result<SuppressedHash, ItemError>> = items.into_iter().map(read).collect();
        let people: Vec<SuppressedHash> = items.iter().flatten().cloned().collect();
        let mut uow = self.store.begin(Durability::Full).await?;
        let removed = uow.suppressions().remove(workspace, &people).await?;
        let left = uow.suppressions().among(workspace, &people).await?;
        uow.commit().await?;
        let removed: HashSet<SuppressedHash> = removed.into_iter().collect();
        let left: HashSet<SuppressedHash> = left.into_iter().map(|left| left.who).collect();
        let outcome = |item: Result<SuppressedHash, ItemError>| match item {
            Err(error) => SuppressionOutcome::refused(error.into()),
            Ok(who) if left.contains(&who) => SuppressionOutcome::refused(Refusal::erased()),
            Ok(who) if removed.contains(&who) => {
                SuppressionOutcome::of(SuppressionResult::Removed, None)
            }
            Ok(_) => SuppressionOutcome::of(SuppressionResult::Absent, None),
        };
        Ok(items.into_iter().map(outcome).collect())
    }

    /// Takes one suppression back.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `erased`; store errors.
    #[tracing::instrument(name = "suppression.remove_one", skip_all)]
    pub async fn remove_one(&self, actor: &Actor, id: SuppressionId) -> AppResult<()> {
        let workspace = &actor.workspace;
        let mut uow = self.store.begin(Durability::Full).await?;
        let found = uow.suppressions().get(workspace, id).await?;
        let who = found.ok_or(AppError::NotFound)?.who;
        let removed = uow
            .suppressions()
            .remove(workspace, std::slice::from_ref(&who))
            .await?;
        let left = uow.suppressions().among(workspace, &[who]).await?;
        uow.commit().await?;
        let is_erasure = |left: &Suppression| left.reason == SuppressionReason::Erasure;
        match removed.is_empty() && left.iter().any(is_erasure) {
            true => Err(AppError::conflict(ERASED, ERASED_DETAIL)),
            false => Ok(()),
        }
    }
}
