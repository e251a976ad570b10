//! Refreshes that start by themselves.

use std::{sync::Arc, time::Duration};

use audience_service::{Actor, segment::SizeGuard};
use contract_tests::requests::ManualClock;
use domain::{
    audience::{AudienceStatus, AudienceType, Definition},
    operation::{Operation, OperationKind, OperationState},
    shared::{AudienceId, Instant},
};
use ports::{Clock, store::OperationFilter};
use serde_json::{Value, json};

use crate::{full::Disk, membership::live_in, rig::Rig};

const HOUR: Duration = Duration::from_hours(1);

/// A rig whose time begins at eight in the morning, in UTC, and passes as the test wants.
struct Scheduled {
    rig: Rig,
    clock: Arc<ManualClock>,
    disk: Disk,
}

impl Scheduled {
    async fn new() -> Self {
        Self::with(SizeGuard::default()).await
    }

    async fn with(guard: SizeGuard) -> Self {
        let (clock, disk) = (Arc::new(ManualClock::default()), Disk::with_room());
        let rig = Rig::with(|ports| {
            ports.clock = Arc::<ManualClock>::clone(&clock);
            ports.guard = guard;
            disk.is_under(ports);
        });
        let rig = rig.await;
        live_in(&rig, &[("A1", "Recife")]).await;
        Self { rig, clock, disk }
    }

    /// An active audience of who is in Recife, resolved for the first time.
    async fn published(&self, audience_type: Value) -> AudienceId {
        let rig = &self.rig;
        let id = rig.create("Segment", &[]).await;
        self.pass(id, AudienceStatus::Draft).await;
        self.define(id, audience_type).await;
        assert_eq!(self.next(id).await, None, "a draft");
        self.pass(id, AudienceStatus::Active).await;
        rig.work().await;
        assert_eq!(rig.members(id).await, ["A1"]);
        id
    }

    async fn pass(&self, id: AudienceId, status: AudienceStatus) {
        let (rig, define) = (&self.rig, &self.rig.app.segments.define);
        define
            .publish(&rig.actor(), rig.request_id(), id, status)
            .await
            .unwrap();
    }

    async fn next(&self, id: AudienceId) -> Option<Instant> {
        let workspace = self.rig.actor().workspace;
        let next = self.rig.ports.queries.next_refresh(&workspace, id);
        next.await.unwrap()
    }

    /// One look for what is due.
    async fn round(&self) -> usize {
        self.rig.app.upkeep.refreshes.execute().await.unwrap()
    }

    /// Refreshes that a schedule asked for.
    async fn started(&self) -> Vec<Operation> {
        let filter = OperationFilter {
            kind: Some(OperationKind::Refresh),
            limit: 100,
            ..OperationFilter::default()
        };
        let find = &self.rig.app.operations.find;
        let (mut all, _) = find.list(&self.rig.actor(), filter).await.unwrap();
        all.retain(|operation| operation.created_by.as_str() == "schedule");
        all
    }

    async fn define(&self, id: AudienceId, audience_type: Value) {
        let (rig, define) = (&self.rig, &self.rig.app.segments.define);
        define
            .execute(&rig.actor(), rig.request_id(), id, None, of(audience_type))
            .await
            .unwrap();
    }
}

fn of(audience_type: Value) -> Definition {
    let condition =
        json!({"kind": "property", "field": "city", "operator": "equals", "value": "Recife"});
    Definition {
        groups: vec![json!({ "conditions": [condition] })],
        audience_type: AudienceType::parse(&audience_type, "").unwrap(),
        ..Definition::default()
    }
}

fn cron(expression: &str) -> Value {
    json!({"type": "scheduled", "cron": expression, "timezone": "UTC"})
}

fn at(text: &str) -> Option<Instant> {
    Some(text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_starts_once_when_its_time_has_come() {
    let on = Scheduled::new().await;
    let id = on.published(cron("0 9 * * *")).await;
    assert_eq!(on.next(id).await, at("2027-01-15T09:00:00Z"));
    assert_eq!(on.round().await, 0, "not yet");
    on.clock.advance(HOUR);
    assert_eq!((on.round().await, on.round().await), (1, 0));
    on.rig.work().await;
    let started = on.started().await;
    assert_eq!(started.len(), 1);
    let Operation {
        state, audience, ..
    } = &started[0];
    assert_eq!((*state, *audience), (OperationState::Succeeded, Some(id)));
    assert_eq!(on.next(id).await, at("2027-01-16T09:00:00Z"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_workers_one_starts_it() {
    let on = Scheduled::new().await;
    on.published(cron("0 9 * * *")).await;
    on.clock.advance(HOUR);
    let other = on.rig.elsewhere();
    let (one, two) = tokio::join!(
        on.rig.app.upkeep.refreshes.execute(),
        other.upkeep.refreshes.execute()
    );
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(on.started().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_in_a_day_is_one_refresh() {
    let on = Scheduled::new().await;
    let id = on.published(cron("0 * * * *")).await;
    on.clock.advance(24 * HOUR);
    assert_eq!((on.round().await, on.round().await), (1, 0));
    assert_eq!(on.started().await.len(), 1);
    assert_eq!(on.next(id).await, at("2027-01-16T09:00:00Z"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dropped_or_a_draft_has_no_next_refresh() {
    let on = Scheduled::new().await;
    let id = on.published(cron("0 9 * * *")).await;
    let (actor, change) = (on.rig.actor(), &on.rig.app.change);
    change.drop(&actor, id, None, None).await.unwrap();
    assert_eq!(on.next(id).await, None);
    on.clock.advance(2 * HOUR);
    assert_eq!(on.round().await, 0);
    change.restore(&actor, id, None).await.unwrap();
    assert_eq!(on.next(id).await, at("2027-01-16T09:00:00Z"));
    on.pass(id, AudienceStatus::Draft).await;
    assert_eq!(on.next(id).await, None);
    assert_eq!(on.started().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_times_move_the_next_refresh() {
    let on = Scheduled::new().await;
    let id = on.published(cron("0 9 * * *")).await;
    on.define(id, cron("30 11 * * *")).await;
    assert_eq!(on.next(id).await, at("2027-01-15T11:30:00Z"));
    let live = json!({"type": "live"});
    on.define(id, live).await;
    let night = at("2027-01-16T06:00:00Z")..at("2027-01-16T07:00:00Z");
    let next = on.next(id).await;
    assert!(night.contains(&next), "{next:?}");
    on.define(id, json!({"type": "static"})).await;
    assert_eq!(on.next(id).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_is_under_way_is_the_one() {
    let on = Scheduled::new().await;
    let id = on.published(cron("0 9 * * *")).await;
    let actor: Actor = on.rig.actor();
    let refresh = &on.rig.app.segments.refresh;
    let asked = refresh.requested(&actor, on.rig.request_id(), id).await;
    on.clock.advance(HOUR);
    assert_eq!(on.round().await, 1);
    assert_eq!(on.started().await, []);
    assert_eq!(on.next(id).await, at("2027-01-16T09:00:00Z"));
    on.rig.work().await;
    let ended = on.rig.operation(asked.unwrap().operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_waits_to_be_confirmed_looks_again() {
    let on = Scheduled::with(SizeGuard {
        from: 0,
        percent: 50,
    });
    let on = on.await;
    let id = on.published(cron("0 9 * * *")).await;
    live_in(&on.rig, &[("B1", "Recife")]).await;
    on.clock.advance(HOUR);
    assert_eq!(on.round().await, 1);
    on.rig.work().await;
    let waiting = on.started().await.remove(0);
    assert_eq!(waiting.state, OperationState::Waiting);
    live_in(&on.rig, &[("B1", "Natal")]).await;
    on.clock.advance(24 * HOUR);
    assert_eq!(on.round().await, 1);
    on.rig.work().await;
    let all = on.started().await;
    assert_eq!((all.len(), all[0].id), (1, waiting.id));
    assert_eq!(all[0].state, OperationState::Succeeded);
    assert_eq!(on.rig.members(id).await, ["A1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_started_is_tried_again() {
    let on = Scheduled::new().await;
    let id = on.published(cron("0 9 * * *")).await;
    on.clock.advance(HOUR);
    on.disk.refuse_one();
    assert_eq!(on.round().await, 0);
    let again = on.clock.now() + Duration::from_secs(60);
    assert_eq!(on.next(id).await, Some(again));
    on.clock.advance(Duration::from_secs(60));
    // Nothing can be written: it stays due.
    on.disk.leave(0);
    let refused = on.rig.app.upkeep.refreshes.execute().await;
    assert!(refused.is_err());
    on.disk.leave(i64::MAX);
    assert_eq!(on.round().await, 1);
    assert_eq!(on.started().await.len(), 1);
    assert_eq!(on.next(id).await, at("2027-01-16T09:00:00Z"));
}
