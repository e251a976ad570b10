//! Showing what a refresh has resolved.

use domain::{
    audience::{Audience, AudienceStatus, Refreshed},
    operation::{OperationResult, RefreshReport, Report, SIZE_GUARD},
};
use kernel::payload;
use operations::{Ending, Run};
use ports::{
    StoreError,
    contacts::ContentKey,
    crash,
    store::{Content, Durability, REFRESHES_KEPT_FOR, UnitOfWork},
};

use super::{
    RefreshParams, outrun,
    run::{RefreshCheckpoint, RunRefresh, filled},
};
use crate::{AppError, AppResult, operation::PurgeParams};

impl RunRefresh {
    /// Shows the new content, with everything that follows from it, in one transaction.
    pub(super) async fn flip(
        &self,
        run: &mut Run,
        audience: Audience,
        content: &Content,
        at: &RefreshCheckpoint,
        params: &RefreshParams,
    ) -> AppResult<()> {
        crash::point("refresh.before_flip");
        let (now, key) = (self.clock.now(), filled(audience.id, at));
        let mut uow = self.store.begin(Durability::Full).await?;
        let filled = uow.contents().get(key).await?;
        let filled = filled.ok_or(StoreError::Corrupt("the content of a refresh"))?;
        let size = at.counted.size - filled.contacts;
        uow.contents()
            .set_active(key, &[], size, filled.revision, now)
            .await?;
        let from = content.key.epoch;
        uow.audiences()
            .flip_epoch(audience.id, from, key.epoch, now)
            .await
            .map_err(outrun)?;
        let until = now + REFRESHES_KEPT_FOR;
        let old = PurgeParams::content(audience.id, from);
        self.purges
            .plan_after(uow.as_mut(), &run.operation, old, until)
            .await?;
        let refreshed = self.refreshed(run, key, at, params, at.counted);
        self.end(uow, run, at, (refreshed, at.counted)).await?;
        crash::point("refresh.flipped");
        self.warm.warm(&run.operation.workspace, audience.id).await;
        Ok(())
    }

    /// Ends a refresh that has nothing to write.
    pub(super) async fn unchanged(
        &self,
        run: &mut Run,
        content: &Content,
        at: &RefreshCheckpoint,
        params: &RefreshParams,
        found: RefreshReport,
    ) -> AppResult<()> {
        let mut uow = self.store.begin(Durability::Full).await?;
        let request = uow.contents().take_requests(content.key, 1).await?;
        let refreshed = Refreshed {
            request,
            ..self.refreshed(run, content.key, at, params, found)
        };
        self.end(uow, run, at, (refreshed, found)).await
    }

    /// Waits until somebody confirms that so many enter or leave; readers see what they saw.
    pub(super) async fn park(
        &self,
        run: &mut Run,
        found: RefreshReport,
        at: &RefreshCheckpoint,
    ) -> AppResult<()> {
        tracing::warn!(
            operation = %run.operation.id, size = found.size, entered = found.entered,
            left = found.left, "the refresh waits to be confirmed: its size changes too much"
        );
        let checkpoint = payload::encode(at)?;
        run.park(SIZE_GUARD, Report::Refresh(found), checkpoint)
            .await
    }

    fn refreshed(
        &self,
        run: &Run,
        key: ContentKey,
        at: &RefreshCheckpoint,
        params: &RefreshParams,
        counted: RefreshReport,
    ) -> Refreshed {
        let now = self.clock.now();
        Refreshed {
            audience: key.audience,
            request: at.request,
            operation: Some(run.operation.id),
            cause: params.cause,
            epoch: key.epoch,
            began_at: run.operation.started_at.unwrap_or(now),
            shown_at: now,
            size: counted.size,
            entered: counted.entered,
            left: counted.left,
            changed: counted.changed,
            bytes: Some(counted.bytes).filter(|bytes| *bytes > 0),
        }
    }

    /// Makes the audience active, notes and tells of the refresh, and ends it.
    async fn end(
        &self,
        mut uow: Box<dyn UnitOfWork>,
        run: &mut Run,
        at: &RefreshCheckpoint,
        (refreshed, report): (Refreshed, RefreshReport),
    ) -> AppResult<()> {
        let id = run.operation.audience.ok_or(AppError::NotFound)?;
        let workspace = &run.operation.workspace;
        let audience = uow.audiences().get(workspace, id).await?;
        let mut audience = audience.ok_or(AppError::NotFound)?;
        if audience.definition.conditions() != at.conditions {
            // Whoever changed them shares this run, and it begins anew.
            return Err(outrun(StoreError::StaleVersion));
        }
        let (version, now) = (audience.version, self.clock.now());
        if audience.status != AudienceStatus::Draft {
            audience.pass_to(AudienceStatus::Active, now);
        }
        audience.refreshed(report.unsubscribed, now);
        uow.audiences()
            .save(&audience, version)
            .await
            .map_err(outrun)?;
        uow.memberships().note(&refreshed).await?;
        let event = self
            .events
            .audience_refreshed(&audience, run.operation.id, &report)?;
        self.events.emit(uow.as_mut(), event).await?;
        let ending = Ending::succeeded(Report::Refresh(report), OperationResult::Complete);
        self.ends.with(uow, run, &ending).await
    }
}
