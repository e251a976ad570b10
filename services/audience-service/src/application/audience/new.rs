//! What a new audience is.

use std::sync::Arc;

use domain::{
    audience::{Audience, AudienceKind, AudienceStatus, Source, Tags, Visibility},
    shared::{AudienceId, AudienceName, Epoch},
};
use ports::{Clock, IdGenerator};

use crate::application::Actor;

/// Makes audiences that are not stored yet.
#[derive(Clone)]
pub struct NewAudiences {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

impl NewAudiences {
    /// An empty one that readers may see.
    pub(crate) fn ready(
        &self,
        actor: &Actor,
        name: AudienceName,
        tags: Tags,
        status: AudienceStatus,
        source: Source,
    ) -> Audience {
        let now = self.clock.now();
        Audience {
            id: AudienceId::from_raw(self.ids.next()),
            workspace: actor.workspace.clone(),
            name,
            tags,
            status,
            kind: AudienceKind::Static,
            source,
            visibility: Visibility::Ready,
            version: 1,
            epoch: Epoch(1),
            contacts: 0,
            created_by: actor.user.clone(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// One like `source` that nobody sees until an operation completes it.
    pub(crate) fn hidden(
        &self,
        actor: &Actor,
        source: &Audience,
        name: AudienceName,
        made_by: Source,
    ) -> Audience {
        let (tags, status) = (source.tags.clone(), source.status);
        let new = self.ready(actor, name, tags, status, made_by);
        Audience {
            visibility: Visibility::Creating,
            ..new
        }
    }
}
