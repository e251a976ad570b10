//! Finding audiences and their present content.

use std::sync::Arc;

use domain::{
    audience::Audience,
    operation::Operation,
    shared::{AudienceId, WorkspaceId},
};
use ports::{
    contacts::ContentKey,
    store::{AudienceFilter, AudiencePage, AudienceQueries, Content, FindAudiences},
};

use crate::{Actor, AppError, AppResult};

/// Which audiences, in which order, from where.
#[derive(Debug, Default)]
pub struct ListAudiences {
    /// Which.
    pub filter: AudienceFilter,
    /// Order and position. `limit` rows at most.
    pub page: AudiencePage,
}

/// Finds audiences.
#[derive(Clone)]
pub struct FindAudience {
    pub(crate) queries: Arc<dyn AudienceQueries>,
}

impl FindAudience {
    /// The audience, if readers may see it.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    pub async fn visible(&self, actor: &Actor, id: AudienceId) -> AppResult<Audience> {
        let found = self.queries.audience(&actor.workspace, id).await?;
        found.filter(Audience::is_visible).ok_or(AppError::NotFound)
    }

    /// The audience of this number, unless it is dropped.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    pub async fn of_number(&self, actor: &Actor, number: i64) -> AppResult<Audience> {
        let queries = &self.queries;
        let found = queries.audience_of_number(&actor.workspace, number).await?;
        let live = |audience: &Audience| audience.is_visible() && audience.deleted_at.is_none();
        found.filter(live).ok_or(AppError::NotFound)
    }

    /// An audience, also while nobody sees it.
    pub(crate) async fn any(&self, workspace: &WorkspaceId, id: AudienceId) -> AppResult<Audience> {
        let found = self.queries.audience(workspace, id).await?;
        found.ok_or(AppError::NotFound)
    }

    /// The audience that an operation works on, also while nobody else sees it.
    pub(crate) async fn of_operation(&self, operation: &Operation) -> AppResult<Audience> {
        let id = operation.audience.ok_or(AppError::NotFound)?;
        self.any(&operation.workspace, id).await
    }

    /// The content that readers of an audience see.
    pub(crate) async fn content_of(&self, audience: &Audience) -> AppResult<Content> {
        let key = ContentKey {
            audience: audience.id,
            epoch: audience.epoch,
        };
        let found = self.queries.content(key).await?;
        found.ok_or(AppError::NotFound)
    }

    /// Audiences that are not dropped, and how many there are in all.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "audience.find", skip_all)]
    pub async fn matching(
        &self,
        actor: &Actor,
        find: &FindAudiences,
    ) -> AppResult<(Vec<Audience>, i64)> {
        Ok(self.queries.find_audiences(&actor.workspace, find).await?)
    }

    /// A page of audiences, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "audience.list", skip_all)]
    pub async fn list(
        &self,
        actor: &Actor,
        mut command: ListAudiences,
    ) -> AppResult<(Vec<Audience>, bool)> {
        let limit = usize::try_from(command.page.limit).unwrap_or(0);
        command.page.limit += 1;
        let queries = &self.queries;
        let mut rows = queries
            .audiences(&actor.workspace, &command.filter, &command.page)
            .await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok((rows, more))
    }
}
