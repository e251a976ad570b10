//! Cases of reservations.

use std::time::Duration;

use futures::future::join_all;
use ports::idempotency::{IdempotencyScope, KEPT_FOR, Reservation, StoredAnswer};

use super::RequestsHarness;
use crate::store::workspace;

const LEASE: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);
const CONTENT: [u8; 32] = [7; 32];

fn scope(key: &str) -> IdempotencyScope {
    IdempotencyScope {
        workspace: workspace("ws"),
        method: "POST".into(),
        path: "/v1/audiences".into(),
        key: key.into(),
    }
}

fn answer() -> StoredAnswer {
    StoredAnswer {
        status: 201,
        headers: vec![
            ("location".into(), "/1".into()),
            ("etag".into(), "\"1\"".into()),
        ],
        body: vec![0, 0xff, b'{'],
    }
}

async fn reserve(h: &dyn RequestsHarness, scope: &IdempotencyScope) -> Reservation {
    h.idempotency()
        .reserve(scope, CONTENT, LEASE)
        .await
        .unwrap()
}

async fn fresh(h: &dyn RequestsHarness, scope: &IdempotencyScope) -> i64 {
    match reserve(h, scope).await {
        Reservation::Fresh { write_id } => write_id,
        other => panic!("not fresh: {other:?}"),
    }
}

pub async fn a_key_is_fresh_once(h: &dyn RequestsHarness) {
    fresh(h, &scope("k")).await;
    assert_eq!(
        reserve(h, &scope("k")).await,
        Reservation::Running { retry_after: LEASE }
    );
    h.clock().advance(SECOND);
    let left = LEASE - SECOND;
    assert_eq!(
        reserve(h, &scope("k")).await,
        Reservation::Running { retry_after: left }
    );
}

pub async fn an_answer_is_replayed_as_it_was(h: &dyn RequestsHarness) {
    let write_id = fresh(h, &scope("k")).await;
    h.idempotency()
        .complete(&scope("k"), write_id, &answer())
        .await
        .unwrap();
    for _ in 0..2 {
        h.clock().advance(LEASE * 2);
        assert_eq!(reserve(h, &scope("k")).await, Reservation::Replay(answer()));
    }
}

pub async fn other_content_is_a_mismatch(h: &dyn RequestsHarness) {
    let write_id = fresh(h, &scope("k")).await;
    let scope_k = scope("k");
    let other = || h.idempotency().reserve(&scope_k, [8; 32], LEASE);
    assert_eq!(other().await.unwrap(), Reservation::Mismatch);
    h.clock().advance(LEASE);
    assert_eq!(
        other().await.unwrap(),
        Reservation::Mismatch,
        "after the lease"
    );
    h.idempotency()
        .complete(&scope_k, write_id, &answer())
        .await
        .unwrap();
    assert_eq!(
        other().await.unwrap(),
        Reservation::Mismatch,
        "after the answer"
    );
}

pub async fn a_lapsed_lease_is_taken_over_under_the_same_write_id(h: &dyn RequestsHarness) {
    let write_id = fresh(h, &scope("k")).await;
    h.clock().advance(LEASE);
    assert_eq!(
        reserve(h, &scope("k")).await,
        Reservation::Rerun { write_id }
    );
    assert_eq!(
        reserve(h, &scope("k")).await,
        Reservation::Running { retry_after: LEASE }
    );
    h.idempotency()
        .complete(&scope("k"), write_id, &answer())
        .await
        .unwrap();
    assert_eq!(reserve(h, &scope("k")).await, Reservation::Replay(answer()));
}

pub async fn a_renewed_lease_lasts_longer(h: &dyn RequestsHarness) {
    let write_id = fresh(h, &scope("k")).await;
    let held = scope("k");
    let renew = async |id| h.idempotency().renew(&held, id, LEASE).await.unwrap();
    h.clock().advance(LEASE - SECOND);
    renew(write_id).await;
    h.clock().advance(SECOND);
    let left = LEASE - SECOND;
    assert_eq!(
        reserve(h, &scope("k")).await,
        Reservation::Running { retry_after: left }
    );
    renew(write_id + 1).await;
    h.clock().advance(left);
    assert_eq!(
        reserve(h, &scope("k")).await,
        Reservation::Rerun { write_id },
        "another's renewal"
    );
    h.idempotency()
        .complete(&held, write_id, &answer())
        .await
        .unwrap();
    renew(write_id).await;
    assert_eq!(reserve(h, &scope("k")).await, Reservation::Replay(answer()));
}

pub async fn an_abandoned_attempt_is_taken_over_at_once(h: &dyn RequestsHarness) {
    let write_id = fresh(h, &scope("k")).await;
    h.idempotency()
        .abandon(&scope("k"), write_id + 1)
        .await
        .unwrap();
    assert!(matches!(
        reserve(h, &scope("k")).await,
        Reservation::Running { .. }
    ));
    h.idempotency()
        .abandon(&scope("k"), write_id)
        .await
        .unwrap();
    assert_eq!(
        reserve(h, &scope("k")).await,
        Reservation::Rerun { write_id }
    );
}

pub async fn a_released_key_is_unused(h: &dyn RequestsHarness) {
    let write_id = fresh(h, &scope("k")).await;
    h.idempotency()
        .release(&scope("k"), write_id)
        .await
        .unwrap();
    assert_ne!(fresh(h, &scope("k")).await, write_id);
}

pub async fn only_the_holder_ends_a_reservation(h: &dyn RequestsHarness) {
    let write_id = fresh(h, &scope("k")).await;
    h.idempotency()
        .complete(&scope("k"), write_id + 1, &answer())
        .await
        .unwrap();
    h.idempotency()
        .release(&scope("k"), write_id + 1)
        .await
        .unwrap();
    assert!(matches!(
        reserve(h, &scope("k")).await,
        Reservation::Running { .. }
    ));
}

pub async fn an_answer_is_final(h: &dyn RequestsHarness) {
    let write_id = fresh(h, &scope("k")).await;
    let store = h.idempotency();
    store
        .complete(&scope("k"), write_id, &answer())
        .await
        .unwrap();
    let other = StoredAnswer {
        status: 500,
        ..answer()
    };
    store.complete(&scope("k"), write_id, &other).await.unwrap();
    store.release(&scope("k"), write_id).await.unwrap();
    store.abandon(&scope("k"), write_id).await.unwrap();
    assert_eq!(reserve(h, &scope("k")).await, Reservation::Replay(answer()));
}

pub async fn an_old_entry_counts_as_unused(h: &dyn RequestsHarness) {
    let write_id = fresh(h, &scope("k")).await;
    h.idempotency()
        .complete(&scope("k"), write_id, &answer())
        .await
        .unwrap();
    h.clock().advance(KEPT_FOR);
    assert_eq!(reserve(h, &scope("k")).await, Reservation::Replay(answer()));
    h.clock().advance(SECOND);
    assert_ne!(fresh(h, &scope("k")).await, write_id);
    assert!(matches!(
        reserve(h, &scope("k")).await,
        Reservation::Running { .. }
    ));
}

pub async fn every_part_of_the_scope_counts(h: &dyn RequestsHarness) {
    let base = scope("k");
    fresh(h, &base).await;
    fresh(
        h,
        &IdempotencyScope {
            workspace: workspace("other"),
            ..base.clone()
        },
    )
    .await;
    fresh(
        h,
        &IdempotencyScope {
            method: "PUT".into(),
            ..base.clone()
        },
    )
    .await;
    fresh(
        h,
        &IdempotencyScope {
            path: "/v1/uploads".into(),
            ..base.clone()
        },
    )
    .await;
    fresh(
        h,
        &IdempotencyScope {
            key: "K".into(),
            ..base
        },
    )
    .await;
}

pub async fn of_concurrent_requests_one_is_served(h: &dyn RequestsHarness) {
    let scope = scope("k");
    let all = || join_all((0..10).map(|_| reserve(h, &scope)));
    let first = all().await;
    let served = first
        .iter()
        .filter(|r| matches!(r, Reservation::Fresh { .. }))
        .count();
    assert_eq!(served, 1, "{first:?}");
    h.clock().advance(LEASE);
    let second = all().await;
    let served = second
        .iter()
        .filter(|r| matches!(r, Reservation::Rerun { .. }))
        .count();
    assert_eq!(served, 1, "{second:?}");
}
