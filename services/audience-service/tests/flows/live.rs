//! Live audiences: whatever happens, their members are those whom a refresh finds.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

use audience_service::segment::{RefreshParams, SizeGuard};
use chrono::SecondsFormat;
use domain::{
    audience::{AudienceStatus, AudienceType, Definition, RefreshCause},
    operation::{OperationState, Report},
    segment::Condition,
    shared::AudienceId,
};
use futures::{
    FutureExt,
    future::{BoxFuture, ready},
};
use ports::{crash, segments::ResolveError, store::Durability};
use serde_json::{Value, json};

use crate::{
    member_events::Subscriber,
    membership::{SetClock, live_in, rig},
    resolver::{Ask, interpose},
    rig::{Rig, contacts},
};

const DAY: i64 = 86_400;

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.roll(of.len() as u64) as usize).unwrap()
    }
}

/// Makes an active live audience of these conditions.
async fn live(rig: &Rig, name: &str, conditions: Value) -> AudienceId {
    let definition = Definition {
        groups: vec![json!({ "conditions": conditions })],
        audience_type: AudienceType::Live {
            refresh_minutes: None,
        },
        ..Definition::default()
    };
    let (actor, define) = (rig.actor(), &rig.app.segments.define);
    let id = rig.create(name, &[]).await;
    let draft = AudienceStatus::Draft;
    define
        .publish(&actor, rig.request_id(), id, draft)
        .await
        .unwrap();
    define
        .execute(&actor, rig.request_id(), id, None, definition)
        .await
        .unwrap();
    let active = AudienceStatus::Active;
    define
        .publish(&actor, rig.request_id(), id, active)
        .await
        .unwrap();
    rig.work().await;
    id
}

async fn event(rig: &Rig, document: &str, name: &str, at: i64) {
    let time = SetClock::at(at).to_rfc3339_opts(SecondsFormat::Millis, true);
    let item = json!({"document": document, "name": name, "time": time, "amount": "10"});
    let (actor, events) = (rig.actor(), &rig.app.customers.events);
    let recorded = events.execute(&actor, rig.request_id(), vec![item]).await;
    recorded.unwrap();
}

async fn outcome(rig: &Rig, document: &str, outcome: &str, at: i64) {
    let time = SetClock::at(at).to_rfc3339_opts(SecondsFormat::Millis, true);
    let item = json!({"document": document, "channel": "whatsapp", "outcome": outcome, "occurred_at": time});
    let (actor, outcomes) = (rig.actor(), &rig.app.outcomes);
    let reported = outcomes.report(&actor, rig.request_id(), vec![item]).await;
    reported.unwrap();
}

async fn round(rig: &Rig) {
    rig.app.upkeep.live.round().await.unwrap();
}

/// A full refresh, which must find nothing to change.
async fn nothing_to_change(rig: &Rig, id: AudienceId, what: &str) {
    let refresh = &rig.app.segments.refresh;
    let params = RefreshParams::default();
    let begun = refresh
        .execute(&rig.actor(), rig.request_id(), id, params)
        .await;
    let operation = begun.unwrap().operation;
    let before = rig.members(id).await;
    rig.work().await;
    let ended = rig.operation(operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    let Some(Report::Refresh(report)) = ended.report else {
        panic!("a report of members")
    };
    let found = (report.entered, report.left, report.changed);
    assert_eq!(
        found,
        (0, 0, 0),
        "{what}: {before:?}, then {:?}",
        rig.members(id).await
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_follow_what_customers_do_and_time() {
    let (rig, clock) = rig(SizeGuard::default()).await;
    clock.0.store(100 * DAY, Ordering::SeqCst);
    live_in(&rig, &[("A", "Recife"), ("B", "Recife"), ("C", "Natal")]).await;
    let bought = json!([{"kind": "event", "name": "order.paid", "window": {"last_days": 7},
        "occurrence": {"op": "at_least", "count": 1}}]);
    let recent = live(&rig, "Bought", bought).await;
    let city =
        json!([{"kind": "property", "field": "city", "operator": "equals", "value": "Recife"}]);
    let recife = live(&rig, "Recife", city).await;
    assert_eq!(rig.members(recife).await, ["A", "B"]);
    assert_eq!(rig.members(recent).await, [""; 0]);

    event(&rig, "A", "order.paid", 99 * DAY).await;
    event(&rig, "B", "page.viewed", 99 * DAY).await;
    live_in(&rig, &[("B", "Natal"), ("D", "Recife")]).await;
    round(&rig).await;
    assert_eq!(rig.members(recent).await, ["A"]);
    assert_eq!(rig.members(recife).await, ["A", "D"]);

    // Time moves people as well: the window ends, and nobody has done anything.
    clock.0.store(106 * DAY, Ordering::SeqCst);
    round(&rig).await;
    assert_eq!(rig.members(recent).await, ["A"]);
    clock.0.store(106 * DAY + 1, Ordering::SeqCst);
    round(&rig).await;
    assert_eq!(rig.members(recent).await, [""; 0]);
    for id in [recent, recife] {
        nothing_to_change(&rig, id, "both").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_audience_that_names_a_list_follows_it() {
    let (rig, clock) = rig(SizeGuard::default()).await;
    live_in(&rig, &[("A", "Recife"), ("B", "Recife")]).await;
    let list = rig.create("List", &["A"]).await;
    let named =
        json!([{"kind": "audience", "value": list.to_string(), "operator": "not_member_of"}]);
    let id = live(&rig, "Others", named).await;
    round(&rig).await;
    rig.work().await;
    assert_eq!(rig.members(id).await, ["B"]);
    let (actor, add) = (rig.actor(), &rig.app.contacts.add);
    add.execute(&actor, rig.request_id(), list, None, contacts(&["B"]))
        .await
        .unwrap();
    clock.0.store(60, Ordering::SeqCst);
    round(&rig).await;
    rig.work().await;
    assert_eq!(rig.members(id).await, [""; 0]);
}

fn in_recife() -> Value {
    json!([{"kind": "property", "field": "city", "operator": "equals", "value": "Recife"}])
}

fn tagged() -> Value {
    json!([{"kind": "tag", "operator": "not_has", "value": "vip"}])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audience_that_fails_holds_no_other_up() {
    let fails = Arc::new(AtomicBool::new(false));
    let clock = Arc::new(SetClock(AtomicI64::new(0)));
    let (set, failing) = (Arc::clone(&clock), Arc::clone(&fails));
    // There is no answer for conditions over a value, as long as it fails.
    let before = move |ask: Ask<'_>| -> BoxFuture<'static, Result<(), ResolveError>> {
        let of_value = match ask {
            Ask::Members(query) => {
                let mut conditions = query.predicate.conditions();
                conditions.any(|c| matches!(c, Condition::Property { .. }))
            }
            Ask::Stream => false,
        };
        let fails = of_value && failing.load(Ordering::SeqCst);
        let answer = match fails {
            true => Err(ResolveError::TooLong),
            false => Ok(()),
        };
        ready(answer).boxed()
    };
    let rig = Rig::with(move |ports| {
        ports.clock = set;
        interpose(ports, Box::new(before));
    })
    .await;
    let failing = live(&rig, "Recife", in_recife()).await;
    let other = live(&rig, "Others", tagged()).await;
    fails.store(true, Ordering::SeqCst);
    live_in(&rig, &[("A", "Recife")]).await;
    round(&rig).await;
    assert_eq!(rig.members(other).await, ["A"]);
    assert_eq!(rig.members(failing).await, [""; 0]);
    // It is left alone for a while, and then has lost nothing.
    fails.store(false, Ordering::SeqCst);
    live_in(&rig, &[("B", "Recife")]).await;
    round(&rig).await;
    assert_eq!(rig.members(failing).await, [""; 0]);
    clock.0.store(6, Ordering::SeqCst);
    round(&rig).await;
    assert_eq!(rig.members(failing).await, ["A", "B"]);
}

/// A refresh as the night brings it.
async fn nightly(rig: &Rig, id: AudienceId) {
    let refresh = &rig.app.segments.refresh;
    let params = RefreshParams {
        cause: RefreshCause::Scheduled,
        guard_percent: None,
    };
    let (actor, request) = (rig.actor(), rig.request_id());
    refresh.execute(&actor, request, id, params).await.unwrap();
    rig.work().await;
}

/// Takes changes off the queue without having looked at them.
async fn lose_changes(rig: &Rig) {
    let workspace = rig.actor().workspace;
    let queued = rig.ports.queries.queued(&workspace, None, 100).await;
    let ids: Vec<i64> = queued.unwrap().iter().map(|change| change.id).collect();
    let mut uow = rig.ports.store.begin(Durability::Full).await.unwrap();
    uow.live().looked_at(&workspace, &ids).await.unwrap();
    uow.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_nightly_refresh_corrects_is_counted() {
    let (rig, _) = rig(SizeGuard::default()).await;
    let counted = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&counted);
    let tell = move |members| {
        count.fetch_add(members, Ordering::SeqCst);
    };
    rig.app.corrections.tell(tell);
    let corrected = || counted.swap(0, Ordering::SeqCst);
    let id = live(&rig, "Recife", in_recife()).await;
    live_in(&rig, &[("A", "Recife"), ("B", "Natal")]).await;
    nightly(&rig, id).await;
    assert_eq!(rig.members(id).await, ["A"]);
    assert_eq!(corrected(), 0, "they wait in the queue");
    live_in(&rig, &[("A", "Natal"), ("B", "Recife")]).await;
    lose_changes(&rig).await;
    nightly(&rig, id).await;
    assert_eq!(rig.members(id).await, ["B"]);
    assert_eq!(corrected(), 2);
    // What is not followed change by change is no fault.
    let names = json!([{"kind": "audience", "value": id.to_string(), "operator": "member_of"}]);
    let of_other = live(&rig, "Of another", names).await;
    live_in(&rig, &[("C", "Recife")]).await;
    lose_changes(&rig).await;
    nightly(&rig, of_other).await;
    assert_eq!(rig.members(of_other).await, ["B", "C"]);
    assert_eq!(corrected(), 0);
}

/// Counts down to the point at which the process ends.
static FUSE: AtomicI64 = AtomicI64::new(i64::MAX);
/// How often it has ended.
static DEATHS: AtomicI64 = AtomicI64::new(0);

/// A refresh finds nothing to change, and the events say who is a member.
async fn all_as_they_should_be(
    rig: &Rig,
    ids: &[AudienceId],
    subscriber: &mut Subscriber,
    what: &str,
) {
    for id in ids {
        nothing_to_change(rig, *id, what).await;
    }
    subscriber.receive(rig).await;
    for id in ids {
        assert_eq!(subscriber.members(*id), rig.members(*id).await, "{what}");
    }
}

async fn at_random(seed: u64) {
    let (rig, clock) = rig(SizeGuard::default()).await;
    let rig = Arc::new(rig);
    clock.0.store(100 * DAY, Ordering::SeqCst);
    let audiences = [
        json!([{"kind": "event", "name": "order.paid", "window": {"last_days": 3},
            "occurrence": {"op": "at_least", "count": 2}}]),
        json!([{"kind": "metric", "name": "order.paid", "metric": "days_since_last",
            "operator": "between", "value": [2, 4]}]),
        json!([{"kind": "property", "field": "joined", "operator": "in_last_days", "value": 2}]),
        json!([{"kind": "communication", "field": "failed", "window": {"last_days": 2}}]),
        json!([{"kind": "tag", "operator": "not_has", "value": "vip"},
            {"kind": "property", "field": "city", "operator": "equals", "value": "Recife"}]),
    ];
    let mut subscriber = Subscriber::default();
    Subscriber::subscribe(&rig, true).await;
    let mut ids = Vec::new();
    for (index, conditions) in audiences.into_iter().enumerate() {
        ids.push(live(&rig, &format!("Audience {index}"), conditions).await);
    }
    let names = json!([{"kind": "audience", "value": ids.first().unwrap().to_string(), "operator": "member_of"}]);
    ids.push(live(&rig, "Audience of audience", names).await);
    let mut dice = Dice(seed);
    let people = ["A", "B", "C", "D", "E", "F", "G", "H"];
    for step in 0..60 {
        let now = clock.0.load(Ordering::SeqCst);
        let at = now - (dice.roll(6 * DAY as u64) as i64) + DAY / 4;
        match dice.roll(10) {
            0..=2 => {
                let joined = SetClock::at(at).to_rfc3339_opts(SecondsFormat::Secs, true);
                let tags = match dice.roll(2) {
                    0 => json!(["vip"]),
                    _ => json!([]),
                };
                let item = json!({"document": dice.pick(&people), "tags": tags,
                    "city": dice.pick(&["Recife", "Natal"]), "joined": joined});
                let (actor, write) = (rig.actor(), &rig.app.customers.write);
                let written = write.upsert(&actor, rig.request_id(), vec![item], false);
                written.await.unwrap();
            }
            3 | 4 => event(&rig, dice.pick(&people), "order.paid", at).await,
            5 => {
                let said = dice.pick(&["failed", "answered"]);
                outcome(&rig, dice.pick(&people), said, at).await;
            }
            6 => {
                let forward = dice.roll(DAY as u64) as i64;
                clock.0.store(now + forward, Ordering::SeqCst);
            }
            7 => round(&rig).await,
            8 => {
                // The process ends at one of the next points.
                FUSE.store(dice.roll(6) as i64, Ordering::SeqCst);
                let dying = Arc::clone(&rig);
                let ended = tokio::spawn(async move { round(&dying).await }).await;
                FUSE.store(i64::MAX, Ordering::SeqCst);
                if let Err(ended) = ended {
                    assert!(ended.is_panic());
                    DEATHS.fetch_add(1, Ordering::SeqCst);
                }
                rig.app.repair_all().await.unwrap();
            }
            _ => {
                let id = *ids.get(dice.roll(ids.len() as u64) as usize).unwrap();
                let refresh = &rig.app.segments.refresh;
                let params = RefreshParams::default();
                let (actor, request) = (rig.actor(), rig.request_id());
                refresh.execute(&actor, request, id, params).await.unwrap();
                // What changes meanwhile waits for its end.
                event(&rig, dice.pick(&people), "order.paid", at).await;
                round(&rig).await;
                rig.work().await;
            }
        }
        if step % 20 == 19 {
            round(&rig).await;
            round(&rig).await;
            let what = format!("seed {seed}, step {step}");
            all_as_they_should_be(&rig, &ids, &mut subscriber, &what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_history_a_refresh_finds_nothing_to_change() {
    crash::install(Box::new(|point| {
        if FUSE.fetch_sub(1, Ordering::SeqCst) == 0 {
            panic!("the process ends at {point}");
        }
    }));
    for seed in 1..=4 {
        at_random(seed).await;
    }
    assert!(DEATHS.load(Ordering::SeqCst) > 4);
}
