//! Changing what describes an audience; dropping and restoring it.

use domain::{
    audience::{Audience, AudienceChange, AudienceStatus, Definition, Source},
    shared::{AudienceId, Instant},
};
use ports::{
    Clock, StoreError,
    store::{AudienceStore, Durability, UnitOfWork},
};
use std::{collections::BTreeSet, sync::Arc};

use super::{Look, ensure_sound, ensure_unused};
use crate::{Actor, AppError, AppResult, events::Events};

/// Most tries of a change that others are quicker with.
const TRIES: u32 = 5;

/// What a change asks of the stored audience before it is made.
type Check<'a> = &'a (dyn Fn(&Audience) -> AppResult<()> + Sync);

/// Changes what describes audiences, drops and restores them.
#[derive(Clone)]
pub struct ChangeAudience {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Events,
}

impl ChangeAudience {
    /// Changes what describes an audience. With `if_version`, only that version.
    ///
    /// # Errors
    /// `NotFound`; `PreconditionFailed`; `Conflict` with `name_taken`, `audience_deleted`, or `audience_in_use`
    /// where it becomes a draft.
    #[tracing::instrument(name = "audience.change", skip_all)]
    pub async fn change(
        &self,
        actor: &Actor,
        id: AudienceId,
        if_version: Option<i64>,
        change: AudienceChange,
    ) -> AppResult<Audience> {
        let check = |a: &Audience| {
            at_version(a, if_version)?;
            Ok(a.ensure_live()?)
        };
        self.update_audience(actor, id, &check, |a, now| a.describe(change.clone(), now))
            .await
    }

    /// Sets conditions, and what describes the audience, of that version. What conditions name is live, and
    /// stays so until they are stored.
    pub(crate) async fn define(
        &self,
        actor: &Actor,
        id: AudienceId,
        if_version: Option<i64>,
        change: AudienceChange,
        definition: Definition,
    ) -> AppResult<Audience> {
        let check = |a: &Audience| {
            at_version(a, if_version)?;
            Ok(a.ensure_live()?)
        };
        self.update_audience(actor, id, &check, |a, now| {
            let described = a.describe(change.clone(), now);
            a.define(definition.clone(), now) || described
        })
        .await
    }

    /// Sets the status.
    pub(crate) async fn pass(
        &self,
        actor: &Actor,
        id: AudienceId,
        status: AudienceStatus,
    ) -> AppResult<Audience> {
        let check = |a: &Audience| Ok(a.ensure_live()?);
        self.update_audience(actor, id, &check, |a, now| a.pass_to(status, now))
            .await
    }

    /// Drops an audience: it stays readable and can be restored. Again: no change.
    ///
    /// # Errors
    /// `NotFound`; `PreconditionFailed`; `Forbidden` when `only_from` is another source; `Conflict` with
    /// `audience_in_use`.
    #[tracing::instrument(name = "audience.drop", skip_all)]
    pub async fn drop(
        &self,
        actor: &Actor,
        id: AudienceId,
        if_version: Option<i64>,
        only_from: Option<Source>,
    ) -> AppResult<Audience> {
        let check = |a: &Audience| {
            a.ensure_from(only_from)?;
            at_version(a, if_version)
        };
        self.update_audience(actor, id, &check, Audience::drop_at)
            .await
    }

    /// Drops audiences that are not dropped yet: all of them, or none. They may use each other.
    ///
    /// # Errors
    /// `NotFound` where one is not there, or is dropped; `Conflict` with `audience_in_use`.
    #[tracing::instrument(name = "audience.drop_all", skip_all)]
    pub async fn drop_all(&self, actor: &Actor, ids: &[AudienceId]) -> AppResult<Vec<Audience>> {
        let check = |a: &Audience| match a.deleted_at {
            None => Ok(()),
            Some(_) => Err(AppError::NotFound),
        };
        let distinct: BTreeSet<AudienceId> = ids.iter().copied().collect();
        let mut uow = self.store.begin(Durability::Full).await?;
        let mut dropped = Vec::with_capacity(distinct.len());
        for id in distinct {
            let drop = Audience::drop_at;
            let (audience, _) = self
                .update_in(uow.as_mut(), actor, id, &check, &drop)
                .await?;
            dropped.push(audience);
        }
        let ids: Vec<AudienceId> = dropped.iter().map(|audience| audience.id).collect();
        ensure_unused(uow.as_mut(), &actor.workspace, &ids).await?;
        uow.commit().await?;
        self.events.sent();
        Ok(dropped)
    }

    /// Brings a dropped audience back. Again: no change.
    ///
    /// # Errors
    /// `NotFound`; `PreconditionFailed`; `Forbidden` as in dropping; `Conflict` with `name_taken` when its name was given away.
    #[tracing::instrument(name = "audience.restore", skip_all)]
    pub async fn restore(
        &self,
        actor: &Actor,
        id: AudienceId,
        only_from: Option<Source>,
    ) -> AppResult<Audience> {
        let check = |a: &Audience| Ok(a.ensure_from(only_from)?);
        self.update_audience(actor, id, &check, Audience::restore)
            .await
    }

    /// Changes an audience, again when somebody else did so meanwhile: which version it may be says
    /// `check`. `change` tells whether it changed anything.
    async fn update_audience(
        &self,
        actor: &Actor,
        id: AudienceId,
        check: Check<'_>,
        change: impl Fn(&mut Audience, Instant) -> bool + Send + Sync,
    ) -> AppResult<Audience> {
        for _ in 1..TRIES {
            match self.update_once(actor, id, check, &change).await {
                Err(AppError::Store(StoreError::StaleVersion)) => {}
                ended => return ended,
            }
        }
        self.update_once(actor, id, check, &change).await
    }

    /// Reads, checks, changes and saves in one unit of work.
    async fn update_once(
        &self,
        actor: &Actor,
        id: AudienceId,
        check: Check<'_>,
        change: &(impl Fn(&mut Audience, Instant) -> bool + Send + Sync),
    ) -> AppResult<Audience> {
        let mut uow = self.store.begin(Durability::Full).await?;
        let (changed, withdrawn) = self
            .update_in(uow.as_mut(), actor, id, check, change)
            .await?;
        if withdrawn {
            ensure_unused(uow.as_mut(), &actor.workspace, &[id]).await?;
        }
        uow.commit().await?;
        self.events.sent();
        Ok(changed)
    }

    /// As [`Self::update_once`], in a unit of work that may do more. Answers also whether the audience is taken
    /// from those who use it.
    async fn update_in(
        &self,
        uow: &mut dyn UnitOfWork,
        actor: &Actor,
        id: AudienceId,
        check: Check<'_>,
        change: &(impl Fn(&mut Audience, Instant) -> bool + Send + Sync),
    ) -> AppResult<(Audience, bool)> {
        let before = ready(uow, actor, id).await?;
        check(&before)?;
        let mut audience = before.clone();
        if !change(&mut audience, self.clock.now()) {
            return Ok((audience, false));
        }
        uow.audiences().save(&audience, before.version).await?;
        if audience.definition != before.definition {
            let look = Look::Held(&mut *uow);
            ensure_sound(look, &actor.workspace, Some(id), &audience.definition).await?;
        }
        let was_deleted = before.deleted_at.is_some();
        let event = match (was_deleted, audience.deleted_at.is_some()) {
            (false, true) => self.events.audience_dropped(&audience, &actor.user)?,
            (true, false) => self.events.audience_restored(&audience, &actor.user)?,
            _ => self.events.audience_updated(&audience, &actor.user)?,
        };
        self.events.emit(uow, event).await?;
        let withdrawn = audience.is_withdrawn_since(&before);
        Ok((audience, withdrawn))
    }
}

/// The audience, if readers may see it, as of this transaction.
pub(crate) async fn ready(
    uow: &mut dyn UnitOfWork,
    actor: &Actor,
    id: AudienceId,
) -> AppResult<Audience> {
    let found = uow.audiences().get(&actor.workspace, id).await?;
    found.filter(Audience::is_visible).ok_or(AppError::NotFound)
}

fn at_version(audience: &Audience, if_version: Option<i64>) -> AppResult<()> {
    match if_version {
        Some(version) if version != audience.version => Err(AppError::PreconditionFailed),
        _ => Ok(()),
    }
}
