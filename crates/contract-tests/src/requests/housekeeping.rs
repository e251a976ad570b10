//! Cases of what is deleted in time.

use std::time::Duration;

use domain::shared::Instant;
use ports::{
    Clock,
    idempotency::{IdempotencyScope, KEPT_FOR, Reservation, StoredAnswer},
    store::{Durability, EVENTS_KEPT_FOR, PurgeCounts, RECEIPTS_KEPT_FOR},
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
    // Receipts are older than this test's clock by as much as the database says.
    let others = |counts: PurgeCounts| PurgeCounts {
        receipts: 0,
        ..counts
    };
    for (kept_for, expected) in [
        (
            KEPT_FOR,
            PurgeCounts {
                idempotency: 1,
                ..PurgeCounts::default()
            },
        ),
        (
            EVENTS_KEPT_FOR,
            PurgeCounts {
                user_events: 1,
                ..PurgeCounts::default()
            },
        ),
    ] {
        let young = h.store().purge(start + kept_for, 10).await.unwrap();
        assert_eq!(others(young), PurgeCounts::default(), "after {kept_for:?}");
        let old = h.store().purge(start + kept_for + TICK, 10).await.unwrap();
        assert_eq!(others(old), expected, "later than {kept_for:?}");
    }
}

pub async fn what_is_old_goes_in_batches(h: &dyn RequestsHarness) {
    fill(h, 3, h.clock().now()).await;
    let ancient = at(0) - RECEIPTS_KEPT_FOR * 10_000;
    assert_eq!(
        h.store().purge(ancient, 10).await.unwrap(),
        PurgeCounts::default()
    );
    let later = at(0) + RECEIPTS_KEPT_FOR * 10_000;
    for most in [2, 1, 0] {
        let counts = PurgeCounts {
            idempotency: most,
            receipts: most,
            user_events: most,
        };
        assert_eq!(h.store().purge(later, 2).await.unwrap(), counts);
        assert_eq!(counts.most(), most);
    }
}
