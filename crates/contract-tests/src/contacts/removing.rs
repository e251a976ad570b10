//! Tombstones.

use domain::recycle::{Reason, Reasons};
use ports::contacts::{ContactStore, Order, Tombstone};

use super::{bury, document, key, put, stone, view, walk};

/// A removal that no view names hides nothing.
pub async fn a_tombstone_hides_only_under_its_view(store: &dyn ContactStore) {
    put(store, 1, &["a", "b"], 5).await;
    bury(store, 1, vec![stone("a", 3, 5)]).await;
    assert_eq!(walk(store, 1, &view(&[]), 10).await, ["A", "B"]);
    assert_eq!(walk(store, 1, &view(&[2]), 10).await, ["A", "B"]);
    assert_eq!(walk(store, 1, &view(&[2, 3]), 10).await, ["B"]);
    let hidden = store.get(key(1), &[document("a")]).await.unwrap();
    assert_eq!(hidden.len(), 1, "what is hidden is still there");
}

/// In every view.
pub async fn the_permanent_removal_always_counts(store: &dyn ContactStore) {
    put(store, 1, &["a", "b"], 5).await;
    bury(store, 1, vec![stone("b", 0, 5)]).await;
    assert_eq!(walk(store, 1, &view(&[]), 10).await, ["A"]);
    assert_eq!(walk(store, 1, &view(&[9]), 10).await, ["A"]);
}

/// Hidden means: the tombstone's order is not below the contact's.
pub async fn a_later_write_shows_again(store: &dyn ContactStore) {
    put(store, 1, &["a"], 5).await;
    bury(store, 1, vec![stone("a", 1, 5)]).await;
    assert!(walk(store, 1, &view(&[1]), 10).await.is_empty());
    put(store, 1, &["a"], 6).await;
    assert_eq!(walk(store, 1, &view(&[1]), 10).await, ["A"]);
    bury(store, 1, vec![stone("a", 1, 6)]).await;
    assert!(walk(store, 1, &view(&[1]), 10).await.is_empty());
}

/// A repeated step of a removal does not undo a newer one.
pub async fn a_tombstone_of_higher_order_stays(store: &dyn ContactStore) {
    put(store, 1, &["a"], 6).await;
    bury(store, 1, vec![stone("a", 1, 6)]).await;
    bury(store, 1, vec![stone("a", 1, 5)]).await;
    assert!(walk(store, 1, &view(&[1]), 10).await.is_empty());
}

/// Of every removal.
pub async fn tombstones_are_found_by_document(store: &dyn ContactStore) {
    put(store, 1, &["a", "b"], 5).await;
    bury(
        store,
        1,
        vec![stone("a", 1, 5), stone("a", 2, 5), stone("b", 1, 4)],
    )
    .await;
    let mut found = store.tombstones(key(1), &[document("a")]).await.unwrap();
    found.sort_by_key(|s| s.removal);
    let found: Vec<_> = found.iter().map(|s| (s.removal.0, s.order)).collect();
    assert_eq!(found, [(1, Order(5)), (2, Order(5))]);
}

/// What holds, what was counted and by which run are kept apart, and replaced together.
pub async fn a_tombstone_keeps_what_was_counted(store: &dyn ContactStore) {
    let held = |reasons: &[Reason]| {
        let mut held = Reasons::NONE;
        reasons.iter().for_each(|reason| held.add(*reason));
        held
    };
    let marked = Tombstone {
        reasons: held(&Reason::PRIORITY),
        counted: held(&[Reason::OptedOut, Reason::Duplicates]),
        run: i64::MAX,
        ..stone("a", 1, 5)
    };
    let unmarked = Tombstone {
        reasons: Reasons::NONE,
        counted: Reasons::NONE,
        run: 0,
        ..stone("a", 1, 6)
    };
    for expected in [marked, unmarked] {
        bury(store, 1, vec![expected.clone()]).await;
        let found = store.tombstones(key(1), &[document("a")]).await.unwrap();
        assert_eq!(found, [expected]);
    }
}
