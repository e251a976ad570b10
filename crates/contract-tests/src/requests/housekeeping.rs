//! Cases of what is deleted in time.

use std::time::Duration;

use domain::shared::Instant;
use ports::{
    Clock,
    idempotency::{IdempotencyScope, KEPT_FOR, Reservation, StoredAnswer},
    store::{Durability, EVENTS_KEPT_FOR},
};
use serde_json::json;

use super::RequestsHarness;
use crate::store::{at, user, workspace};

const LEASE: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(1);

/// Leaves `count` rows of every kind behind, all of `now` but for the receipts, which go by the
/// clock of the database.
async fn fill(h: &dyn RequestsHarness, count: i64, now: Instant) {
    let (ws, user) = (workspace("ws"), user());
    let mut uow = h.store().begin(Durability::Full).await.unwrap();
    for n in 0..count {
        uow.receipts().put(n, json!(n)).await.unwrap();
        uow.notifications()
            .append_event(&ws, &user, "operation", &json!(n), now)
            .await
            .unwrap();
    }
    uow.commit().await.unwrap();
    let answer = StoredAnswer {
        status: 200,
        headers: Vec::new(),
        body: Vec::new(),
    };
    for n in 0..count {
        let scope = IdempotencyScope {
            workspace: ws.clone(),
            method: "POST".into(),
            path: "/".into(),
            key: n.to_string(),
        };
        let held = h
            .idempotency()
            .reserve(&scope, [0; 32], LEASE)
            .await
            .unwrap();
        if let Reservation::Fresh { write_id } = held {
            h.idempotency()
                .complete(&scope, write_id, &answer)
                .await
                .unwrap();
        }
    }
}

pub async fn what_is_young_stays(h: &dyn RequestsHarness) {
    let start = h.clock().now();
    fill(h, 1, start).await;
    let young = h.store().purge_user_events(start + EVENTS_KEPT_FOR, 10);
    assert_eq!(young.await.unwrap(), 0);
    let old = h
        .store()
        .purge_user_events(start + EVENTS_KEPT_FOR + TICK, 10);
    assert_eq!(old.await.unwrap(), 1);
    h.clock().advance(KEPT_FOR);
    // The receipt goes by the clock of the database, which may be far from the one here.
    assert!(h.idempotency().purge(10).await.unwrap() <= 1);
    assert_eq!(h.idempotency().purge(10).await.unwrap(), 0);
    h.clock().advance(TICK);
    assert_eq!(h.idempotency().purge(10).await.unwrap(), 1);
}

pub async fn what_is_old_goes_in_batches(h: &dyn RequestsHarness) {
    fill(h, 3, h.clock().now()).await;
    let later = at(0) + EVENTS_KEPT_FOR * 10_000;
    for most in [2, 1, 0] {
        let deleted = h.store().purge_user_events(later, 2).await.unwrap();
        assert_eq!(deleted, most);
    }
    h.clock().advance(KEPT_FOR * 100_000);
    for most in [2, 1, 0] {
        let deleted = h.idempotency().purge(2).await.unwrap();
        assert_eq!(deleted, 2 * most, "answers, and as many receipts");
    }
}
