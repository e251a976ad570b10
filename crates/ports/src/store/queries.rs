//! Reads outside a transaction.

use async_trait::async_trait;
use domain::{
    audience::{Audience, AudienceKind, AudienceStatus, Usage},
    contact::Document,
    shared::{AudienceId, Instant, NotificationId, UserId, WorkspaceId},
    workspace::WorkspaceSettings,
};

use super::{
    Content, CustomerQueries, DueRefresh, LiveQueries, MembershipQueries, Notification,
    OperationQueries, OutcomeQueries, Referring, Removal, SegmentSourceQueries, SuppressionQueries,
    UnderWay, Upload, UserEvent, WriteIntent,
};
use crate::{StoreError, contacts::ContentKey};

/// Order of a list of audiences. Ties are broken by id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AudienceSort {
    /// By creation, oldest first: the order of ids.
    #[default]
    CreatedAsc,
    /// By creation, newest first.
    CreatedDesc,
    /// By name key.
    NameAsc,
    /// By name key, descending.
    NameDesc,
    /// By number.
    NumberAsc,
}

/// Which audiences to list. Absent members do not filter. Those being created or abandoned never show.
#[derive(Debug, Clone, Default)]
pub struct AudienceFilter {
    /// Part of the name or of a tag, without regard to case (compared by key).
    pub search: Option<String>,
    /// Status.
    pub status: Option<AudienceStatus>,
    /// Kind.
    pub kind: Option<AudienceKind>,
    /// Carries this tag.
    pub tag: Option<String>,
    /// `Some(false)`: live only; `Some(true)`: dropped only; `None`: both.
    pub deleted: Option<bool>,
}

/// What the orders of a list compare of an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudiencePosition {
    /// Key of its name.
    pub name_key: String,
    /// Its number.
    pub number: i64,
    /// Its id.
    pub id: AudienceId,
}

impl From<&Audience> for AudiencePosition {
    fn from(audience: &Audience) -> Self {
        Self {
            name_key: audience.name.key(),
            number: audience.number,
            id: audience.id,
        }
    }
}

/// A part of a list.
#[derive(Debug, Clone, Default)]
pub struct AudiencePage {
    /// Order.
    pub sort: AudienceSort,
    /// Strictly after this one.
    pub after: Option<AudiencePosition>,
    /// At most so many.
    pub limit: i64,
}

/// What audiences are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// When they were made.
    Created,
    /// Their last change.
    Updated,
    /// Their name, without case.
    Name,
    /// Their status.
    Status,
    /// Their members.
    Total,
    /// Those of their members who did not say no wherever they said anything.
    Active,
}

/// Which audiences that are not dropped to find, and which part of them. Absent members do not filter.
#[derive(Debug, Clone, Default)]
pub struct FindAudiences {
    /// Part of the name or of a tag, without case and accents.
    pub search: Option<String>,
    /// Any of these; of none, there are none.
    pub statuses: Option<Vec<AudienceStatus>>,
    /// When their conditions are looked at: any of these.
    pub types: Vec<&'static str>,
    /// Any of these tags.
    pub tags: Vec<String>,
    /// Those with a condition about scores.
    pub asks_for_scores: bool,
    /// Whether something outside has registered as their resource.
    pub resource: Option<bool>,
    /// All but this one.
    pub but_for: Option<AudienceId>,
    /// By what they are sorted, each `true` for descending; ties by id.
    pub sort: Vec<(SortBy, bool)>,
    /// How many to pass over.
    pub offset: i64,
    /// At most so many.
    pub limit: i64,
}

/// Which notifications to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct NotificationFilter {
    /// Unread only.
    pub unread: bool,
    /// Strictly older than this one.
    pub before: Option<NotificationId>,
    /// At most so many.
    pub limit: i64,
}

/// Reads outside a transaction. Every one names the workspace, or an id whose workspace the same
/// request has checked.
#[async_trait]
pub trait AudienceQueries:
    OperationQueries
    + OutcomeQueries
    + CustomerQueries
    + MembershipQueries
    + LiveQueries
    + SegmentSourceQueries
    + SuppressionQueries
{
    /// A list of audiences.
    async fn audiences(
        &self,
        workspace: &WorkspaceId,
        filter: &AudienceFilter,
        page: &AudiencePage,
    ) -> Result<Vec<Audience>, StoreError>;

    /// Audiences that are found, and how many there are in all.
    async fn find_audiences(
        &self,
        workspace: &WorkspaceId,
        find: &FindAudiences,
    ) -> Result<(Vec<Audience>, i64), StoreError>;

    /// One audience, dropped ones and those being created included.
    async fn audience(
        &self,
        workspace: &WorkspaceId,
        id: AudienceId,
    ) -> Result<Option<Audience>, StoreError>;

    /// The audience of a number, dropped ones and those being created included.
    async fn audience_of_number(
        &self,
        workspace: &WorkspaceId,
        number: i64,
    ) -> Result<Option<Audience>, StoreError>;

    /// When an audience is refreshed by itself next, if it is.
    async fn next_refresh(
        &self,
        workspace: &WorkspaceId,
        id: AudienceId,
    ) -> Result<Option<Instant>, StoreError>;

    /// Refreshes of any workspace that are due, the longest overdue first.
    async fn due_refreshes(
        &self,
        now: Instant,
        limit: usize,
    ) -> Result<Vec<DueRefresh>, StoreError>;

    /// What a workspace has decided.
    async fn workspace_settings(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<WorkspaceSettings, StoreError>;

    /// What uses an audience now, in the order of kinds and ids: what something outside told, and live
    /// audiences whose conditions name it, as those of kind [`Usage::AUDIENCE`]. After this one.
    async fn usages(
        &self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        after: Option<&Usage>,
        limit: i64,
    ) -> Result<Vec<Usage>, StoreError>;

    /// As [`super::UsageRepository::referring`], as of now.
    async fn referring(
        &self,
        workspace: &WorkspaceId,
        ids: &[AudienceId],
    ) -> Result<Vec<Referring>, StoreError>;

    /// One content.
    async fn content(&self, key: ContentKey) -> Result<Option<Content>, StoreError>;

    /// Removals of a content, oldest first.
    async fn removals(&self, key: ContentKey) -> Result<Vec<Removal>, StoreError>;

    /// Open writes. At a start of the embedded process every one is abandoned.
    async fn open_writes(&self, limit: i64) -> Result<Vec<WriteIntent>, StoreError>;

    /// What is being written to a content: whatever a reader finds in the contact store beyond the
    /// content's own state was announced here before it was stored. `None` where there is no content.
    async fn under_way(&self, key: ContentKey) -> Result<Option<UnderWay>, StoreError>;

    /// Documents of all writes of a content that ended after the revision `after` and up to `until`;
    /// `None` when that is not known any more, or something else happened in between.
    async fn written_between(
        &self,
        key: ContentKey,
        after: i64,
        until: i64,
    ) -> Result<Option<Vec<Document>>, StoreError>;

    /// As [`AudienceQueries::open_writes`], those whose lease has run out: their process is gone.
    async fn lapsed_writes(&self, limit: i64) -> Result<Vec<WriteIntent>, StoreError>;

    /// One upload.
    async fn upload(
        &self,
        workspace: &WorkspaceId,
        id: domain::shared::UploadId,
    ) -> Result<Option<Upload>, StoreError>;

    /// A list of a user's notifications.
    async fn notifications(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        filter: &NotificationFilter,
    ) -> Result<Vec<Notification>, StoreError>;

    /// How many of a user's notifications are unread.
    async fn unread_count(&self, workspace: &WorkspaceId, user: &UserId)
    -> Result<i64, StoreError>;

    /// A user's events after a position, oldest first.
    async fn events_after(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<UserEvent>, StoreError>;

    /// First and last position of a user's feed that are kept; `None` while it is empty.
    async fn event_range(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
    ) -> Result<Option<(i64, i64)>, StoreError>;
}
