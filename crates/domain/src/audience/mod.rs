//! Audiences: what is known about one apart from its contacts, and which changes it allows.

use std::ops::Deref;

use crate::shared::{AudienceId, AudienceName, Epoch, Instant, UserId, WorkspaceId, text_enum};

mod definition;
mod icon;
mod lifecycle;
mod recipe;
mod refresh;
mod refresh_times;
mod tags;
mod usage;

pub use definition::{AudienceType, Definition, GroupType};
pub use icon::{Icon, IconError, MAX_ICON_CHARS};
pub use recipe::{Draw, MAX_PARTS, Percent, Recipe};
pub use refresh::{Departure, RefreshCause, Refreshed};
pub use refresh_times::RefreshTimes;
pub use tags::{MAX_TAG_CHARS, MAX_TAGS, TagError, Tags};
pub use usage::Usage;

text_enum!(
    /// What an owner says of an audience's readiness.
    AudienceStatus {
        /// In use.
        Active = "active",
        /// Being prepared.
        Draft = "draft",
        /// Its members are being resolved for the first time.
        InProgress = "in_progress",
        /// They could not be resolved.
        Failed = "failed",
    }
);

impl AudienceStatus {
    /// Those that an owner may choose.
    pub const CHOSEN: &'static [Self] = &[Self::Active, Self::Draft];
}

text_enum!(
    /// How an audience gets its members.
    AudienceKind {
        /// Contacts are stored.
        Static = "static",
        /// Members are resolved from a segment.
        Dynamic = "dynamic",
    }
);

text_enum!(
    /// What made the audience. Face L may only change those made by the API.
    Source {
        /// Face L or V1.
        Api = "api",
        /// The web panel.
        Panel = "panel",
        /// Face G.
        Groups = "groups",
        /// The import service.
        Import = "import",
        /// A recycling with a new target.
        Recycle = "recycle",
        /// A refresh of a segment.
        Segment = "segment",
    }
);

text_enum!(
    /// Whether readers may see the audience.
    Visibility {
        /// Being filled by an operation; its name is reserved, nothing else shows.
        Creating = "creating",
        /// Visible (dropped or not).
        Ready = "ready",
        /// Its creation failed or was cancelled or undone; only its id remains known.
        Abandoned = "abandoned",
    }
);

/// An audience without its contacts: its values can be read, and changed by what it allows only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience(AudienceData);

impl Deref for Audience {
    type Target = AudienceData;

    fn deref(&self) -> &AudienceData {
        &self.0
    }
}

/// The values of an audience, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceData {
    /// Identifier, unique over the installation.
    pub id: AudienceId,
    /// Owner.
    pub workspace: WorkspaceId,
    /// Number in the workspace, from 1; 0 until it is stored.
    pub number: i64,
    /// Name, unique in the workspace among those not dropped.
    pub name: AudienceName,
    /// Labels.
    pub tags: Tags,
    /// Picture.
    pub icon: Option<Icon>,
    /// Readiness as its owner sees it.
    pub status: AudienceStatus,
    /// How it gets its members.
    pub kind: AudienceKind,
    /// Its conditions, if it has some.
    pub definition: Definition,
    /// Whether something outside has registered as its resource.
    pub resource: bool,
    /// Members who said no wherever they said anything, as of the last refresh.
    pub unsubscribed: i64,
    /// What made it.
    pub source: Source,
    /// Whether readers may see it.
    pub visibility: Visibility,
    /// Version of the metadata, the `ETag`. Grows by one with each change of what describes it.
    pub version: i64,
    /// The generation of contacts that readers see.
    pub epoch: Epoch,
    /// Exact number of visible contacts in `epoch`.
    pub contacts: i64,
    /// Who created it.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: Instant,
    /// Last change of metadata or contacts.
    pub updated_at: Instant,
    /// When it was dropped, if it is.
    pub deleted_at: Option<Instant>,
}

/// New values of what describes an audience. Absent members stay as they are.
#[derive(Debug, Clone, Default)]
pub struct AudienceChange {
    /// New name.
    pub name: Option<AudienceName>,
    /// New labels.
    pub tags: Option<Tags>,
    /// New picture, or none.
    pub icon: Option<Option<Icon>>,
    /// New status.
    pub status: Option<AudienceStatus>,
}

/// Name of the contact collection that serves all audiences.
pub const COLLECTION: &str = "contacts";

/// Why an audience refuses a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// It is dropped; restore it first.
    #[error("the audience is deleted; restore it first")]
    Deleted,
    /// Face L may only change audiences made by the API.
    #[error("the audience was not created through the API")]
    NotApiManaged,
    /// Its members follow conditions.
    #[error("the audience is a segment; its members follow its conditions")]
    IsSegment,
}

impl Audience {
    /// The audience of these values, as they were stored.
    pub const fn from_stored(data: AudienceData) -> Self {
        Self(data)
    }

    /// Its values, to be stored or compared.
    pub fn into_data(self) -> AudienceData {
        self.0
    }

    /// An empty one that readers may see.
    pub fn new(
        id: AudienceId,
        (workspace, created_by): (WorkspaceId, UserId),
        name: AudienceName,
        source: Source,
        now: Instant,
    ) -> Self {
        Self(AudienceData {
            id,
            workspace,
            number: 0,
            name,
            tags: Tags::default(),
            icon: None,
            status: AudienceStatus::Active,
            kind: AudienceKind::Static,
            definition: Definition::default(),
            resource: false,
            unsubscribed: 0,
            source,
            visibility: Visibility::Ready,
            version: 1,
            epoch: Epoch(1),
            contacts: 0,
            created_by,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        })
    }

    /// It with these labels and this status from the beginning.
    #[must_use]
    pub fn labelled(mut self, tags: Tags, status: AudienceStatus) -> Self {
        (self.0.tags, self.0.status) = (tags, status);
        self
    }

    /// It with this picture from the beginning.
    #[must_use]
    pub fn with_icon(mut self, icon: Option<Icon>) -> Self {
        self.0.icon = icon;
        self
    }

    /// It as nobody sees it until what fills it has completed.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.0.visibility = Visibility::Creating;
        self
    }

    /// Takes the number that its workspace gives it.
    pub fn give_number(&mut self, number: i64) {
        self.0.number = number;
    }

    /// Takes the number of contacts that its content has now.
    pub fn count(&mut self, contacts: i64) {
        self.0.contacts = contacts;
    }

    /// Shows an empty content in place of the one that it has.
    pub fn empty(&mut self, content: Epoch, now: Instant) {
        (self.0.epoch, self.0.contacts, self.0.updated_at) = (content, 0, now);
    }

    /// Refuses changes to a dropped audience.
    ///
    /// # Errors
    /// [`ChangeError::Deleted`] when it is dropped.
    pub fn ensure_live(&self) -> Result<(), ChangeError> {
        if self.deleted_at.is_some() {
            Err(ChangeError::Deleted)
        } else {
            Ok(())
        }
    }

    /// Refuses to let a caller that may only change audiences of one source change others.
    ///
    /// # Errors
    /// [`ChangeError::NotApiManaged`] where `only_from` is another source than this audience's.
    pub fn ensure_from(&self, only_from: Option<Source>) -> Result<(), ChangeError> {
        match only_from {
            Some(source) if source != self.source => Err(ChangeError::NotApiManaged),
            _ => Ok(()),
        }
    }

    /// Refuses to let anybody write the members of an audience that has conditions.
    ///
    /// # Errors
    /// [`ChangeError::IsSegment`] when it has some.
    pub fn ensure_list(&self) -> Result<(), ChangeError> {
        match self.kind {
            AudienceKind::Static => Ok(()),
            AudienceKind::Dynamic => Err(ChangeError::IsSegment),
        }
    }

    /// It with these conditions from the beginning.
    #[must_use]
    pub fn defined(mut self, definition: Definition) -> Self {
        self.take(definition);
        self
    }

    /// Sets its conditions and when they are looked at. `false` where nothing changes.
    pub fn define(&mut self, definition: Definition, now: Instant) -> bool {
        let changes = definition != self.definition;
        if changes {
            self.take(definition);
            self.changed(now);
        }
        changes
    }

    fn take(&mut self, definition: Definition) {
        self.0.kind = match definition.is_segment() {
            true => AudienceKind::Dynamic,
            false => AudienceKind::Static,
        };
        self.0.definition = definition;
    }

    /// Sets its status. `false` where it has it.
    pub fn pass_to(&mut self, status: AudienceStatus, now: Instant) -> bool {
        let changes = status != self.status;
        if changes {
            self.0.status = status;
            self.changed(now);
        }
        changes
    }

    /// Takes what a refresh counted.
    pub fn refreshed(&mut self, unsubscribed: i64, now: Instant) {
        (self.0.unsubscribed, self.0.updated_at) = (unsubscribed, now);
    }

    /// Whether its members follow every change of customers.
    pub fn is_live(&self) -> bool {
        let live = matches!(self.definition.audience_type, AudienceType::Live { .. });
        live && self.definition.is_segment()
            && self.deleted_at.is_none()
            && self.is_visible()
            && self.status != AudienceStatus::Draft
    }

    /// Whether readers may see it, dropped or not.
    pub fn is_visible(&self) -> bool {
        self.visibility == Visibility::Ready
    }

    /// Sets what is given. `false` where nothing changes.
    pub fn describe(&mut self, change: AudienceChange, now: Instant) -> bool {
        let before = self.0.clone();
        let AudienceChange {
            name,
            tags,
            icon,
            status,
        } = change;
        self.0.name = name.unwrap_or_else(|| before.name.clone());
        self.0.tags = tags.unwrap_or_else(|| before.tags.clone());
        self.0.icon = icon.unwrap_or_else(|| before.icon.clone());
        self.0.status = status.unwrap_or(before.status);
        let changed = self.0 != before;
        if changed {
            self.changed(now);
        }
        changed
    }

    fn changed(&mut self, now: Instant) {
        self.0.version += 1;
        self.0.updated_at = now;
    }
}
