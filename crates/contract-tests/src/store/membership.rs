//! Who was a member of an audience, and when.

use chrono::TimeDelta;
use domain::{
    audience::{Audience, Departure, RefreshCause, Refreshed},
    shared::{Epoch, Instant, OperationId},
};

use super::{StoreHarness, added, at, begin, number, workspace};

fn refreshed(audience: &Audience, request: i64, shown_at: Instant) -> Refreshed {
    Refreshed {
        audience: audience.id,
        request,
        operation: Some(OperationId::from_raw(number())),
        cause: RefreshCause::Requested,
        epoch: Epoch(1),
        began_at: shown_at - TimeDelta::seconds(2),
        shown_at,
        size: 5,
        entered: 3,
        left: 2,
        changed: 1,
        bytes: Some(7),
    }
}

async fn note(h: &dyn StoreHarness, refreshed: &Refreshed) {
    let mut uow = begin(h).await;
    uow.memberships().note(refreshed).await.unwrap();
    uow.commit().await.unwrap();
}

async fn depart(h: &dyn StoreHarness, audience: &Audience, of: &[(&str, i64, i64)]) {
    let departure = |(key, entered, left): &(&str, i64, i64)| Departure {
        key: (*key).to_owned(),
        entered: *entered,
        left: *left,
    };
    let departures: Vec<Departure> = of.iter().map(departure).collect();
    let mut uow = begin(h).await;
    let mut memberships = uow.memberships();
    memberships.depart(audience.id, &departures).await.unwrap();
    drop(memberships);
    uow.commit().await.unwrap();
}

async fn departed(h: &dyn StoreHarness, audience: &Audience, request: i64) -> Vec<String> {
    let q = h.queries();
    let found = q.departed_since(audience.id, request, None, 10).await;
    found.unwrap().into_iter().map(|d| d.key).collect()
}

pub async fn refreshes_come_back_as_they_were(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w"), "a").await;
    let (first, second) = (
        refreshed(&audience, 1, at(10)),
        refreshed(&audience, 5, at(20)),
    );
    let live = Refreshed {
        operation: None,
        cause: RefreshCause::Live,
        bytes: None,
        ..refreshed(&audience, 3, at(15))
    };
    for one in [&first, &live, &second] {
        note(h, one).await;
    }
    let (q, id) = (h.queries(), audience.id);
    let all = q.refreshes(id, None, 10).await.unwrap();
    assert_eq!(
        all,
        [second.clone(), first.clone()],
        "those with an operation"
    );
    let before = q.refreshes(id, Some(5), 10).await.unwrap();
    assert_eq!(before.first(), Some(&first));
    assert_eq!(q.refresh(id, 3).await.unwrap(), Some(live.clone()));
    assert_eq!(q.refresh_at(id, at(9)).await.unwrap(), None);
    assert_eq!(q.refresh_at(id, at(10)).await.unwrap(), Some(first));
    assert_eq!(q.refresh_at(id, at(19)).await.unwrap(), Some(live));
    assert_eq!(q.refresh_at(id, at(99)).await.unwrap(), Some(second));
}

pub async fn batches_of_a_minute_are_one(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w"), "a").await;
    let (q, id) = (h.queries(), audience.id);
    let batch = |request, second| Refreshed {
        operation: None,
        cause: RefreshCause::Live,
        began_at: at(second),
        ..refreshed(&audience, request, at(second))
    };
    note(h, &refreshed(&audience, 1, at(10))).await;
    for (request, second) in [(2, 20), (3, 40), (5, 79), (6, 81)] {
        note(h, &batch(request, second)).await;
    }
    let minute = Refreshed {
        began_at: at(20),
        entered: 9,
        left: 6,
        changed: 3,
        ..batch(5, 79)
    };
    for request in [2, 3, 4, 5] {
        let found = q.refresh(id, request).await.unwrap();
        assert_eq!(found.as_ref(), Some(&minute), "{request}");
    }
    assert_eq!(q.refresh(id, 6).await.unwrap(), Some(batch(6, 81)));
    assert_eq!(q.refresh(id, 7).await.unwrap(), None);
    assert_eq!(q.refresh_at(id, at(80)).await.unwrap(), Some(minute));
    // Whoever left by one of them has left by the minute.
    depart(h, &audience, &[("A", 1, 3), ("B", 1, 7)]).await;
    assert_eq!(departed(h, &audience, 1).await, ["A"]);
    let stays = q.stays_of(id, "A").await.unwrap();
    assert_eq!(stays[0].left.request, 5);
    // A refresh begins a row of its own, and so does a batch of another content.
    note(h, &refreshed(&audience, 8, at(82))).await;
    note(h, &batch(9, 83)).await;
    let other = Refreshed {
        epoch: Epoch(2),
        ..batch(10, 84)
    };
    note(h, &other).await;
    assert_eq!(q.refresh(id, 9).await.unwrap(), Some(batch(9, 83)));
    assert_eq!(q.refresh(id, 10).await.unwrap(), Some(other));
    assert_eq!(departed(h, &audience, 1).await, ["A"], "nobody showed 7");
    let purged = h.store().purge_refreshes(at(10_000), 100).await.unwrap();
    assert_eq!(purged, 0, "the last refreshes are kept");
}

pub async fn departures_count_once_their_refresh_is_noted(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w"), "a").await;
    note(h, &refreshed(&audience, 1, at(10))).await;
    depart(h, &audience, &[("A", 1, 2), ("B", 1, 2), ("C", 1, 9)]).await;
    assert_eq!(departed(h, &audience, 1).await, [""; 0]);
    note(h, &refreshed(&audience, 2, at(20))).await;
    assert_eq!(departed(h, &audience, 1).await, ["A", "B"]);
    assert_eq!(departed(h, &audience, 2).await, [""; 0], "they had left");
    assert_eq!(
        departed(h, &audience, 0).await,
        [""; 0],
        "they had not come"
    );
    let stays = h.queries().stays_of(audience.id, "A").await.unwrap();
    assert_eq!((stays.len(), stays[0].left.request), (1, 2));
    // Given up before anybody saw it.
    let mut uow = begin(h).await;
    uow.memberships().discard_unseen(audience.id).await.unwrap();
    uow.commit().await.unwrap();
    note(h, &refreshed(&audience, 9, at(30))).await;
    assert_eq!(departed(h, &audience, 2).await, [""; 0]);
    // The same stay ends once.
    depart(h, &audience, &[("A", 1, 9)]).await;
    assert_eq!(departed(h, &audience, 2).await, ["A"]);
}

pub async fn old_refreshes_are_deleted_but_the_last_three(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w"), "a").await;
    for request in 1..=5 {
        note(h, &refreshed(&audience, request, at(request * 10))).await;
    }
    depart(h, &audience, &[("A", 1, 2), ("B", 1, 3)]).await;
    let purge = async |before: i64| h.store().purge_refreshes(at(before), 100).await.unwrap();
    assert_eq!(purge(20).await, 0, "the last before may be asked for");
    assert_eq!(purge(21).await, 1);
    assert_eq!(departed(h, &audience, 1).await, ["A", "B"]);
    assert_eq!(purge(1_000).await, 2, "a refresh, and who left by it");
    assert_eq!(departed(h, &audience, 1).await, ["B"]);
    assert_eq!(purge(1_000).await, 0);
}

/// Changes, as they are taken.
async fn taken(h: &dyn StoreHarness, audience: &Audience, limit: i64) -> Vec<String> {
    let mut uow = begin(h).await;
    let taken = uow.memberships().take_changes(audience.id, limit).await;
    uow.commit().await.unwrap();
    taken.unwrap()
}

async fn queue_changes(h: &dyn StoreHarness, audience: &Audience, request: i64, keys: &[&str]) {
    let mut uow = begin(h).await;
    let mut memberships = uow.memberships();
    let noted = memberships.queue_changes(audience.id, request, keys).await;
    noted.unwrap();
    drop(memberships);
    uow.commit().await.unwrap();
}

pub async fn changes_are_taken_once_their_refresh_is_seen(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let (one, two) = (added(h, &ws, "a").await, added(h, &ws, "b").await);
    let changed_audiences = async || h.queries().changed_audiences(10).await.unwrap();
    queue_changes(h, &one, 2, &["B", "A"]).await;
    queue_changes(h, &one, 1, &["C", "A"]).await;
    queue_changes(h, &two, 1, &["D"]).await;
    assert_eq!(changed_audiences().await, []);
    assert_eq!(taken(h, &one, 10).await, [""; 0]);
    note(h, &refreshed(&one, 1, at(10))).await;
    assert_eq!(changed_audiences().await, [(ws.clone(), one.id)]);
    note(h, &refreshed(&two, 1, at(10))).await;
    assert_eq!(
        changed_audiences().await,
        [(ws.clone(), one.id), (ws.clone(), two.id)]
    );
    let mut first = taken(h, &one, 1).await;
    first.extend(taken(h, &one, 10).await);
    assert_eq!(first, ["A", "C"], "those of the second wait");
    note(h, &refreshed(&one, 2, at(20))).await;
    let mut second = taken(h, &one, 10).await;
    second.sort_unstable();
    assert_eq!(second, ["A", "B"]);
    // Given up before anybody saw it.
    queue_changes(h, &one, 3, &["E"]).await;
    let mut uow = begin(h).await;
    uow.memberships().discard_unseen(one.id).await.unwrap();
    uow.commit().await.unwrap();
    note(h, &refreshed(&one, 3, at(30))).await;
    assert_eq!(taken(h, &one, 10).await, [""; 0]);
    assert_eq!(changed_audiences().await, [(ws, two.id)]);
}
