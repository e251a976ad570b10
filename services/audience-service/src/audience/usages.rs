//! What uses audiences: telling of it, listing it, and refusing to take an audience away from it.

use std::sync::Arc;

use domain::{
    audience::Usage,
    shared::{AudienceId, WorkspaceId},
};
use ports::{
    Clock, StoreError,
    bus::Receipt,
    store::{AudienceQueries, AudienceStore, Durability, UnitOfWork, UsageChange},
};
use serde_json::{Map, Value, json};

use super::{FindAudience, ready};
use crate::{Actor, AppError, AppResult};

/// Most users that a refusal names.
const NAMED: usize = 100;

/// Knows what uses audiences.
#[derive(Clone)]
pub struct AudienceUsages {
    pub(crate) find: FindAudience,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl AudienceUsages {
    /// What uses an audience, after a usage, and whether there is more.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "audience.usages.list", skip_all)]
    pub async fn list(
        &self,
        actor: &Actor,
        id: AudienceId,
        after: Option<&Usage>,
        limit: usize,
    ) -> AppResult<(Vec<Usage>, bool)> {
        self.find.visible(actor, id).await?;
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let queries = &self.queries;
        let mut rows = queries.usages(&actor.workspace, id, after, wanted).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok((rows, more))
    }

    /// Notes that something uses an audience. `true` where that is new.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `audience_deleted`; store errors.
    #[tracing::instrument(name = "audience.usages.add", skip_all)]
    pub async fn add(&self, actor: &Actor, id: AudienceId, usage: Usage) -> AppResult<bool> {
        let mut uow = self.store.begin(Durability::Full).await?;
        let change = self.change(usage, true, None);
        let workspace = &actor.workspace;
        let new = uow.usages().change(workspace, id, &change).await?;
        // Now nobody drops it before this is committed.
        ready(uow.as_mut(), actor, id).await?.ensure_live()?;
        uow.commit().await?;
        Ok(new)
    }

    /// Notes that something uses an audience no more. Again: no change.
    ///
    /// # Errors
    /// `NotFound` where there is no such audience; store errors.
    #[tracing::instrument(name = "audience.usages.remove", skip_all)]
    pub async fn remove(
        &self,
        actor: &Actor,
        id: AudienceId,
        kind: &str,
        usage: &str,
    ) -> AppResult<()> {
        self.find.visible(actor, id).await?;
        let Ok(usage) = Usage::parse(kind, usage, "-", false) else {
            // Nothing is used under such a name.
            return Ok(());
        };
        let mut uow = self.store.begin(Durability::Full).await?;
        let change = self.change(usage, false, None);
        uow.usages().change(&actor.workspace, id, &change).await?;
        Ok(uow.commit().await?)
    }

    /// Notes what another service tells, and ends the delivery: both or neither. Of an audience that is not
    /// there, nothing is noted.
    ///
    /// # Errors
    /// Store errors; `StaleVersion` when the delivery was taken over, and nothing was done.
    #[tracing::instrument(name = "audience.usages.told", skip_all)]
    pub async fn told(&self, told: ToldUsage, delivery: &Receipt) -> Result<(), StoreError> {
        let mut uow = self.store.begin(Durability::Full).await?;
        let change = self.change(told.usage, told.in_use, Some(told.version));
        uow.usages()
            .change(&told.workspace, told.audience, &change)
            .await?;
        uow.inbox().complete(delivery, change.at).await?;
        uow.commit().await
    }

    fn change(&self, usage: Usage, in_use: bool, version: Option<i64>) -> UsageChange {
        UsageChange {
            usage,
            in_use,
            version,
            at: self.clock.now(),
        }
    }
}

/// What another service tells of an audience.
#[derive(Debug)]
pub struct ToldUsage {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The audience.
    pub audience: AudienceId,
    /// What uses it.
    pub usage: Usage,
    /// Whether it does.
    pub in_use: bool,
    /// Grows with each change of this usage.
    pub version: i64,
}

/// Refuses a change that takes audiences away, once it is made, where something uses one of them: what was
/// dropped in this unit of work does not count.
///
/// # Errors
/// `Conflict` with `audience_in_use`, which names what uses them; store errors.
pub(crate) async fn ensure_unused(
    uow: &mut dyn UnitOfWork,
    workspace: &WorkspaceId,
    ids: &[AudienceId],
) -> AppResult<()> {
    let mut used_by: Vec<Usage> = Vec::new();
    for id in ids {
        let left = NAMED.saturating_sub(used_by.len());
        if left == 0 {
            break;
        }
        let limit = i64::try_from(left).unwrap_or(i64::MAX);
        for usage in uow.usages().list(workspace, *id, limit).await? {
            if !used_by.contains(&usage) {
                used_by.push(usage);
            }
        }
    }
    if used_by.is_empty() {
        return Ok(());
    }
    let user = |usage: Usage| json!({"kind": usage.kind, "id": usage.id, "name": usage.name});
    let used_by: Vec<Value> = used_by.into_iter().map(user).collect();
    Err(AppError::Conflict {
        code: "audience_in_use",
        detail: "the audience is in use".to_owned(),
        extra: Map::from_iter([("used_by".to_owned(), Value::Array(used_by))]),
    })
}
