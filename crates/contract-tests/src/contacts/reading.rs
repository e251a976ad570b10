//! Reading.

use std::collections::{HashMap, HashSet};

use domain::{
    contact::Document,
    shared::{Epoch, WorkspaceId, WriteNo},
};
use ports::contacts::{ContactStore, ContentKey, Order, Priority};

use super::{bury, contact, document, key, put, stone, view, walk};

fn letters() -> Vec<String> {
    ('a'..='t').map(|c| c.to_string()).collect()
}

async fn fill(store: &dyn ContactStore, n: i64) {
    let letters = letters();
    let texts: Vec<&str> = letters.iter().map(String::as_str).collect();
    put(store, n, &texts, 1).await;
}

/// At every size of step.
pub async fn a_walk_meets_each_contact_once(store: &dyn ContactStore) {
    fill(store, 1).await;
    let all: Vec<String> = letters().iter().map(|l| l.to_uppercase()).collect();
    for step in [1, 2, 3, 7, 19, 20, 21] {
        assert_eq!(
            walk(store, 1, &view(&[]), step).await,
            all,
            "steps of {step}"
        );
    }
}

/// Hidden contacts at the ends of steps.
pub async fn a_walk_skips_what_is_hidden_at_every_boundary(store: &dyn ContactStore) {
    fill(store, 1).await;
    let hidden = ["a", "c", "d", "e", "j", "t"];
    bury(
        store,
        1,
        hidden.iter().map(|text| stone(text, 1, 1)).collect(),
    )
    .await;
    let left: Vec<String> = letters()
        .iter()
        .filter(|l| !hidden.contains(&l.as_str()))
        .map(|l| l.to_uppercase())
        .collect();
    for step in 1..=15 {
        assert_eq!(
            walk(store, 1, &view(&[1]), step).await,
            left,
            "steps of {step}"
        );
    }
}

/// Skipping counts what the view sees.
pub async fn a_page_skips_visible_contacts_only(store: &dyn ContactStore) {
    fill(store, 1).await;
    bury(store, 1, vec![stone("b", 1, 1), stone("c", 1, 1)]).await;
    let after = document("a");
    let page = store
        .page(key(1), &view(&[1]), Some(&after), 1, 2)
        .await
        .unwrap();
    let documents: Vec<&str> = page.iter().map(|c| c.document.as_str()).collect();
    assert_eq!(documents, ["E", "F"]);
    assert!(
        store
            .page(key(1), &view(&[1]), None, 18, 5)
            .await
            .unwrap()
            .is_empty()
    );
}

/// Counting and scanning agree, at every limit and bound.
pub async fn spans_count_what_scans_see(store: &dyn ContactStore) {
    fill(store, 1).await;
    bury(store, 1, vec![stone("d", 1, 1), stone("h", 1, 1)]).await;
    let (after, until) = (document("b"), document("i"));
    let span = |limit| store.count_span(key(1), &VIEW, Some(&after), Some(&until), limit);
    static VIEW: std::sync::LazyLock<ports::contacts::View> =
        std::sync::LazyLock::new(|| super::view(&[1]));
    let all = span(100).await.unwrap();
    assert_eq!((all.count, all.last), (5, Some(document("i"))));
    let some = span(2).await.unwrap();
    assert_eq!((some.count, some.last), (2, Some(document("e"))));
    let none = store
        .count_span(key(1), &VIEW, Some(&document("t")), None, 5)
        .await
        .unwrap();
    assert_eq!((none.count, none.last), (0, None));
    let keys = store
        .scan_keys(key(1), &VIEW, Some(&after), 3)
        .await
        .unwrap();
    let keys: Vec<&str> = keys.iter().map(|k| k.document.as_str()).collect();
    assert_eq!(keys, ["C", "E", "F"]);
    let spans = async |block, most| {
        let found = store.spans(key(1), &VIEW, Some(&after), Some(&until), block, most);
        let found = found.await.unwrap().into_iter();
        found.map(|s| (s.count, s.last)).collect::<Vec<_>>()
    };
    let (e, g, i) = (document("e"), document("g"), document("i"));
    let two = [(2, Some(e)), (2, Some(g)), (1, Some(i.clone()))];
    assert_eq!(spans(2, 9).await, two);
    assert_eq!(spans(2, 2).await, two[..2]);
    assert_eq!(spans(5, 9).await, [(5, Some(i))]);
}

/// Not by audience, not by epoch.
pub async fn contents_never_mix(store: &dyn ContactStore) {
    put(store, 1, &["a", "b"], 1).await;
    put(store, 2, &["b", "c"], 9).await;
    let next = ContentKey {
        epoch: Epoch(2),
        ..key(1)
    };
    let workspace = WorkspaceId::parse("ws_2").unwrap();
    let rows = vec![contact("z", 1)];
    store
        .upsert(next, &workspace, WriteNo(1), rows, Priority::Bulk)
        .await
        .unwrap();
    bury(store, 2, vec![stone("b", 1, 9)]).await;
    assert_eq!(walk(store, 1, &view(&[1]), 10).await, ["A", "B"]);
    assert_eq!(walk(store, 2, &view(&[1]), 10).await, ["C"]);
    let other = store.scan(next, &view(&[1]), None, 10).await.unwrap();
    assert_eq!(other.len(), 1);
}

/// The last one saved counts.
pub async fn a_page_index_is_kept_and_replaced(store: &dyn ContactStore) {
    assert_eq!(store.load_page_index(key(1)).await.unwrap(), None);
    let first = [(document("m"), 3), (document("z"), 4)];
    store.save_page_index(key(1), 7, &first).await.unwrap();
    assert_eq!(
        store.load_page_index(key(1)).await.unwrap(),
        Some((7, first.to_vec()))
    );
    store
        .save_page_index(key(1), 8, &[(document("m"), 3)])
        .await
        .unwrap();
    assert_eq!(
        store.load_page_index(key(1)).await.unwrap(),
        Some((8, vec![(document("m"), 3)]))
    );
    assert_eq!(store.load_page_index(key(2)).await.unwrap(), None);
}

/// Each row is seen whole, and none as it was before it was last seen. (A write of several rows may be seen
/// in part: not every store has transactions.)
pub async fn readers_and_a_writer_at_once(store: &dyn ContactStore) {
    let write = async {
        for order in 1..=20 {
            put(store, 1, &["a", "b", "c"], order).await;
        }
    };
    let read = async {
        let mut seen: HashMap<Document, Order> = HashMap::new();
        for _ in 0..60 {
            let rows = store.scan(key(1), &view(&[]), None, 10).await.unwrap();
            let documents: HashSet<_> = rows.iter().map(|row| &row.document).collect();
            assert!(documents.len() == rows.len() && seen.keys().all(|d| documents.contains(d)));
            for row in rows {
                let (document, order) = (row.document, row.order);
                let name = format!("{}@{}", document.as_str().to_lowercase(), order.0);
                assert_eq!(row.body.name, Some(name));
                assert!(
                    seen.insert(document, order)
                        .is_none_or(|before| before <= order)
                );
            }
        }
    };
    futures::join!(write, read);
    assert_eq!(walk(store, 1, &view(&[]), 10).await, ["A", "B", "C"]);
}
