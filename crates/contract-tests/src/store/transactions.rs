//! Cases of units of work.

use std::time::Duration;

use futures::{FutureExt, join};
use ports::store::Durability;

use super::{StoreHarness, add, audience, begin, workspace};

pub async fn dropping_rolls_back(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let mut audience = audience(&ws, "a");
    let mut uow = begin(h).await;
    uow.audiences().add(&mut audience).await.unwrap();
    assert_eq!(
        uow.audiences().get(&ws, audience.id).await.unwrap(),
        Some(audience.clone())
    );
    drop(uow);
    let mut next = begin(h).await;
    assert_eq!(next.audiences().get(&ws, audience.id).await.unwrap(), None);
    next.audiences().add(&mut audience).await.unwrap();
    next.commit().await.unwrap();
}

pub async fn a_dropped_wait_leaves_the_store_usable(h: &dyn StoreHarness) {
    for _ in 0..20 {
        // Polled once, so that each is dropped wherever it first waits.
        drop(h.store().begin(Durability::Full).now_or_never());
        let mut uow = begin(h).await;
        let ws = workspace("w");
        let mut dropped = audience(&ws, "dropped");
        let _ = uow.audiences().add(&mut dropped).now_or_never();
    }
    let mut kept = audience(&workspace("w"), "dropped");
    add(h, &mut kept).await;
    let found = h
        .queries()
        .audience(&kept.workspace, kept.id)
        .await
        .unwrap();
    assert_eq!(found, Some(kept));
}

pub async fn a_refused_change_is_never_committed(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let (mut first, mut second) = (audience(&ws, "first"), audience(&ws, "FIRST"));
    let mut uow = begin(h).await;
    uow.audiences().add(&mut first).await.unwrap();
    uow.audiences().add(&mut second).await.unwrap_err();
    let committed = uow.commit().await.is_ok();
    let stored = h.queries().audience(&ws, first.id).await.unwrap().is_some();
    assert_eq!(
        committed, stored,
        "a commit that succeeds has stored everything"
    );
    assert_eq!(h.queries().audience(&ws, second.id).await.unwrap(), None);
}

pub async fn units_of_work_wait_for_each_other(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let audience = super::added(h, &ws, "a").await;
    let count = || async {
        for _ in 0..10 {
            let mut uow = begin(h).await;
            uow.contents()
                .take_requests(super::key(&audience), 1)
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            uow.commit().await.unwrap();
        }
    };
    join!(count(), count(), count());
    let content = h
        .queries()
        .content(super::key(&audience))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(content.next_request, 31);
}

pub async fn every_durability_commits(h: &dyn StoreHarness) {
    let ws = workspace("w");
    for (round, durability) in [Durability::Full, Durability::Derived, Durability::Derived]
        .into_iter()
        .cycle()
        .take(7)
        .enumerate()
    {
        let mut audience = audience(&ws, &round.to_string());
        let mut uow = h.store().begin(durability).await.unwrap();
        uow.audiences().add(&mut audience).await.unwrap();
        uow.commit().await.unwrap();
        assert!(
            h.queries()
                .audience(&ws, audience.id)
                .await
                .unwrap()
                .is_some()
        );
    }
}
