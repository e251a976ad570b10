//! Cases of writing.

use domain::customer::{Customer, CustomerId, CustomerKey, Identity, Synced};
use futures::future::join_all;
use ports::{constraint, store::CustomerContact};
use serde_json::{Value, json};

use super::{add, external, import, imported, item, made, person, save, stored};
use crate::store::{StoreHarness, at, begin, workspace};

pub async fn a_customer_comes_back_as_it_was(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let full = json!({
        "external_id": "x:1", "document": "123.456.789-09", "name": "José \"O'Hara\" 😀",
        "phone": "(11) 98765-4321", "email": "JOSE@Exemplo.com.br", "tags": ["VIP", "novo"],
        "attributes": {"plano": "gold", "idade": 33, "saldo": -1.5, "ativo": true, "vazio": ""},
        "consents": {
            "sms": {"status": "denied", "source": "call", "at": "2026-01-02T03:04:05.678Z"},
            "email": {"status": "granted"},
        },
    });
    let bare = json!({"document": "é:1", "phone": "nobody", "email": "no"});
    for expected in add(h, &ws, vec![full, bare]).await {
        assert!(
            stored(h, &ws, expected.id).await == expected,
            "{expected:?}"
        );
    }
    for expected in import(h, &ws, "clt_1", &[person("7", "Ana", &["a", "b"])]).await {
        assert!(
            stored(h, &ws, expected.id).await == expected,
            "{expected:?}"
        );
    }
}

pub async fn customers_are_read_as_contacts(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("w1"), workspace("w2"));
    let items = vec![
        json!({"document": "1", "name": "Ana", "phone": "11999999999", "plan": "gold", "tags": ["b", "a"],
            "consents": {"email": {"status": "denied"}}}),
        json!({"document": "2", "email": "bia@example.com"}),
    ];
    let customers = add(h, &ws, items).await;
    add(h, &other, vec![json!({"document": "3"})]).await;
    let mut ids: Vec<CustomerId> = customers.iter().rev().map(|c| c.id).collect();
    ids.push(CustomerId::from_raw(9_999));
    let contacts = h.queries().contacts_of(&ws, &ids).await.unwrap();
    let contact = |customer: &Customer| CustomerContact {
        id: customer.id,
        version: customer.version,
        body: customer.contact().body,
    };
    let expected: Vec<_> = customers.iter().map(contact).collect();
    assert_eq!(contacts, expected);
}

pub async fn customers_are_found_by_number_and_identity_once_each(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let made = add(
        h,
        &ws,
        ["a", "b", "c"]
            .map(|id| json!({"external_id": id}))
            .to_vec(),
    )
    .await;
    import(h, &ws, "clt_1", &[person("a", "Ana", &[])]).await;
    let keys = [
        CustomerKey::Id(made[0].id),
        CustomerKey::Identity(Identity::External(external("a"))),
        CustomerKey::Identity(Identity::External(external("b"))),
        CustomerKey::Identity(imported("clt_1", "a")),
        CustomerKey::Identity(imported("clt_1", "b")),
        CustomerKey::Identity(imported("clt_2", "a")),
        CustomerKey::Id(CustomerId::from_raw(99)),
    ];
    let mut uow = begin(h).await;
    let mut found = uow.customers().find(&ws, &keys).await.unwrap();
    found.sort_by_key(|customer| customer.id);
    let numbers: Vec<i64> = found.iter().map(|c| c.id.raw()).collect();
    assert_eq!(numbers, [1, 2, 4]);
    assert!(uow.customers().find(&ws, &[]).await.unwrap().is_empty());
}

pub async fn an_identity_is_there_once_in_its_workspace(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    let one = || vec![json!({"external_id": "a"})];
    add(h, &ws, one()).await;
    add(h, &other, one()).await;
    import(h, &ws, "clt_1", &[person("a", "Ana", &[])]).await;
    import(h, &ws, "clt_2", &[person("a", "Ana", &[])]).await;
    let mut uow = begin(h).await;
    let id = uow.customers().take_numbers(&ws, 1).await.unwrap();
    let again = [made(id, json!({"external_id": "a"}))];
    let refused = uow.customers().add(&ws, &again).await.unwrap_err();
    assert!(refused.is_conflict_on(constraint::OTHER), "{refused:?}");
}

pub async fn numbers_are_given_per_workspace(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    for (ws, count, first) in [(&ws, 2, 1), (&other, 1, 1), (&ws, 1, 3), (&other, 1, 2)] {
        let mut uow = begin(h).await;
        let taken = uow.customers().take_numbers(ws, count).await.unwrap();
        assert_eq!(taken.raw(), first);
        uow.commit().await.unwrap();
    }
    let mut uow = begin(h).await;
    uow.customers().take_numbers(&ws, 5).await.unwrap();
    drop(uow);
    let mut uow = begin(h).await;
    assert_eq!(uow.customers().take_numbers(&ws, 1).await.unwrap().raw(), 4);
}

pub async fn saving_replaces_values_and_keeps_consent(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let mut customer = import(h, &ws, "clt_1", &[person("7", "Ana", &["a"])])
        .await
        .remove(0);
    let said = json!({"id": 1, "consents": {"sms": {"status": "denied", "source": "call"}}});
    item(said).patch.apply(&mut customer, at(2)).unwrap();
    save(h, &ws, std::slice::from_ref(&customer)).await;
    let consents = customer.consents.clone();

    // Even a writer that knows of no consent takes none away.
    customer.consents = Default::default();
    let synced = person("7", "Bia", &["b"]).apply(&mut customer, 5, at(3));
    assert_eq!(synced, Synced::Updated);
    save(h, &ws, std::slice::from_ref(&customer)).await;
    customer.consents = consents;
    assert!(stored(h, &ws, customer.id).await == customer);
}

pub async fn writers_of_a_workspace_take_turns(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let made = add(
        h,
        &ws,
        vec![json!({"external_id": "a", "attributes": {"n": 0}})],
    )
    .await;
    let key = [CustomerKey::Id(made[0].id)];
    let count_up = async || {
        let mut uow = begin(h).await;
        let mut found = uow.customers().find(&ws, &key).await.unwrap();
        let n = found[0].attributes["n"].as_i64().unwrap() + 1;
        let change = item(json!({"id": 1, "n": n}));
        change.patch.apply(&mut found[0], at(n)).unwrap();
        uow.customers().save(&ws, &found).await.unwrap();
        uow.commit().await.unwrap();
    };
    join_all((0..6).map(|_| count_up())).await;
    let last = stored(h, &ws, made[0].id).await;
    assert_eq!((last.attributes["n"].as_i64(), last.version), (Some(6), 7));
}

pub async fn a_rollback_leaves_nothing(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let mut uow = begin(h).await;
    let id = uow.customers().take_numbers(&ws, 1).await.unwrap();
    let customers = [made(id, json!({"external_id": "a", "tags": ["vip"]}))];
    uow.customers().add(&ws, &customers).await.unwrap();
    drop(uow);
    assert!(h.queries().customer(&ws, id).await.unwrap().is_none());
    assert_eq!(h.queries().customer_counts(&ws).await.unwrap().total, 0);
    assert!(
        h.queries()
            .customer_tags(&ws, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn large_batches_are_written_whole(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let items: Vec<Value> = (0..2_501)
        .map(|n| json!({"external_id": n.to_string(), "name": "N", "tags": ["all", n.to_string()]}))
        .collect();
    let mut customers = add(h, &ws, items).await;
    let keys: Vec<_> = customers.iter().map(|c| CustomerKey::Id(c.id)).collect();
    for customer in &mut customers {
        let change = item(json!({"id": 1, "name": "M", "tags": ["all"]}));
        change.patch.apply(customer, at(2)).unwrap();
    }
    save(h, &ws, &customers).await;
    let mut uow = begin(h).await;
    let mut found = uow.customers().find(&ws, &keys).await.unwrap();
    found.sort_by_key(|customer| customer.id);
    assert!(found == customers);
    drop(uow);
    assert_eq!(h.queries().customer_counts(&ws).await.unwrap().total, 2_501);
    let tags = h.queries().customer_tags(&ws, None, 9).await.unwrap();
    let tags: Vec<_> = tags.iter().map(|t| (t.key.as_str(), t.customers)).collect();
    assert_eq!(tags, [("all", 2_501)]);
}
