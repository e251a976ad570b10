//! Cases of adding.

use domain::recycle::{Outcome, OutcomeFact, OutcomeRecord};
use futures::future::join_all;

use super::{add, counts, external, report};
use crate::store::{StoreHarness, at, begin, workspace};

pub async fn an_external_id_is_reported_once(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    assert_eq!(
        add(h, &ws, &[external("1", "a", 1), external("1", "b", 1)]).await,
        [true, true]
    );
    let again = [
        external("1", "b", 1),
        external("2", "a", 9),
        external("2", "c", 9),
    ];
    assert_eq!(add(h, &ws, &again).await, [false, false, true]);
    assert_eq!(counts(h, &ws).await, [("1".into(), 2), ("2".into(), 1)]);
}

pub async fn without_external_id_document_channel_and_time_count(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let first = report("1", Outcome::Busy, 1);
    assert_eq!(add(h, &ws, std::slice::from_ref(&first)).await, [true]);
    let by_sms = OutcomeRecord {
        fact: OutcomeFact {
            channel: "sms".into(),
            ..first.fact.clone()
        },
        ..first.clone()
    };
    let again = OutcomeRecord {
        recorded_at: at(50),
        ..report("1", Outcome::Answered, 1)
    };
    let others = [
        again,
        by_sms,
        report("2", Outcome::Busy, 1),
        report("1", Outcome::Busy, 2),
    ];
    assert_eq!(add(h, &ws, &others).await, [false, true, true, true]);
    let named = external("1", "a", 1);
    assert_eq!(
        add(h, &ws, &[named]).await,
        [true],
        "an external id is an identity of its own"
    );
}

pub async fn repetitions_within_a_request_count_once(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let records = [
        report("1", Outcome::Busy, 1),
        external("1", "a", 2),
        report("1", Outcome::Failed, 1),
        external("1", "a", 3),
    ];
    assert_eq!(add(h, &ws, &records).await, [true, true, false, false]);
    assert_eq!(counts(h, &ws).await, [("1".into(), 2)]);
}

pub async fn an_external_id_is_unique_in_its_workspace_only(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    let records = [external("1", "a", 1), report("1", Outcome::Busy, 1)];
    assert_eq!(add(h, &ws, &records).await, [true, true]);
    assert_eq!(add(h, &other, &records).await, [true, true]);
}

pub async fn large_requests_are_added_whole(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let mut records: Vec<_> = (0..12_001)
        .map(|n| report(&format!("P{n:05}"), Outcome::Busy, n))
        .collect();
    let mut expected = vec![true; records.len()];
    records.push(report("P00000", Outcome::Busy, 0));
    expected.push(false);
    assert_eq!(add(h, &ws, &records).await, expected);
    assert_eq!(counts(h, &ws).await.len(), 12_001);
    assert_eq!(add(h, &ws, &records).await, vec![false; records.len()]);
    assert!(add(h, &ws, &[]).await.is_empty());
}

pub async fn concurrent_reports_count_once(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let records: Vec<_> = (0..50).map(|n| external("1", &n.to_string(), n)).collect();
    let answers = join_all((0..4).map(|_| add(h, &ws, &records))).await;
    let new = answers.iter().flatten().filter(|new| **new).count();
    assert_eq!(new, 50);
    assert_eq!(counts(h, &ws).await, [("1".into(), 50)]);
}

pub async fn a_rollback_leaves_nothing(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let mut uow = begin(h).await;
    let record = external("1", "a", 1);
    assert_eq!(
        uow.outcomes()
            .add(&ws, std::slice::from_ref(&record))
            .await
            .unwrap(),
        [true]
    );
    drop(uow);
    assert_eq!(counts(h, &ws).await, []);
    assert_eq!(h.queries().version(&ws).await.unwrap(), 0);
    assert_eq!(add(h, &ws, &[record]).await, [true]);
}

pub async fn the_version_grows_with_new_reports_only(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    assert_eq!(h.queries().version(&ws).await.unwrap(), 0);
    add(h, &ws, &[external("1", "a", 1)]).await;
    let first = h.queries().version(&ws).await.unwrap();
    assert!(first > 0);
    add(h, &ws, &[external("1", "a", 1)]).await;
    assert_eq!(h.queries().version(&ws).await.unwrap(), first);
    add(h, &ws, &[external("1", "a", 1), external("1", "b", 1)]).await;
    assert!(h.queries().version(&ws).await.unwrap() > first);
    assert_eq!(h.queries().version(&other).await.unwrap(), 0);
}
