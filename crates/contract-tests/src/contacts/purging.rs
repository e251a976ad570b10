//! Purging.

use domain::shared::RemovalNo;
use ports::contacts::{ContactStore, Purge};

use super::{bury, document, key, put, stone, view, walk};

/// Step by step, and nothing of another content.
pub async fn a_content_goes_in_steps_and_alone(store: &dyn ContactStore) {
    put(store, 1, &["a", "b", "c", "d", "e"], 1).await;
    put(store, 2, &["a"], 1).await;
    bury(store, 1, vec![stone("a", 1, 1)]).await;
    bury(store, 2, vec![stone("a", 1, 1)]).await;
    let mut steps = 1;
    while store.purge_content(key(1), 2).await.unwrap() {
        steps += 1;
        assert!(steps < 20, "a purge ends");
    }
    assert!(steps > 1, "the limit was kept");
    assert!(walk(store, 1, &view(&[]), 10).await.is_empty());
    assert!(
        store
            .tombstones(key(1), &[document("a")])
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(walk(store, 2, &view(&[]), 10).await, ["A"]);
    assert_eq!(
        store
            .tombstones(key(2), &[document("a")])
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn purge(store: &dyn ContactStore, no: i64, what: Purge) {
    let mut after = None;
    for _ in 0..20 {
        after = store
            .purge_removal(key(1), RemovalNo(no), what, after.as_ref(), 1)
            .await
            .unwrap();
        if after.is_none() {
            return;
        }
    }
    panic!("a purge ends");
}

/// Contacts and tombstones of this removal only.
pub async fn a_purged_removal_takes_what_it_hides(store: &dyn ContactStore) {
    put(store, 1, &["a", "b", "c"], 1).await;
    bury(
        store,
        1,
        vec![stone("a", 1, 1), stone("b", 1, 1), stone("c", 2, 1)],
    )
    .await;
    purge(store, 1, Purge::Hidden).await;
    assert_eq!(walk(store, 1, &view(&[]), 10).await, ["C"]);
    assert!(walk(store, 1, &view(&[2]), 10).await.is_empty());
    assert!(
        store
            .tombstones(key(1), &[document("a")])
            .await
            .unwrap()
            .is_empty()
    );
}

/// Only its stale tombstone goes.
pub async fn a_rewritten_contact_survives_the_purge(store: &dyn ContactStore) {
    put(store, 1, &["a"], 1).await;
    bury(store, 1, vec![stone("a", 1, 1)]).await;
    put(store, 1, &["a"], 2).await;
    purge(store, 1, Purge::Hidden).await;
    assert_eq!(walk(store, 1, &view(&[]), 10).await, ["A"]);
    assert!(
        store
            .tombstones(key(1), &[document("a")])
            .await
            .unwrap()
            .is_empty()
    );
}

/// A removal that was taken back leaves nothing behind, and nobody goes with it.
pub async fn a_withdrawn_removal_takes_nobody(store: &dyn ContactStore) {
    put(store, 1, &["a", "b"], 1).await;
    let stones = vec![stone("a", 1, 1), stone("b", 1, 1), stone("a", 2, 1)];
    bury(store, 1, stones).await;
    purge(store, 1, Purge::Tombstones).await;
    assert_eq!(walk(store, 1, &view(&[1]), 10).await, ["A", "B"]);
    assert_eq!(walk(store, 1, &view(&[2]), 10).await, ["B"]);
    let left = store
        .tombstones(key(1), &[document("a"), document("b")])
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
}
