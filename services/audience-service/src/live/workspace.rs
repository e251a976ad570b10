//! One look at a workspace.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::TimeDelta;
use domain::shared::{AudienceId, Instant, WorkspaceId};
use futures::{StreamExt, stream};
use ports::{
    crash,
    store::{Durability, QueuedChange},
};

use super::{
    FollowChanges,
    difference::Outcome,
    people::People,
    plan::{Plan, Planned, Standing},
};
use crate::AppResult;

/// How long a process has a workspace to itself.
const LEASE_SECONDS: u32 = 10;
/// Changes that are taken off the queue at a time.
const BATCH: i64 = 5_000;
/// When an audience is looked at again that could not be.
const REST: TimeDelta = TimeDelta::seconds(5);
/// Audiences that are looked at at a time.
const AT_ONCE: usize = 8;
/// Batches in one look, after which other workspaces have their turn.
const BATCHES: usize = 20;

impl FollowChanges {
    /// Moves the workspace's instant on to now, and looks at whom that concerns and who has changed.
    pub(super) async fn follow(&self, workspace: &WorkspaceId) -> AppResult<()> {
        let audiences = self.queries.live_audiences(workspace).await?;
        if audiences.is_empty() {
            let mut uow = self.store.begin(Durability::Full).await?;
            if uow.live().end(workspace).await? {
                uow.commit().await?;
            }
            return Ok(());
        }
        let mut plan = self.plan(workspace, audiences).await?;
        if self.queries.segment_source(workspace).await?.is_some() {
            // Their customers are elsewhere: what changes here concerns none of them.
            self.ask_outside(&plan).await?;
            plan.audiences.clear();
        }
        let Some(now) = self.advance(workspace, &plan).await? else {
            return Ok(());
        };
        self.resolve_anew(&plan).await?;
        for _ in 0..BATCHES {
            if !self.batch(workspace, &plan, now).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The instant as of which members are looked at; `None` where another process has the workspace, or its
    /// audiences have changed meanwhile.
    async fn advance(&self, workspace: &WorkspaceId, plan: &Plan) -> AppResult<Option<Instant>> {
        let (now, edges) = (self.now(), plan.edges());
        let mut uow = self.store.begin(Durability::Derived).await?;
        let mut live = uow.live();
        if !live.claim(workspace, &self.owner, LEASE_SECONDS).await? {
            return Ok(None);
        }
        live.watch_dates(workspace, &Plan::dates(&edges)).await?;
        let advanced = live.advance(workspace, now, &plan.of, &edges).await?;
        drop(live);
        uow.commit().await?;
        crash::point("live.advanced");
        Ok(advanced)
    }

    /// Looks at the oldest of the queue; `false` where there is no more.
    async fn batch(&self, workspace: &WorkspaceId, plan: &Plan, now: Instant) -> AppResult<bool> {
        let all = self.queries.queued(workspace, None, BATCH).await?;
        let deferred = self.queries.deferred(workspace).await?;
        let deferred: BTreeSet<AudienceId> = deferred.into_iter().collect();
        let keys = all.iter().map(|change| change.key.as_str()).collect();
        let people = People::of(Arc::clone(&self.queries), workspace, &keys).await?;
        let looks = plan.audiences.iter().map(|planned| {
            let has_own = deferred.contains(&planned.audience.id);
            self.look(planned, (concerning(planned, &all), &people), has_own, now)
        });
        let looks: Vec<_> = looks.collect();
        // Each waits for the stores most of the time. All to their end, also beside one that fails.
        let looks: Vec<AppResult<Looked>> = stream::iter(looks)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut looked_at: Vec<i64> = all.iter().map(|change| change.id).collect();
        let mut more = looked_at.len() as i64 == BATCH;
        let mut later: BTreeMap<AudienceId, BTreeSet<String>> = BTreeMap::new();
        for look in looks {
            let look = look?;
            more |= look.own.len() as i64 == BATCH;
            looked_at.extend(look.own);
            if !look.later.is_empty() {
                later.insert(look.audience, look.later);
            }
        }
        if looked_at.is_empty() {
            return Ok(false);
        }
        crash::point("live.applied");
        let mut uow = self.store.begin(Durability::Derived).await?;
        let mut live = uow.live();
        for (audience, keys) in &later {
            live.defer(workspace, *audience, keys).await?;
        }
        live.looked_at(workspace, &looked_at).await?;
        live.renew(workspace, &self.owner, LEASE_SECONDS).await?;
        drop(live);
        uow.commit().await?;
        Ok(more)
    }

    /// Looks at an audience for keys whose changes may matter to it, and for those that wait for it alone.
    async fn look(
        &self,
        planned: &Planned,
        (mut keys, people): (BTreeSet<String>, &People),
        has_own: bool,
        now: Instant,
    ) -> AppResult<Looked> {
        let id = planned.audience.id;
        let mut looked = Looked {
            audience: id,
            own: Vec::new(),
            later: BTreeSet::new(),
        };
        if keys.is_empty() && !has_own {
            return Ok(looked);
        }
        if self.is_resting(id) {
            looked.later = keys;
            return Ok(looked);
        }
        match self.standing(&planned.audience).await? {
            Standing::Waits => {
                looked.later = keys;
                return Ok(looked);
            }
            Standing::Failed => return Ok(looked),
            Standing::Follows => {}
        }
        let applied = if has_own {
            let workspace = &planned.audience.workspace;
            let own = self.queries.queued(workspace, Some(id), BATCH).await?;
            looked.own = own.iter().map(|change| change.id).collect();
            keys.extend(own.into_iter().map(|change| change.key));
            let all = keys.iter().map(String::as_str).collect();
            let people = People::of(Arc::clone(&self.queries), workspace, &all).await?;
            self.apply(planned, &keys, &people, now).await
        } else {
            self.apply(planned, &keys, people, now).await
        };
        if let Err(error) = &applied {
            // The others go on.
            tracing::warn!(%error, audience = %id, "a live audience is behind");
            self.rest(id);
        }
        if !matches!(applied, Ok(Outcome::Done)) {
            looked.later = keys;
        }
        Ok(looked)
    }
}

/// What came of a look at an audience.
struct Looked {
    audience: AudienceId,
    /// Numbers of what waited for it alone.
    own: Vec<i64>,
    /// The keys that wait until it can be looked at.
    later: BTreeSet<String>,
}

impl FollowChanges {
    fn is_resting(&self, id: AudienceId) -> bool {
        let resting = self.resting.lock().unwrap_or_else(|e| e.into_inner());
        resting.get(&id).is_some_and(|until| self.now() < *until)
    }

    fn rest(&self, id: AudienceId) {
        let mut resting = self.resting.lock().unwrap_or_else(|e| e.into_inner());
        let now = self.now();
        resting.retain(|_, until| now < *until);
        resting.insert(id, now + REST);
    }
}

/// The keys whose changes may matter to an audience.
fn concerning(planned: &Planned, changes: &[QueuedChange]) -> BTreeSet<String> {
    let seen = |change: &&QueuedChange| planned.watch.sees(&change.change);
    let changes = changes.iter().filter(seen);
    changes.map(|change| change.key.clone()).collect()
}
