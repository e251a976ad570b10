//! The work of a refresh.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    audience::{Audience, AudienceStatus, RefreshCause},
    operation::{OperationKind, Progress, RefreshReport},
    segment::{Scope, SegmentQuery},
    shared::{AudienceId, Epoch, Instant},
};
use operations::{Job, Run};
use ports::{
    Clock, IdGenerator,
    contacts::{ContactStore, ContentKey, Order},
    segments::{Member, SegmentResolver},
    store::{AudienceQueries, AudienceStore, Content, Durability},
};
use serde::{Deserialize, Serialize};

use super::{
    Corrections, RefreshParams, SizeGuard,
    contact::account,
    members::{Known, Resolved, SHOWN},
};
use crate::{
    AppResult,
    audience::FindAudience,
    contact::{pages::WarmPages, write::Writer},
    events::Events,
    operation::{EndOperation, PlanPurge, PurgeParams},
    segment::ReadConditions,
};

/// Where a refresh stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshCheckpoint {
    /// The attempt that began the content. What an attempt that failed has begun is deleted.
    pub attempt: i32,
    /// The conditions that it is filled by.
    pub conditions: serde_json::Value,
    /// The present, as of the beginning.
    pub now: Option<Instant>,
    /// Whether somebody has confirmed that so many enter or leave: [`operations::CONFIRMED`].
    #[serde(default)]
    pub confirmed: bool,
    /// The content that is being filled, once there is one.
    pub epoch: Option<i64>,
    /// The request number of those who enter.
    pub request: i64,
    /// The last key that is stored.
    pub after: Option<String>,
    /// What was counted until there.
    pub counted: RefreshReport,
}

/// Resolves the members of segments.
pub(crate) struct RunRefresh {
    pub(crate) find: FindAudience,
    pub(crate) read: ReadConditions,
    pub(crate) resolver: Arc<dyn SegmentResolver>,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) events: Events,
    pub(crate) ends: EndOperation,
    pub(crate) purges: PlanPurge,
    pub(crate) warm: WarmPages,
    pub(crate) guard: SizeGuard,
    pub(crate) corrections: Corrections,
}

#[async_trait]
impl Job for RunRefresh {
    type Params = Option<RefreshParams>;
    type Checkpoint = RefreshCheckpoint;
    const KINDS: &'static [OperationKind] = &[OperationKind::Refresh];

    async fn run(&self, run: &mut Run, params: Option<RefreshParams>) -> AppResult<()> {
        let params = params.unwrap_or_default();
        let audience = self.find.of_operation(&run.operation).await?;
        let content = self.quiet(&audience).await?;
        let mut at = Self::reached(&run.operation)?;
        let attempt = run.operation.attempt;
        let conditions = audience.definition.conditions();
        if at.epoch.is_none() || at.attempt != attempt || at.conditions != conditions {
            let outdated = at.epoch.filter(|_| at.attempt == attempt);
            let now = self.present(&audience).await?;
            at = RefreshCheckpoint {
                attempt,
                conditions,
                now: Some(now),
                confirmed: at.confirmed && at.conditions == audience.definition.conditions(),
                ..RefreshCheckpoint::default()
            };
            let is_active = audience.status == AudienceStatus::Active;
            let mut total = None;
            // Where nobody has been a member, there is nothing to compare with.
            if is_active || content.contacts > 0 {
                // What has not changed is not written again, and what would change too much waits.
                let (found, differ) = self.compare(run, &audience, &content, now).await?;
                if params.cause == RefreshCause::Scheduled && self.follows(&audience).await? {
                    self.correct(&audience, &differ).await?;
                }
                let same = found.entered == 0 && found.left == 0 && found.changed == 0;
                if same && is_active && outdated.is_none() {
                    return self.unchanged(run, &content, &at, &params, found).await;
                }
                let guard = self.guard.with(params.guard_percent);
                if !at.confirmed && guard.refuses(content.contacts, found.size) {
                    return self.park(run, found, &at).await;
                }
                at.counted.bytes = found.bytes;
                total = Some(found.size);
            }
            self.begin(run, &audience, &mut at, outdated).await?;
            Self::save(run, Progress { done: 0, total }, None, &at).await?;
        }
        self.fill(run, &audience, &content, &mut at).await?;
        self.flip(run, audience, &content, &at, &params).await
    }
}

impl RunRefresh {
    /// The content that readers see. Changes of a live audience that are under way end before, and others wait
    /// until the refresh has ended.
    async fn quiet(&self, audience: &Audience) -> AppResult<Content> {
        let content = self.find.content_of(audience).await?;
        if !audience.is_live() {
            return Ok(content);
        }
        let held = self.writer.hold(content.key, Vec::new()).await?;
        self.writer.release(&held).await;
        self.find.content_of(audience).await
    }

    /// The present. A live audience is resolved as of when its changes were looked at last, so that what comes
    /// to pass later waits in the queue.
    async fn present(&self, audience: &Audience) -> AppResult<Instant> {
        let looked_until = match audience.is_live() {
            true => self.queries.looked_until(&audience.workspace).await?,
            false => None,
        };
        Ok(looked_until.unwrap_or_else(|| self.clock.now()))
    }

    pub(super) async fn resolved(&self, audience: &Audience, now: Instant) -> AppResult<Resolved> {
        let (workspace, definition) = (&audience.workspace, &audience.definition);
        let predicate = self.read.parse(workspace, definition).await?;
        let named = self.read.named(&audience.workspace, &predicate).await?;
        Ok(Resolved {
            resolver: Arc::clone(&self.resolver),
            read: self.read.clone(),
            query: SegmentQuery {
                workspace: audience.workspace.clone(),
                predicate,
                references: named.references.clone(),
                now,
                scope: Scope::All,
            },
            named,
            walk: None,
            after: None,
            last: None,
            ended: false,
        })
    }

    /// Whether every change of an audience's members is followed: those of customers elsewhere, of scores, of other
    /// audiences and of dates within events are found by a refresh.
    async fn follows(&self, audience: &Audience) -> AppResult<bool> {
        let workspace = &audience.workspace;
        if !audience.is_live() || self.queries.segment_source(workspace).await?.is_some() {
            return Ok(false);
        }
        let predicate = self.read.parse(workspace, &audience.definition).await?;
        let watch = predicate.watch();
        Ok(predicate.audiences().is_empty() && !watch.scores && !watch.sweeps)
    }

    /// Counts those of a live audience who should have entered or left before: nothing of them waits in the queue.
    async fn correct(&self, audience: &Audience, differ: &[String]) -> AppResult<()> {
        let keys: Vec<&str> = differ.iter().map(String::as_str).collect();
        let (workspace, id) = (&audience.workspace, audience.id);
        let waiting = self.queries.waiting(workspace, id, &keys).await?;
        let corrected = keys.iter().filter(|key| !waiting.contains(**key)).count();
        if corrected > 0 {
            tracing::error!(audience = %id, corrected, "a live audience had to be corrected");
        }
        self.corrections
            .add(u64::try_from(corrected).unwrap_or(u64::MAX));
        Ok(())
    }

    /// What a refresh would change, without storing anything, and the keys of those who would enter or leave, the
    /// first of them.
    async fn compare(
        &self,
        run: &mut Run,
        audience: &Audience,
        content: &Content,
        now: Instant,
    ) -> AppResult<(RefreshReport, Vec<String>)> {
        let mut resolved = self.resolved(audience, now).await?;
        let mut known = Known::new(Arc::clone(&self.contacts), content, None, None);
        let (mut counted, mut differ) = (RefreshReport::default(), Vec::new());
        loop {
            let batch = tokio::select! {
                stop = run.signals.stopped() => return Err(stop.into()),
                batch = resolved.next() => batch?,
            };
            if batch.is_empty() {
                break;
            }
            for member in &batch {
                let before = known.order_of(&member.key).await?;
                count(&mut counted, member, before);
                if before.is_none() && differ.len() < SHOWN {
                    differ.push(member.key.clone());
                }
            }
        }
        known.leave_rest().await?;
        counted.left = known.left;
        account(&mut counted, resolved.read());
        differ.append(&mut known.gone);
        Ok((counted, differ))
    }

    /// Makes the content that is filled, in place of one by conditions that are no longer those.
    async fn begin(
        &self,
        run: &Run,
        audience: &Audience,
        at: &mut RefreshCheckpoint,
        outdated: Option<i64>,
    ) -> AppResult<()> {
        let mut uow = self.store.begin(Durability::Full).await?;
        let content = uow.contents().add(audience.id).await?;
        at.request = uow.contents().take_requests(content.key, 1).await?;
        uow.memberships().discard_unseen(audience.id).await?;
        at.epoch = Some(content.key.epoch.0);
        if let Some(epoch) = outdated {
            let outdated = PurgeParams::content(audience.id, Epoch(epoch));
            let now = self.clock.now();
            self.purges
                .plan_after(uow.as_mut(), &run.operation, outdated, now)
                .await?;
        }
        Ok(uow.commit().await?)
    }
}

/// The content that is being filled.
pub(super) fn filled(audience: AudienceId, at: &RefreshCheckpoint) -> ContentKey {
    ContentKey {
        audience,
        epoch: Epoch(at.epoch.unwrap_or_default()),
    }
}

/// The version of a customer, as an order of acceptance has it.
pub(crate) fn version(member: &Member) -> u32 {
    u32::try_from(member.version & i64::from(u32::MAX)).unwrap_or_default()
}

/// Counts a member.
pub(super) fn count(counted: &mut RefreshReport, member: &Member, before: Option<Order>) {
    counted.size += 1;
    counted.unsubscribed += i64::from(member.unsubscribed);
    match before {
        None => counted.entered += 1,
        Some(order) if order != Order::new(order.request(), version(member)) => {
            counted.changed += 1
        }
        Some(_) => {}
    }
}
