//! Reads outside a transaction, each on a connection of its own for as long as it runs.

use async_trait::async_trait;
use domain::{
    audience::{Audience, Usage},
    contact::Document,
    shared::{AudienceId, Instant, UploadId, UserId, WorkspaceId},
    workspace::WorkspaceSettings,
};
use ports::{
    StoreError,
    contacts::ContentKey,
    store::{
        AudienceFilter, AudiencePage, AudienceQueries, Content, DueRefresh, FindAudiences,
        Notification, NotificationFilter, Referring, Removal, UnderWay, Upload, UserEvent,
        WriteIntent,
    },
};

use super::{
    Db, audiences, contents, feed, finding, intents, references, removals, schedules, uploads,
    usages, workspaces,
};

#[async_trait]
impl AudienceQueries for Db {
    async fn audiences(
        &self,
        workspace: &WorkspaceId,
        filter: &AudienceFilter,
        page: &AudiencePage,
    ) -> Result<Vec<Audience>, StoreError> {
        audiences::list(&mut *self.reader().await?, workspace, filter, page).await
    }

    async fn find_audiences(
        &self,
        workspace: &WorkspaceId,
        find: &FindAudiences,
    ) -> Result<(Vec<Audience>, i64), StoreError> {
        finding::find(&mut *self.reader().await?, workspace, find).await
    }

    async fn audience(
        &self,
        workspace: &WorkspaceId,
        id: AudienceId,
    ) -> Result<Option<Audience>, StoreError> {
        audiences::get(&mut *self.reader().await?, workspace, id).await
    }

    async fn audience_of_number(
        &self,
        workspace: &WorkspaceId,
        number: i64,
    ) -> Result<Option<Audience>, StoreError> {
        audiences::of_number(&mut *self.reader().await?, workspace, number).await
    }

    async fn next_refresh(
        &self,
        workspace: &WorkspaceId,
        id: AudienceId,
    ) -> Result<Option<Instant>, StoreError> {
        schedules::next(&mut *self.reader().await?, workspace, id).await
    }

    async fn due_refreshes(
        &self,
        now: Instant,
        limit: usize,
    ) -> Result<Vec<DueRefresh>, StoreError> {
        schedules::due(&mut *self.reader().await?, now, limit).await
    }

    async fn workspace_settings(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<WorkspaceSettings, StoreError> {
        workspaces::settings(&mut *self.reader().await?, workspace).await
    }

    async fn usages(
        &self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        after: Option<&Usage>,
        limit: i64,
    ) -> Result<Vec<Usage>, StoreError> {
        usages::list(
            &mut *self.reader().await?,
            workspace,
            audience,
            after,
            limit,
        )
        .await
    }

    async fn referring(
        &self,
        workspace: &WorkspaceId,
        ids: &[AudienceId],
    ) -> Result<Vec<Referring>, StoreError> {
        references::referring(&mut *self.reader().await?, workspace, ids, "").await
    }

    async fn content(&self, key: ContentKey) -> Result<Option<Content>, StoreError> {
        contents::get(&mut *self.reader().await?, key).await
    }

    async fn removals(&self, key: ContentKey) -> Result<Vec<Removal>, StoreError> {
        removals::list(&mut *self.reader().await?, key).await
    }

    async fn open_writes(&self, limit: i64) -> Result<Vec<WriteIntent>, StoreError> {
        intents::open(&mut *self.reader().await?, limit).await
    }

    async fn under_way(&self, key: ContentKey) -> Result<Option<UnderWay>, StoreError> {
        intents::under_way(&mut *self.reader().await?, key).await
    }

    async fn written_between(
        &self,
        key: ContentKey,
        after: i64,
        until: i64,
    ) -> Result<Option<Vec<Document>>, StoreError> {
        intents::between(&mut *self.reader().await?, key, after, until).await
    }

    async fn lapsed_writes(&self, limit: i64) -> Result<Vec<WriteIntent>, StoreError> {
        intents::lapsed(&mut *self.reader().await?, limit).await
    }

    async fn upload(
        &self,
        workspace: &WorkspaceId,
        id: UploadId,
    ) -> Result<Option<Upload>, StoreError> {
        uploads::get(&mut *self.reader().await?, workspace, id).await
    }

    async fn notifications(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        filter: &NotificationFilter,
    ) -> Result<Vec<Notification>, StoreError> {
        feed::list(&mut *self.reader().await?, workspace, user, filter).await
    }

    async fn unread_count(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
    ) -> Result<i64, StoreError> {
        feed::unread_count(&mut *self.reader().await?, workspace, user).await
    }

    async fn events_after(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<UserEvent>, StoreError> {
        feed::events_after(&mut *self.reader().await?, workspace, user, after, limit).await
    }

    async fn event_range(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
    ) -> Result<Option<(i64, i64)>, StoreError> {
        feed::event_range(&mut *self.reader().await?, workspace, user).await
    }
}
