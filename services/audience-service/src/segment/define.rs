//! Changing the conditions of an audience.

use domain::{
    audience::{Audience, AudienceChange, AudienceStatus, Definition},
    shared::AudienceId,
};

use super::{
    RefreshAudience,
    conditions::{ReadConditions, is_incomplete},
};
use crate::{
    Actor, AppError, AppResult, RequestId,
    audience::{ChangeAudience, FindAudience},
    operation::Accepted,
};

/// An audience whose conditions were set.
#[derive(Debug)]
pub struct Defined {
    /// The audience.
    pub audience: Audience,
    /// The refresh that follows from it, where there is one.
    pub refresh: Option<Accepted>,
}

/// Changes conditions.
#[derive(Clone)]
pub struct DefineSegment {
    pub(crate) find: FindAudience,
    pub(crate) change: ChangeAudience,
    pub(crate) read: ReadConditions,
    pub(crate) refresh: RefreshAudience,
}

impl DefineSegment {
    /// Refuses conditions that are not right. Those of a draft may be incomplete.
    ///
    /// # Errors
    /// `Invalid` with every rule that they break.
    pub async fn check(
        &self,
        actor: &Actor,
        of: Option<AudienceId>,
        definition: &Definition,
        status: AudienceStatus,
    ) -> AppResult<()> {
        if !definition.is_segment() {
            return Ok(());
        }
        match self.read.parse(&actor.workspace, definition).await {
            Err(AppError::Invalid(wrong))
                if status == AudienceStatus::Draft && is_incomplete(&wrong) => {}
            read => drop(read?),
        }
        let read = &self.read;
        read.ensure_sound(&actor.workspace, of, definition).await
    }

    /// Sets the conditions of an audience. What is active is resolved anew.
    ///
    /// # Errors
    /// `NotFound`; `Invalid`; `PreconditionFailed`; `Conflict` where contacts are stored, or it is in use.
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        if_version: Option<i64>,
        definition: Definition,
    ) -> AppResult<Defined> {
        let rest = AudienceChange::default();
        self.with(actor, request_id, id, if_version, rest, definition)
            .await
    }

    /// As [`Self::execute`], together with what else is to change.
    ///
    /// # Errors
    /// `NotFound`; `Invalid`; `PreconditionFailed`; `Conflict` where contacts are stored, it is in use, or its
    /// name is taken.
    #[tracing::instrument(name = "segment.define", skip_all)]
    pub async fn with(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        if_version: Option<i64>,
        change: AudienceChange,
        definition: Definition,
    ) -> AppResult<Defined> {
        let known = self.find.visible(actor, id).await?;
        let from_contacts = !known.definition.is_segment() && known.contacts > 0;
        if from_contacts && definition.is_segment() {
            let detail = "the audience has contacts of its own; clear it first";
            return Err(AppError::conflict("audience_has_contacts", detail));
        }
        let status = change.status.unwrap_or(known.status);
        self.check(actor, Some(id), &definition, status).await?;
        let before = known.definition.clone();
        let changed = self
            .change
            .define(actor, id, if_version, change, definition)
            .await?;
        let active = changed.status != AudienceStatus::Draft;
        let resolves = active && changed.definition.is_segment();
        let anew = resolves && changed.definition != before;
        let refresh = match anew {
            true => Some(self.refresh.requested(actor, request_id, id).await?),
            false => None,
        };
        Ok(Defined {
            audience: changed,
            refresh,
        })
    }

    /// Makes an audience active, or a draft again. A segment that becomes active is resolved first.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` where conditions are incomplete; `Conflict` where one that is in use becomes a draft.
    #[tracing::instrument(name = "segment.publish", skip_all)]
    pub async fn publish(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        status: AudienceStatus,
    ) -> AppResult<Defined> {
        let known = self.find.visible(actor, id).await?;
        let activates = status == AudienceStatus::Active;
        let segment = known.definition.is_segment();
        if activates && segment {
            self.check(actor, Some(id), &known.definition, status)
                .await?;
        }
        let resolves = activates && segment && known.status != AudienceStatus::Active;
        let next = match resolves {
            true => AudienceStatus::InProgress,
            false => status,
        };
        let audience = self.change.pass(actor, id, next).await?;
        let refresh = match resolves {
            true => Some(self.refresh.requested(actor, request_id, id).await?),
            false => None,
        };
        Ok(Defined { audience, refresh })
    }
}
