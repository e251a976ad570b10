//! What a new audience is.

use std::sync::Arc;

use domain::{
    audience::{Audience, AudienceStatus, Source, Tags},
    shared::{AudienceId, AudienceName},
};
use ports::{Clock, IdGenerator};

use crate::Actor;

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
        let id = AudienceId::from_raw(self.ids.next());
        let owner = (actor.workspace.clone(), actor.user.clone());
        Audience::new(id, owner, name, source, self.clock.now()).labelled(tags, status)
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
        let like = self.ready(actor, name, tags, status, made_by);
        like.with_icon(source.icon.clone()).hidden()
    }
}
