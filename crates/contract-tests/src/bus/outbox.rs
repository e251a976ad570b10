//! Cases of the outbox.

use std::collections::BTreeSet;

use futures::join;
use ports::{
    StoreError,
    bus::{EventId, OutboxClaim, OutboxStats, Retry},
};

use super::{BusHarness, End, LEASE, at, event, ids};

async fn add(harness: &dyn BusHarness, rows: &[(&str, &str)]) {
    let events = rows
        .iter()
        .map(|(id, aggregate)| event(id, aggregate))
        .collect();
    harness
        .transact(events, Vec::new(), at(0), End::Commit)
        .await
        .unwrap();
}

async fn take(harness: &dyn BusHarness, limit: usize, seconds: i64) -> Vec<OutboxClaim> {
    harness
        .outbox()
        .claim(limit, at(seconds), LEASE)
        .await
        .unwrap()
}

fn retry(id: &str, attempt: u32, seconds: i64) -> Retry {
    Retry {
        event_id: EventId::new(id),
        attempt,
        due: at(seconds),
        error: "refused".into(),
    }
}

pub async fn rollback_leaves_nothing(harness: &dyn BusHarness) {
    let events = vec![event("1", "a")];
    harness
        .transact(events, Vec::new(), at(0), End::RollBack)
        .await
        .unwrap();
    assert_eq!(take(harness, 10, 0).await, []);
    assert_eq!(
        harness.outbox().stats().await.unwrap(),
        OutboxStats::default()
    );
}

pub async fn an_event_id_is_added_once(harness: &dyn BusHarness) {
    add(harness, &[("1", "a")]).await;
    let again = vec![event("2", "a"), event("1", "a")];
    let refused = harness
        .transact(again, Vec::new(), at(0), End::Commit)
        .await;
    assert!(
        matches!(refused, Err(StoreError::Conflict { .. })),
        "{refused:?}"
    );
    assert_eq!(
        ids(&take(harness, 10, 0).await),
        ["1"],
        "nothing of the refused unit of work"
    );
}

pub async fn claims_come_in_order(harness: &dyn BusHarness) {
    add(harness, &[("9", "a"), ("5", "b"), ("7", "a")]).await;
    add(harness, &[("1", "a")]).await;
    let claims = take(harness, 10, 2).await;
    assert_eq!(ids(&claims), ["9", "5", "7", "1"]);
    assert_eq!(claims[0].event, event("9", "a"));
    assert_eq!((claims[0].attempt, claims[0].added_at), (1, at(0)));
}

pub async fn many_events_of_one_call_come_in_order(harness: &dyn BusHarness) {
    let names: Vec<String> = (0..1_200).map(|n| n.to_string()).collect();
    let rows: Vec<(&str, &str)> = names.iter().map(|id| (id.as_str(), id.as_str())).collect();
    add(harness, &rows).await;
    add(harness, &[]).await;
    assert_eq!(ids(&take(harness, 2_000, 0).await), names);
}

pub async fn a_claimed_event_holds_back_its_aggregate(harness: &dyn BusHarness) {
    add(harness, &[("1", "a"), ("2", "a"), ("3", "b")]).await;
    assert_eq!(ids(&take(harness, 1, 0).await), ["1"]);
    assert_eq!(
        ids(&take(harness, 10, 0).await),
        ["3"],
        "2 must not overtake 1"
    );
    harness
        .outbox()
        .mark_sent(&[EventId::new("1")], at(1))
        .await
        .unwrap();
    assert_eq!(ids(&take(harness, 10, 1).await), ["2"]);
}

pub async fn a_rescheduled_event_holds_back_its_aggregate(harness: &dyn BusHarness) {
    add(harness, &[("1", "a"), ("2", "a"), ("3", "b")]).await;
    assert_eq!(ids(&take(harness, 2, 0).await), ["1", "2"]);
    harness
        .outbox()
        .reschedule(&[retry("1", 1, 10), retry("2", 1, 0)])
        .await
        .unwrap();
    assert_eq!(
        ids(&take(harness, 10, 9).await),
        ["3"],
        "2 is due, but behind 1"
    );
    let claims = take(harness, 10, 10).await;
    assert_eq!(ids(&claims), ["1", "2"]);
    assert_eq!(claims[0].attempt, 2);
}

pub async fn two_claimers_share_without_overlap(harness: &dyn BusHarness) {
    let rows: Vec<(String, String)> = (0..40)
        .map(|n| (format!("{n}"), format!("aggregate-{}", n % 8)))
        .collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    add(harness, &rows).await;
    let (mut seen, mut total) = (BTreeSet::new(), 0);
    while total < 40 {
        let (one, two) = join!(take(harness, 7, 0), take(harness, 7, 0));
        assert!(
            !one.is_empty() || !two.is_empty(),
            "{total} of 40 were claimed"
        );
        let aggregates = |claims: &[OutboxClaim]| -> BTreeSet<String> {
            claims
                .iter()
                .map(|claim| claim.event.aggregate.clone())
                .collect()
        };
        assert!(
            aggregates(&one).is_disjoint(&aggregates(&two)),
            "an aggregate in two hands"
        );
        for claim in one.iter().chain(&two) {
            assert!(seen.insert(claim.event.event_id.clone()), "claimed twice");
            harness
                .outbox()
                .mark_sent(std::slice::from_ref(&claim.event.event_id), at(0))
                .await
                .unwrap();
        }
        total += one.len() + two.len();
    }
}

pub async fn a_lapsed_lease_is_taken_over(harness: &dyn BusHarness) {
    add(harness, &[("1", "a")]).await;
    take(harness, 10, 0).await;
    assert_eq!(take(harness, 10, 29).await, []);
    let again = take(harness, 10, 30).await;
    assert_eq!((ids(&again), again[0].attempt), (vec!["1"], 2));
}

pub async fn a_claim_taken_over_cannot_be_rescheduled(harness: &dyn BusHarness) {
    add(harness, &[("1", "a")]).await;
    take(harness, 10, 0).await;
    take(harness, 10, 30).await;
    harness
        .outbox()
        .reschedule(&[retry("1", 1, 31)])
        .await
        .unwrap();
    assert_eq!(
        take(harness, 10, 59).await,
        [],
        "the second claim still stands"
    );
    harness
        .outbox()
        .reschedule(&[retry("1", 2, 31)])
        .await
        .unwrap();
    assert_eq!(ids(&take(harness, 10, 59).await), ["1"]);
}

pub async fn marking_sent_ends_an_event(harness: &dyn BusHarness) {
    add(harness, &[("1", "a"), ("2", "a")]).await;
    take(harness, 10, 0).await;
    let stats = harness.outbox().stats().await.unwrap();
    assert_eq!(
        stats,
        OutboxStats {
            waiting: 2,
            oldest: Some(at(0))
        }
    );
    let sent = [EventId::new("1"), EventId::new("2")];
    harness.outbox().mark_sent(&sent, at(1)).await.unwrap();
    harness.outbox().mark_sent(&sent, at(2)).await.unwrap();
    harness
        .outbox()
        .reschedule(&[retry("1", 1, 3)])
        .await
        .unwrap();
    assert_eq!(take(harness, 10, 1_000).await, []);
    assert_eq!(
        harness.outbox().stats().await.unwrap(),
        OutboxStats::default()
    );
}

pub async fn only_sent_events_are_purged(harness: &dyn BusHarness) {
    add(harness, &[("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")]).await;
    for (id, sent) in [("1", 1), ("2", 2), ("3", 3)] {
        harness
            .outbox()
            .mark_sent(&[EventId::new(id)], at(sent))
            .await
            .unwrap();
    }
    assert_eq!(
        harness.outbox().purge(at(3), 1).await.unwrap(),
        1,
        "bounded"
    );
    assert_eq!(
        harness.outbox().purge(at(3), 10).await.unwrap(),
        1,
        "3 was not sent before 3"
    );
    assert_eq!(harness.outbox().purge(at(1_000), 10).await.unwrap(), 1);
    assert_eq!(ids(&take(harness, 10, 1_000).await), ["4"]);
}
