//! Writing.

use domain::{
    contact::{ContactBody, RawValues},
    shared::{WorkspaceId, WriteNo},
};
use ports::contacts::{Applied, ContactRecord, ContactStore, Order, Priority};
use serde_json::json;

use super::{contact, document, key, put, view, walk, write};
use crate::store::at;

/// What is written is read back.
pub async fn a_new_contact_is_inserted_and_read_back(store: &dyn ContactStore) {
    assert_eq!(put(store, 1, &["a"], 5).await, [Applied::Inserted]);
    let found = store
        .get(key(1), &[document("a"), document("b")])
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found.first().unwrap().order, Order(5));
    assert_eq!(found.first().unwrap().body.name.as_deref(), Some("a@5"));
}

/// Order decides, and the replaced order is told.
pub async fn a_higher_order_replaces_and_tells_what(store: &dyn ContactStore) {
    put(store, 1, &["a"], 5).await;
    assert_eq!(
        put(store, 1, &["a"], 6).await,
        [Applied::Replaced(Order(5))]
    );
    let found = store.get(key(1), &[document("a")]).await.unwrap();
    assert_eq!(found.first().unwrap().body.name.as_deref(), Some("a@6"));
}

/// Arrival does not decide.
pub async fn a_lower_order_changes_nothing(store: &dyn ContactStore) {
    put(store, 1, &["a"], 5).await;
    assert_eq!(put(store, 1, &["a"], 4).await, [Applied::Superseded]);
    let found = store.get(key(1), &[document("a")]).await.unwrap();
    assert_eq!(found.first().unwrap().order, Order(5));
}

/// A repetition names the write that stored it and what that one replaced.
pub async fn the_same_order_again_is_told_apart(store: &dyn ContactStore) {
    write(store, 1, 7, vec![contact("a", 5)]).await;
    let again = write(store, 1, 8, vec![contact("a", 5)]).await;
    assert_eq!(
        again,
        [Applied::Repeated {
            previous: None,
            by: WriteNo(7)
        }]
    );
    write(store, 1, 9, vec![contact("a", 6)]).await;
    let again = write(store, 1, 9, vec![contact("a", 6)]).await;
    assert_eq!(
        again,
        [Applied::Repeated {
            previous: Some(Order(5)),
            by: WriteNo(9)
        }]
    );
}

/// Inserted and replaced: names that mean something to a store, and numbers at the ends of their range.
pub async fn every_value_comes_back_as_it_was(store: &dyn ContactStore) {
    let attributes = json!({
        "": "no name", "$set": "operator", "$": "dollar", "a.b": "path", "a%2Eb": "escape",
        "_id": "key", "0": "index", "É": "\u{0}\u{10ffff}", "yes": true, "no": false,
        "least": i64::MIN, "most": u64::MAX, "above": 9_223_372_036_854_775_808_u64,
        "tenth": 0.1, "whole": 7.0, "tiny": 5e-324, "huge": f64::MAX, "negative": -0.0,
    });
    let body = ContactBody {
        name: Some("Ana".to_owned()),
        phone: Some("+5511987654321".to_owned()),
        phone_valid: true,
        email: Some("$email".to_owned()),
        email_valid: false,
        attributes: attributes.as_object().unwrap().clone(),
        raw: RawValues {
            document: Some("a ".to_owned()),
            ..RawValues::default()
        },
        updated_at: at(1),
    };
    for order in [5, 6] {
        let row = ContactRecord {
            body: body.clone(),
            ..contact("a", order)
        };
        write(store, 1, order, vec![row, contact("b", order)]).await;
        let found = store.get(key(1), &[document("a")]).await.unwrap();
        assert_eq!(found.first().unwrap().order, Order(order));
        let found = &found.first().unwrap().body;
        assert_eq!(found, &body, "{:?} {:?}", found.attributes, body.attributes);
        assert!(
            found
                .attributes
                .get("negative")
                .unwrap()
                .as_f64()
                .unwrap()
                .is_sign_negative()
        );
    }
}

/// Whatever order the store writes in.
pub async fn answers_come_in_the_order_given(store: &dyn ContactStore) {
    put(store, 1, &["m"], 5).await;
    let rows = vec![
        contact("z", 6),
        contact("m", 4),
        contact("a", 6),
        contact("m2", 1),
    ];
    let answers = write(store, 1, 2, rows).await;
    use Applied::{Inserted, Superseded};
    assert_eq!(answers, [Inserted, Superseded, Inserted, Inserted]);
}

/// For repair.
pub async fn stored_by_names_what_a_write_left(store: &dyn ContactStore) {
    write(store, 1, 7, vec![contact("a", 5), contact("b", 5)]).await;
    write(store, 1, 8, vec![contact("b", 6), contact("c", 6)]).await;
    let asked = ["a", "b", "c", "d"].map(document);
    let mut found = store.stored_by(key(1), WriteNo(8), &asked).await.unwrap();
    found.sort();
    assert_eq!(
        found,
        [(document("b"), Some(Order(5))), (document("c"), None)]
    );
}

/// Nothing in, nothing out.
pub async fn empty_input_is_no_failure(store: &dyn ContactStore) {
    assert!(put(store, 1, &[], 1).await.is_empty());
    store
        .put_tombstones(key(1), Vec::new(), Priority::Bulk)
        .await
        .unwrap();
    assert!(store.get(key(1), &[]).await.unwrap().is_empty());
    assert!(store.tombstones(key(1), &[]).await.unwrap().is_empty());
}

/// A full batch, written by background work.
pub async fn many_rows_at_once_by_both_priorities(store: &dyn ContactStore) {
    let workspace = WorkspaceId::parse("ws_1").unwrap();
    for (n, priority) in [(1, Priority::Interactive), (2, Priority::Bulk)] {
        let rows = (0..ports::contacts::MAX_BATCH)
            .map(|i| {
                contact(
                    &format!("d{:05}", (i * 7919) % ports::contacts::MAX_BATCH),
                    1,
                )
            })
            .collect();
        let answers = store
            .upsert(key(n), &workspace, WriteNo(1), rows, priority)
            .await
            .unwrap();
        assert!(answers.iter().all(|a| *a == Applied::Inserted));
        let span = store
            .count_span(key(n), &view(&[]), None, None, u64::MAX >> 1)
            .await
            .unwrap();
        assert_eq!(span.count, ports::contacts::MAX_BATCH as u64);
    }
}

/// No character means anything to the store.
pub async fn odd_documents_stay_apart(store: &dyn ContactStore) {
    let long = "x".repeat(64);
    let odd = [
        "'", "''", "%", "_", "\\", "\"", "😀", "é", ";--", &long, "12-3", "1-23",
    ];
    put(store, 1, &odd, 1).await;
    let mut expected: Vec<String> = odd
        .iter()
        .map(|text| document(text).as_str().to_owned())
        .collect();
    expected.sort();
    assert_eq!(walk(store, 1, &view(&[]), 3).await, expected);
}
