//! Cases of reading.

use domain::{
    contact::Document,
    customer::{Channel, ConsentStatus, Customer, CustomerId, Identity},
    shared::WorkspaceId,
};
use ports::store::{CustomerFilter, CustomerLookup};
use serde_json::{Value, json};

use super::{add, client, external, import, imported, item, person, save};
use crate::store::{StoreHarness, at, workspace};

fn numbers(customers: &[Customer]) -> Vec<i64> {
    customers.iter().map(|c| c.id.raw()).collect()
}

async fn listed(h: &dyn StoreHarness, ws: &WorkspaceId, filter: CustomerFilter) -> Vec<i64> {
    let filter = CustomerFilter {
        limit: 10,
        ..filter
    };
    numbers(&h.queries().customers(ws, &filter).await.unwrap())
}

/// Two people of the API and two of each of two clients, from 1 on.
async fn people(h: &dyn StoreHarness, ws: &WorkspaceId) {
    let said = |status: &str| json!({"sms": {"status": status}});
    let api: Vec<Value> = vec![
        json!({"external_id": "a", "tags": ["VIP"], "consents": said("granted")}),
        json!({"external_id": "b", "tags": ["novo"], "consents": said("denied")}),
    ];
    add(h, ws, api).await;
    for client in ["clt_1", "clt_2"] {
        import(
            h,
            ws,
            client,
            &[person("a", "Ana", &["vip"]), person("b", "Bia", &[])],
        )
        .await;
    }
}

pub async fn lists_go_by_number_and_filters_combine(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    people(h, &ws).await;
    let all = CustomerFilter::default;
    let tag = || Some(" vIp".to_owned());
    for (filter, expected) in [
        (all(), &[1, 2, 3, 4, 5, 6][..]),
        (
            CustomerFilter {
                tag: tag(),
                ..all()
            },
            &[1, 3, 5],
        ),
        (
            CustomerFilter {
                client: Some(client("clt_1")),
                ..all()
            },
            &[3, 4],
        ),
        (
            CustomerFilter {
                imported: Some(true),
                ..all()
            },
            &[3, 4, 5, 6],
        ),
        (
            CustomerFilter {
                imported: Some(false),
                tag: tag(),
                ..all()
            },
            &[1],
        ),
        (
            CustomerFilter {
                consent: Some((Channel::Sms, ConsentStatus::Denied)),
                ..all()
            },
            &[2],
        ),
        (
            CustomerFilter {
                consent: Some((Channel::Email, ConsentStatus::Denied)),
                ..all()
            },
            &[],
        ),
        (
            CustomerFilter {
                tag: tag(),
                after: Some(CustomerId::from_raw(1)),
                ..all()
            },
            &[3, 5],
        ),
    ] {
        assert_eq!(listed(h, &ws, filter.clone()).await, expected, "{filter:?}");
    }
    let two = CustomerFilter { limit: 2, ..all() };
    assert_eq!(
        numbers(&h.queries().customers(&ws, &two).await.unwrap()),
        [1, 2]
    );
}

pub async fn look_ups_find_all_who_share(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let same = |id: &str| json!({"external_id": id, "document": "123.456.789-09", "phone": "11987654321", "email": "a@x.co"});
    add(h, &ws, vec![same("1"), same("2"), json!({"document": "9"})]).await;
    import(h, &ws, "clt_1", &[person("1", "Ana", &[])]).await;
    let document = |text: &str| CustomerLookup::Document(Document::parse(text).unwrap());
    for (by, expected) in [
        (document("12345678909"), &[1, 2][..]),
        (document("9"), &[3]),
        (document("8"), &[]),
        (CustomerLookup::Phone("+5511987654321".into()), &[1, 2]),
        (CustomerLookup::Email("a@x.co".into()), &[1, 2]),
        (
            CustomerLookup::Identity(Identity::External(external("1"))),
            &[1],
        ),
        (CustomerLookup::Identity(imported("clt_1", "1")), &[4]),
    ] {
        let found = h.queries().look_up_customers(&ws, &by, 10).await.unwrap();
        assert_eq!(numbers(&found), expected);
    }
    let by = document("12345678909");
    let first = h.queries().look_up_customers(&ws, &by, 1).await.unwrap();
    assert_eq!(numbers(&first), [1]);
}

pub async fn counts_are_exact(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    assert_eq!(
        h.queries().customer_counts(&ws).await.unwrap(),
        Default::default()
    );
    people(h, &ws).await;
    import(h, &ws, "clt_1", &[person("c", "Cia", &[])]).await;
    let mut uow = crate::store::begin(h).await;
    uow.customers()
        .name_client(&ws, &client("clt_1"), "acme")
        .await
        .unwrap();
    uow.customers()
        .name_client(&ws, &client("clt_3"), "none")
        .await
        .unwrap();
    uow.commit().await.unwrap();
    let counts = h.queries().customer_counts(&ws).await.unwrap();
    let by_client: Vec<_> = counts
        .by_client
        .iter()
        .map(|c| (c.client.as_str(), c.slug.as_str(), c.customers))
        .collect();
    assert_eq!(counts.total, 7);
    assert_eq!(
        by_client,
        [("clt_1", "acme", 3), ("clt_2", "", 2), ("clt_3", "none", 0)]
    );
}

pub async fn labels_are_counted_as_they_come_and_go(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let counts = async || {
        let tags = h.queries().customer_tags(&ws, None, 10).await.unwrap();
        let count = |t: &ports::store::TagCount| (t.label.clone(), t.customers);
        tags.iter().map(count).collect::<Vec<_>>()
    };
    let made = add(
        h,
        &ws,
        vec![
            json!({"external_id": "a", "tags": ["VIP", "b"]}),
            json!({"external_id": "b", "tags": ["vip"]}),
        ],
    )
    .await;
    assert_eq!(counts().await, [("b".into(), 1), ("VIP".into(), 2)]);
    let mut changed = made;
    for (customer, tags) in changed.iter_mut().zip([json!(["b", "c"]), json!([])]) {
        let change = item(json!({"id": 1, "tags": tags}));
        change.patch.apply(customer, at(2)).unwrap();
    }
    save(h, &ws, &changed).await;
    assert_eq!(counts().await, [("b".into(), 1), ("c".into(), 1)]);
    let after = h.queries().customer_tags(&ws, Some("b"), 10).await.unwrap();
    assert_eq!(after.len(), 1);
    // One and the same label from both sides is one.
    let mut one = import(h, &ws, "clt_1", &[person("a", "Ana", &["c"])])
        .await
        .remove(0);
    let change = item(json!({"id": 1, "tags": ["C"]}));
    change.patch.apply(&mut one, at(3)).unwrap();
    save(h, &ws, std::slice::from_ref(&one)).await;
    assert_eq!(counts().await, [("b".into(), 1), ("c".into(), 2)]);
}

pub async fn customers_stay_in_their_workspace(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    people(h, &ws).await;
    assert!(
        listed(h, &other, CustomerFilter::default())
            .await
            .is_empty()
    );
    let first = CustomerId::from_raw(1);
    assert!(h.queries().customer(&other, first).await.unwrap().is_none());
    let by = CustomerLookup::Identity(Identity::External(external("a")));
    assert!(
        h.queries()
            .look_up_customers(&other, &by, 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        h.queries()
            .customer_tags(&other, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(h.queries().customer_counts(&other).await.unwrap().total, 0);
}
