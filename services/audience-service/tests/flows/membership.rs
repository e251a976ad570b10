//! Who was a member, and when; and refreshes that change too much.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use audience_service::segment::{RefreshParams, SizeGuard, Whom};
use domain::{
    audience::{AudienceStatus, Definition},
    contact::Document,
    operation::{OperationState, Report},
    shared::{AudienceId, Instant, OperationId},
};
use ports::Clock;
use serde_json::{Value, json};

use crate::rig::Rig;

/// Seconds since 2026 began, as the test sets them.
pub struct SetClock(pub AtomicI64);

impl SetClock {
    pub fn at(second: i64) -> Instant {
        let start: Instant = "2026-01-01T00:00:00Z".parse().unwrap();
        start + chrono::TimeDelta::seconds(second)
    }
}

impl Clock for SetClock {
    fn now(&self) -> Instant {
        Self::at(self.0.load(Ordering::SeqCst))
    }
}

pub async fn rig(guard: SizeGuard) -> (Rig, Arc<SetClock>) {
    let clock = Arc::new(SetClock(AtomicI64::new(0)));
    let set = Arc::clone(&clock);
    let rig = Rig::with(move |ports| {
        ports.clock = set;
        ports.guard = guard;
    });
    (rig.await, clock)
}

pub async fn live_in(rig: &Rig, people: &[(&str, &str)]) {
    let items: Vec<Value> = people
        .iter()
        .map(|(document, city)| json!({"document": document, "city": city}))
        .collect();
    let (actor, write) = (rig.actor(), &rig.app.customers.write);
    let written = write.upsert(&actor, rig.request_id(), items, false).await;
    assert_eq!(written.unwrap().len(), people.len());
}

/// An active audience of those in Recife.
pub async fn in_recife(rig: &Rig) -> AudienceId {
    let condition =
        json!({"kind": "property", "field": "city", "operator": "equals", "value": "Recife"});
    let definition = Definition {
        groups: vec![json!({ "conditions": [condition] })],
        ..Definition::default()
    };
    let (actor, define) = (rig.actor(), &rig.app.segments.define);
    let id = rig.create("Recife", &[]).await;
    for status in [AudienceStatus::Draft, AudienceStatus::Active] {
        define
            .publish(&actor, rig.request_id(), id, status)
            .await
            .unwrap();
        if status == AudienceStatus::Draft {
            define
                .execute(&actor, rig.request_id(), id, None, definition.clone())
                .await
                .unwrap();
        }
    }
    rig.work().await;
    id
}

pub async fn refresh(rig: &Rig, id: AudienceId) -> OperationId {
    let refresh = &rig.app.segments.refresh;
    let params = RefreshParams::default();
    let begun = refresh
        .execute(&rig.actor(), rig.request_id(), id, params)
        .await;
    let operation = begun.unwrap().operation;
    rig.work().await;
    operation
}

/// Members at a time, page by page.
async fn members_at(rig: &Rig, id: AudienceId, second: i64) -> Vec<String> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let history = &rig.app.segments.history;
        let at = SetClock::at(second);
        let page = history.members_at(&rig.actor(), id, at, after, 2).await;
        let page = page.unwrap();
        assert!(page.rows.len() <= 2);
        found.extend(page.rows.iter().map(|row| row.document.as_str().to_owned()));
        match page.next {
            Some(next) => after = Some(next),
            None => return found,
        }
    }
}

async fn periods(rig: &Rig, id: AudienceId, document: &str) -> Vec<(i64, Option<i64>)> {
    let whom = Whom::Document(Document::from_stored(document.to_owned()));
    let history = &rig.app.segments.history;
    let known = history.membership(&rig.actor(), id, whom).await.unwrap();
    let second = |at: Instant| (at - SetClock::at(0)).num_seconds();
    let periods = known.periods.into_iter().map(|period| {
        let left = period.left.map(|left| second(left.shown_at));
        (second(period.entered.unwrap().shown_at), left)
    });
    let periods: Vec<_> = periods.collect();
    let open = periods.last().is_some_and(|(_, left)| left.is_none());
    assert_eq!(open, known.is_member);
    periods
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_any_time_and_when_each_was_one_are_known() {
    let (rig, clock) = rig(SizeGuard::default()).await;
    let tick = |second| clock.0.store(second, Ordering::SeqCst);
    tick(10);
    live_in(&rig, &[("A", "Recife"), ("B", "Recife"), ("C", "Natal")]).await;
    let id = in_recife(&rig).await;
    tick(20);
    live_in(
        &rig,
        &[
            ("A", "Natal"),
            ("C", "Recife"),
            ("D", "Recife"),
            ("E", "Recife"),
        ],
    )
    .await;
    refresh(&rig, id).await;
    tick(30);
    refresh(&rig, id).await;
    tick(40);
    live_in(&rig, &[("A", "Recife"), ("B", "Natal"), ("E", "Natal")]).await;
    refresh(&rig, id).await;

    assert_eq!(members_at(&rig, id, 9).await, [""; 0]);
    assert_eq!(members_at(&rig, id, 10).await, ["A", "B"]);
    assert_eq!(members_at(&rig, id, 19).await, ["A", "B"]);
    assert_eq!(members_at(&rig, id, 25).await, ["B", "C", "D", "E"]);
    assert_eq!(members_at(&rig, id, 39).await, ["B", "C", "D", "E"]);
    assert_eq!(members_at(&rig, id, 40).await, ["A", "C", "D"]);
    assert_eq!(rig.members(id).await, ["A", "C", "D"]);

    assert_eq!(periods(&rig, id, "A").await, [(10, Some(20)), (40, None)]);
    assert_eq!(periods(&rig, id, "B").await, [(10, Some(40))]);
    assert_eq!(periods(&rig, id, "C").await, [(20, None)]);
    assert_eq!(periods(&rig, id, "E").await, [(20, Some(40))]);
    assert_eq!(periods(&rig, id, "Z").await, []);

    let history = &rig.app.segments.history;
    let (all, more) = history.refreshes(&rig.actor(), id, None, 10).await.unwrap();
    let counts: Vec<_> = all.iter().map(|r| (r.size, r.entered, r.left)).collect();
    assert_eq!(counts, [(3, 1, 2), (4, 0, 0), (4, 3, 1), (2, 2, 0)]);
    assert!(!more);
    let (last, more) = history.refreshes(&rig.actor(), id, None, 1).await.unwrap();
    assert!(more && last[0] == all[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refreshes_are_kept_for_90_days_and_the_last_three_for_longer() {
    let (rig, clock) = rig(SizeGuard::default()).await;
    let day = 86_400;
    live_in(&rig, &[("A", "Recife"), ("B", "Recife")]).await;
    let id = in_recife(&rig).await;
    for (at, city) in [(1, "Natal"), (2, "Recife"), (100, "Natal"), (101, "Recife")] {
        clock.0.store(at * day, Ordering::SeqCst);
        live_in(&rig, &[("A", city)]).await;
        refresh(&rig, id).await;
    }
    assert_eq!(rig.app.upkeep.expired.refreshes().await.unwrap(), 3);
    // Ninety days ago readers saw what day 2 had brought.
    let history = &rig.app.segments.history;
    let (kept, _) = history.refreshes(&rig.actor(), id, None, 9).await.unwrap();
    assert_eq!(kept.len(), 3);
    assert_eq!(members_at(&rig, id, 2 * day).await, ["A", "B"]);
    assert_eq!(members_at(&rig, id, 100 * day).await, ["B"]);
    let actor = rig.actor();
    let gone = history.members_at(&actor, id, SetClock::at(day), None, 9);
    assert_eq!(
        gone.await.unwrap_err().to_string(),
        "the refresh of that time is no longer kept"
    );
    clock.0.store(900 * day, Ordering::SeqCst);
    assert_eq!(rig.app.upkeep.expired.refreshes().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_changes_too_much_waits_until_it_is_confirmed() {
    let guard = SizeGuard {
        from: 2,
        percent: 50,
    };
    let (rig, _) = rig(guard).await;
    live_in(
        &rig,
        &[
            ("A", "Recife"),
            ("B", "Recife"),
            ("C", "Recife"),
            ("D", "Recife"),
        ],
    )
    .await;
    let id = in_recife(&rig).await;
    live_in(&rig, &[("A", "Natal"), ("B", "Natal"), ("C", "Natal")]).await;
    let waiting = refresh(&rig, id).await;
    let stands = rig.operation(waiting).await;
    assert_eq!(stands.state, OperationState::Waiting);
    assert_eq!(stands.reason.as_deref(), Some("size_guard"));
    let Some(Report::Refresh(report)) = stands.report else {
        panic!("a report of members")
    };
    assert_eq!((report.size, report.left), (1, 3));
    assert_eq!(rig.members(id).await, ["A", "B", "C", "D"]);

    // Whoever asks again gets the same operation, which compares anew: one more is back.
    live_in(&rig, &[("A", "Recife")]).await;
    assert_eq!(refresh(&rig, id).await, waiting);
    assert_eq!(
        rig.operation(waiting).await.state,
        OperationState::Succeeded
    );
    assert_eq!(rig.members(id).await, ["A", "D"]);

    live_in(&rig, &[("B", "Recife"), ("C", "Recife"), ("E", "Recife")]).await;
    let large = RefreshParams {
        guard_percent: Some(200),
        ..RefreshParams::default()
    };
    let (actor, request_id) = (rig.actor(), rig.request_id());
    let refresh = &rig.app.segments.refresh;
    refresh
        .execute(&actor, request_id, id, large)
        .await
        .unwrap();
    rig.work().await;
    assert_eq!(rig.members(id).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_waits_is_cancelled_or_confirmed() {
    let guard = SizeGuard {
        from: 2,
        percent: 50,
    };
    let (rig, _) = rig(guard).await;
    let people = ["A", "B", "C", "D", "E", "F"];
    live_in(&rig, &people.map(|document| (document, "Recife"))).await;
    let id = in_recife(&rig).await;
    let actor = rig.actor();
    live_in(
        &rig,
        &["A", "B", "C", "D"].map(|document| (document, "Natal")),
    )
    .await;
    let refused = refresh(&rig, id).await;
    rig.app
        .operations
        .cancel(&actor, rig.request_id(), refused)
        .await
        .unwrap();
    assert_eq!(
        rig.operation(refused).await.state,
        OperationState::Cancelled
    );
    assert_eq!(rig.members(id).await.len(), 6);

    let confirmed = refresh(&rig, id).await;
    assert_ne!(confirmed, refused);
    let confirm = || {
        operations::confirm(
            rig.app.operations.as_ref(),
            &actor,
            rig.request_id(),
            confirmed,
        )
    };
    confirm().await.unwrap();
    rig.work().await;
    assert_eq!(
        rig.operation(confirmed).await.state,
        OperationState::Succeeded
    );
    assert_eq!(rig.members(id).await, ["E", "F"]);
    let again = confirm().await.unwrap_err();
    assert!(
        again.to_string().contains("waits for no confirmation"),
        "{again}"
    );
}
