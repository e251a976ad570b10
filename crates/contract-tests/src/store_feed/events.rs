//! Cases of the feeds.

use domain::shared::{UserId, WorkspaceId};
use futures::future::join_all;
use ports::store::{UnitOfWork, UserEvent};
use serde_json::json;

use super::user;
use crate::store::{StoreHarness, at, begin, workspace};

async fn append(
    uow: &mut Box<dyn UnitOfWork>,
    workspace: &WorkspaceId,
    user: &UserId,
    seconds: i64,
) -> i64 {
    let data = json!({ "n": seconds });
    uow.notifications()
        .append_event(workspace, user, "operation", &data, at(seconds))
        .await
        .unwrap()
}

async fn appended(
    h: &dyn StoreHarness,
    workspace: &WorkspaceId,
    user: &UserId,
    seconds: i64,
) -> i64 {
    let mut uow = begin(h).await;
    let seq = append(&mut uow, workspace, user, seconds).await;
    uow.commit().await.unwrap();
    seq
}

async fn positions(h: &dyn StoreHarness, workspace: &WorkspaceId, user: &UserId) -> Vec<i64> {
    let events = h
        .queries()
        .events_after(workspace, user, 0, 1_000)
        .await
        .unwrap();
    events.iter().map(|event| event.seq).collect()
}

pub async fn positions_start_at_one_and_have_no_gaps(h: &dyn StoreHarness) {
    let (ws, ana) = (workspace("ws"), user("ana"));
    assert_eq!(h.queries().event_range(&ws, &ana).await.unwrap(), None);
    let mut uow = begin(h).await;
    for seconds in 1..=2 {
        assert_eq!(append(&mut uow, &ws, &ana, seconds).await, seconds);
    }
    uow.commit().await.unwrap();
    assert_eq!(appended(h, &ws, &ana, 3).await, 3);
    let expected = UserEvent {
        seq: 2,
        kind: "operation".into(),
        data: json!({ "n": 2 }),
        created_at: at(2),
    };
    assert_eq!(
        h.queries().events_after(&ws, &ana, 1, 1).await.unwrap(),
        [expected]
    );
    assert_eq!(
        h.queries().event_range(&ws, &ana).await.unwrap(),
        Some((1, 3))
    );
}

pub async fn a_rollback_leaves_no_gap(h: &dyn StoreHarness) {
    let (ws, ana) = (workspace("ws"), user("ana"));
    appended(h, &ws, &ana, 1).await;
    let mut uow = begin(h).await;
    assert_eq!(append(&mut uow, &ws, &ana, 2).await, 2);
    drop(uow);
    assert_eq!(appended(h, &ws, &ana, 3).await, 2);
    assert_eq!(positions(h, &ws, &ana).await, [1, 2]);
}

pub async fn concurrent_writers_leave_no_gap(h: &dyn StoreHarness) {
    let (ws, ana) = (workspace("ws"), user("ana"));
    let mut given = join_all((0..20).map(|n| appended(h, &ws, &ana, n))).await;
    given.sort_unstable();
    let expected: Vec<i64> = (1..=20).collect();
    assert_eq!(given, expected);
    assert_eq!(positions(h, &ws, &ana).await, expected);
}

pub async fn every_feed_has_positions_of_its_own(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    let (ana, bea) = (user("ana"), user("bea"));
    appended(h, &ws, &ana, 1).await;
    appended(h, &ws, &ana, 2).await;
    assert_eq!(appended(h, &ws, &bea, 3).await, 1);
    assert_eq!(appended(h, &other, &ana, 4).await, 1);
    assert_eq!(positions(h, &ws, &ana).await, [1, 2]);
    assert_eq!(positions(h, &ws, &bea).await, [1]);
    assert_eq!(
        h.queries().event_range(&other, &ana).await.unwrap(),
        Some((1, 1))
    );
    assert_eq!(h.queries().event_range(&other, &bea).await.unwrap(), None);
}

pub async fn old_events_are_purged_in_batches(h: &dyn StoreHarness) {
    let (ws, ana) = (workspace("ws"), user("ana"));
    for seconds in 1..=5 {
        appended(h, &ws, &ana, seconds).await;
    }
    for expected in [2, 1, 0] {
        let mut uow = begin(h).await;
        assert_eq!(
            uow.notifications().purge_events(at(4), 2).await.unwrap(),
            expected
        );
        uow.commit().await.unwrap();
    }
    assert_eq!(
        h.queries().event_range(&ws, &ana).await.unwrap(),
        Some((4, 5))
    );
    assert_eq!(
        appended(h, &ws, &ana, 6).await,
        6,
        "positions go on after a purge"
    );
}
