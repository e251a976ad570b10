//! Cases of the inbox.

use std::{collections::BTreeSet, time::Duration};

use futures::join;
use ports::{
    StoreError,
    bus::{Delivered, Delivery, Receipt, Settlement},
};

use super::{AUDIT, BusHarness, End, LEASE, MAIL, at, claim, claimed, event};

async fn complete(harness: &dyn BusHarness, receipt: &Receipt, end: End) -> Result<(), StoreError> {
    harness
        .transact(
            vec![event("effect", "e")],
            vec![receipt.clone()],
            at(1),
            end,
        )
        .await
}

async fn effects(harness: &dyn BusHarness) -> u64 {
    harness.outbox().stats().await.unwrap().waiting
}

pub async fn a_repeated_delivery_is_one_row(harness: &dyn BusHarness) {
    let (inbox, event) = (harness.inbox(), event("1", "a"));
    assert_eq!(
        inbox.deliver(&AUDIT, &event, at(0)).await.unwrap(),
        Delivered::Stored
    );
    let duplicate = || async {
        let delivered = inbox.deliver(&AUDIT, &event, at(0)).await.unwrap();
        assert_eq!(delivered, Delivered::Duplicate);
    };
    duplicate().await;
    let deliveries = claim(harness, 10, at(0)).await;
    assert_eq!(deliveries.len(), 1);
    duplicate().await;
    assert_eq!(
        claim(harness, 10, at(1)).await,
        [],
        "a repetition does not free a running row"
    );
    let receipt = &deliveries[0].receipt;
    assert_eq!(
        inbox.complete(receipt, at(1)).await.unwrap(),
        Settlement::Applied
    );
    assert_eq!(
        inbox.complete(receipt, at(1)).await.unwrap(),
        Settlement::AlreadyDone
    );
    duplicate().await;
    assert_eq!(
        claim(harness, 10, at(1_000)).await,
        [],
        "a repetition does not revive a done row"
    );
}

pub async fn events_that_arrive_together_are_a_row_each(harness: &dyn BusHarness) {
    let inbox = harness.inbox();
    inbox
        .deliver(&AUDIT, &event("7", "a"), at(0))
        .await
        .unwrap();
    let mut events: Vec<_> = (0..1_200).map(|n| event(&n.to_string(), "a")).collect();
    // Of the first part, and of the second.
    events.push(event("1", "a"));
    events.push(event("1199", "a"));
    let stored = inbox.deliver_all(&AUDIT, &events, at(1)).await.unwrap();
    assert_eq!(stored, 1_199);
    assert_eq!(inbox.deliver_all(&AUDIT, &[], at(1)).await.unwrap(), 0);
    let mut ids: Vec<u32> = claim(harness, 2_000, at(2))
        .await
        .iter()
        .map(|delivery| delivery.event.event_id.as_str().parse().unwrap())
        .collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..1_200));
}

pub async fn every_subscription_has_its_own_row(harness: &dyn BusHarness) {
    let inbox = harness.inbox();
    let delivery = claimed(harness, "1", at(0)).await;
    let stored = inbox.deliver(&MAIL, &event("1", "a"), at(0)).await.unwrap();
    assert_eq!(stored, Delivered::Stored);
    inbox.complete(&delivery.receipt, at(1)).await.unwrap();
    let other = inbox.claim(&MAIL, 10, at(1), LEASE).await.unwrap();
    assert_eq!(other.len(), 1);
    assert_eq!(other[0].receipt.subscription, MAIL);
}

pub async fn an_event_comes_back_as_it_was(harness: &dyn BusHarness) {
    let delivery = claimed(harness, "1", at(5)).await;
    assert_eq!(delivery.event, event("1", "a"));
    assert_eq!((delivery.attempt, delivery.received_at), (1, at(5)));
    assert_eq!(delivery.receipt.event_id.as_str(), "1");
    assert_eq!(delivery.receipt.subscription, AUDIT);
}

pub async fn two_claimers_get_different_rows(harness: &dyn BusHarness) {
    for n in 0..20 {
        harness
            .inbox()
            .deliver(&AUDIT, &event(&n.to_string(), "a"), at(n))
            .await
            .unwrap();
    }
    let mut seen = BTreeSet::new();
    while seen.len() < 20 {
        let (one, two) = join!(claim(harness, 3, at(20)), claim(harness, 3, at(20)));
        assert!(
            !one.is_empty() || !two.is_empty(),
            "{} of 20 were claimed",
            seen.len()
        );
        for delivery in one.iter().chain(&two) {
            assert!(
                seen.insert(delivery.event.event_id.clone()),
                "claimed twice"
            );
        }
    }
    assert_eq!(claim(harness, 3, at(20)).await, []);
}

pub async fn completing_belongs_to_the_unit_of_work(harness: &dyn BusHarness) {
    let delivery = claimed(harness, "1", at(0)).await;
    complete(harness, &delivery.receipt, End::Commit)
        .await
        .unwrap();
    assert_eq!(effects(harness).await, 1);
    let late = harness
        .inbox()
        .retry(&delivery.receipt, at(1), "late")
        .await
        .unwrap();
    assert_eq!(late, Settlement::AlreadyDone);
    assert_eq!(claim(harness, 10, at(1_000)).await, []);
}

pub async fn rollback_of_the_effect_keeps_the_delivery(harness: &dyn BusHarness) {
    let delivery = claimed(harness, "1", at(0)).await;
    complete(harness, &delivery.receipt, End::RollBack)
        .await
        .unwrap();
    assert_eq!(effects(harness).await, 0);
    // A transaction that is dropped is rolled back beside us; until then its row is passed over.
    let claimed = async {
        loop {
            let again = claim(harness, 10, at(30)).await;
            if !again.is_empty() {
                break again;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let again = tokio::time::timeout(Duration::from_secs(10), claimed).await;
    let again = again.unwrap();
    assert_eq!(again.iter().map(|d| d.attempt).collect::<Vec<_>>(), [2]);
}

pub async fn a_stale_receipt_changes_nothing(harness: &dyn BusHarness) {
    let inbox = harness.inbox();
    let stale = claimed(harness, "1", at(0)).await.receipt;
    let current = claim(harness, 10, at(30)).await.remove(0).receipt;
    assert!(current.fence > stale.fence);
    assert_eq!(
        inbox.complete(&stale, at(31)).await.unwrap(),
        Settlement::Lost
    );
    assert_eq!(
        inbox.retry(&stale, at(31), "late").await.unwrap(),
        Settlement::Lost
    );
    assert_eq!(
        inbox.bury(&stale, "late", at(31)).await.unwrap(),
        Settlement::Lost
    );
    let refused = complete(harness, &stale, End::Commit).await;
    assert!(
        matches!(refused, Err(StoreError::StaleVersion)),
        "{refused:?}"
    );
    assert_eq!(
        effects(harness).await,
        0,
        "the effect went with the receipt"
    );
    assert_eq!(
        claim(harness, 10, at(59)).await,
        [],
        "the current claim still stands"
    );
    complete(harness, &current, End::Commit).await.unwrap();
    let twice = complete(harness, &current, End::Commit).await;
    assert!(twice.is_err(), "a receipt completes once");
    assert_eq!(effects(harness).await, 1);
}

pub async fn a_retry_waits_for_its_time(harness: &dyn BusHarness) {
    let first = claimed(harness, "1", at(0)).await;
    let settled = harness
        .inbox()
        .retry(&first.receipt, at(10), "busy")
        .await
        .unwrap();
    assert_eq!(settled, Settlement::Applied);
    assert_eq!(claim(harness, 10, at(9)).await, []);
    let again = claim(harness, 10, at(10)).await;
    let [
        Delivery {
            attempt: 2,
            receipt,
            received_at,
            ..
        },
    ] = again.as_slice()
    else {
        panic!("{again:?}");
    };
    assert_eq!(*received_at, at(0));
    assert!(receipt.fence > first.receipt.fence);
}

pub async fn only_done_rows_are_purged(harness: &dyn BusHarness) {
    let inbox = harness.inbox();
    for (id, done) in [("1", 1), ("2", 2)] {
        let delivery = claimed(harness, id, at(0)).await;
        inbox.complete(&delivery.receipt, at(done)).await.unwrap();
    }
    let dead = claimed(harness, "3", at(0)).await;
    inbox.bury(&dead.receipt, "poison", at(1)).await.unwrap();
    inbox
        .deliver(&AUDIT, &event("4", "a"), at(0))
        .await
        .unwrap();
    assert_eq!(
        inbox.purge(at(2), 10).await.unwrap(),
        1,
        "2 was not done before 2"
    );
    assert_eq!(inbox.purge(at(1_000), 10).await.unwrap(), 1);
    assert_eq!(inbox.purge(at(1_000), 10).await.unwrap(), 0);
    assert_eq!(claim(harness, 10, at(1_000)).await.len(), 1);
    assert_eq!(harness.dead().count().await.unwrap(), 1);
}
