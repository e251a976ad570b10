//! Cases of what uses audiences.

use domain::{
    audience::{Audience, Definition, Usage},
    shared::{AudienceId, WorkspaceId},
};
use futures::join;
use ports::store::{Referring, UsageChange};
use serde_json::json;

use super::{StoreHarness, added, at, begin, workspace};

fn usage(kind: &str, id: &str) -> Usage {
    Usage::parse(kind, id, "Natal", false).unwrap()
}

fn used(usage: Usage) -> UsageChange {
    UsageChange {
        usage,
        in_use: true,
        version: None,
        at: at(1),
    }
}

fn told(usage: Usage, in_use: bool, version: i64) -> UsageChange {
    UsageChange {
        in_use,
        version: Some(version),
        ..used(usage)
    }
}

async fn change(h: &dyn StoreHarness, audience: &Audience, change: &UsageChange) -> bool {
    let mut uow = begin(h).await;
    let new = uow
        .usages()
        .change(&audience.workspace, audience.id, change)
        .await
        .unwrap();
    uow.commit().await.unwrap();
    new
}

/// Kind and id of what uses an audience.
async fn users(h: &dyn StoreHarness, audience: &Audience) -> Vec<(String, String)> {
    let workspace = &audience.workspace;
    let found = h.queries().usages(workspace, audience.id, None, 100).await;
    let mut uow = begin(h).await;
    let within = uow.usages().list(workspace, audience.id, 100).await;
    let found = found.unwrap();
    assert_eq!(within.unwrap(), found);
    found.into_iter().map(|u| (u.kind, u.id)).collect()
}

async fn is_resource(h: &dyn StoreHarness, audience: &Audience) -> bool {
    let found = h.queries().audience(&audience.workspace, audience.id).await;
    found.unwrap().unwrap().resource
}

fn pair(kind: &str, id: &str) -> (String, String) {
    (kind.to_owned(), id.to_owned())
}

/// Gives an audience conditions that name others.
async fn refer(h: &dyn StoreHarness, audience: &Audience, to: &[AudienceId]) -> Audience {
    let mut uow = begin(h).await;
    let found = uow.audiences().get(&audience.workspace, audience.id).await;
    let mut changed = found.unwrap().unwrap();
    let version = changed.version;
    let condition = |id: &AudienceId| json!({"kind": "audience", "operator": "member_of", "value": id.to_string()});
    let conditions: Vec<_> = to.iter().map(condition).collect();
    let groups = match conditions.is_empty() {
        true => Vec::new(),
        false => vec![json!({ "conditions": conditions })],
    };
    let definition = Definition {
        groups,
        ..Definition::default()
    };
    changed.define(definition, at(2));
    uow.audiences().save(&changed, version).await.unwrap();
    uow.commit().await.unwrap();
    changed
}

async fn drop_it(h: &dyn StoreHarness, audience: &Audience) {
    let mut uow = begin(h).await;
    let found = uow.audiences().get(&audience.workspace, audience.id).await;
    let mut audience = found.unwrap().unwrap();
    let version = audience.version;
    audience.drop_at(at(3));
    uow.audiences().save(&audience, version).await.unwrap();
    uow.commit().await.unwrap();
}

pub async fn a_usage_is_noted_once_and_taken_back(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w"), "a").await;
    assert!(change(h, &audience, &used(usage("campaign", "1"))).await);
    let mut again = used(usage("campaign", "1"));
    again.usage.name = "Páscoa".to_owned();
    again.usage.resource = true;
    assert!(!change(h, &audience, &again).await, "it is known");
    let found = h
        .queries()
        .usages(&audience.workspace, audience.id, None, 10)
        .await;
    assert_eq!(found.unwrap(), [again.usage.clone()]);
    assert!(is_resource(h, &audience).await);
    again.in_use = false;
    change(h, &audience, &again).await;
    assert_eq!(users(h, &audience).await, []);
    assert!(!is_resource(h, &audience).await);
    change(h, &audience, &again).await;
    assert!(change(h, &audience, &used(usage("campaign", "1"))).await);
}

pub async fn a_resource_is_one_while_something_says_so(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w"), "a").await;
    let resource = |id: &str| {
        let mut usage = usage("workflow", id);
        usage.resource = true;
        used(usage)
    };
    let (one, two) = (resource("1"), resource("2"));
    for noted in [&one, &two, &used(usage("workflow", "3"))] {
        change(h, &audience, noted).await;
    }
    let over = |of: &UsageChange| UsageChange {
        in_use: false,
        ..of.clone()
    };
    change(h, &audience, &over(&one)).await;
    assert!(is_resource(h, &audience).await);
    change(h, &audience, &over(&two)).await;
    assert!(!is_resource(h, &audience).await);
    // A change of what describes it, that was read before, leaves it alone.
    let mut described = h
        .queries()
        .audience(&audience.workspace, audience.id)
        .await
        .unwrap()
        .unwrap();
    change(h, &audience, &one).await;
    described.drop_at(at(9));
    let mut uow = begin(h).await;
    uow.audiences().save(&described, 1).await.unwrap();
    uow.commit().await.unwrap();
    assert!(is_resource(h, &audience).await);
}

pub async fn what_is_told_late_changes_nothing(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w"), "a").await;
    let usage = || usage("communication", "7");
    change(h, &audience, &told(usage(), false, 5)).await;
    assert!(!change(h, &audience, &told(usage(), true, 4)).await);
    assert!(!change(h, &audience, &told(usage(), true, 5)).await);
    assert_eq!(users(h, &audience).await, []);
    assert!(change(h, &audience, &told(usage(), true, 6)).await);
    // What a request says counts whenever it does, and later events after it.
    let over = UsageChange {
        in_use: false,
        ..used(usage())
    };
    change(h, &audience, &over).await;
    change(h, &audience, &told(usage(), true, 6)).await;
    assert_eq!(users(h, &audience).await, []);
    change(h, &audience, &told(usage(), true, 7)).await;
    assert_eq!(users(h, &audience).await, [pair("communication", "7")]);
}

pub async fn other_workspaces_are_not_told(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w1"), "a").await;
    let mut uow = begin(h).await;
    let other = workspace("w2");
    let noted = used(usage("campaign", "1"));
    let new = uow.usages().change(&other, audience.id, &noted).await;
    assert!(!new.unwrap());
    uow.commit().await.unwrap();
    assert_eq!(users(h, &audience).await, []);
    change(h, &audience, &noted).await;
    let found = h.queries().usages(&other, audience.id, None, 10).await;
    assert_eq!(found.unwrap(), []);
    let foreign = added(h, &other, "b").await;
    refer(h, &foreign, &[audience.id]).await;
    assert_eq!(users(h, &audience).await, [pair("campaign", "1")]);
}

pub async fn conditions_of_live_audiences_use_what_they_name(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let (named, other) = (added(h, &ws, "named").await, added(h, &ws, "other").await);
    let one = added(h, &ws, "One").await;
    let two = added(h, &ws, "two").await;
    refer(h, &one, &[named.id, other.id]).await;
    refer(h, &two, &[named.id]).await;
    let by = |audience: &Audience| pair("audience", &audience.id.to_string());
    assert_eq!(users(h, &named).await, [by(&one), by(&two)]);
    assert_eq!(users(h, &other).await, [by(&one)]);
    let found = h.queries().usages(&ws, named.id, None, 1).await.unwrap();
    assert_eq!(found[0].name, "One");
    refer(h, &one, &[other.id]).await;
    assert_eq!(users(h, &named).await, [by(&two)]);
    drop_it(h, &two).await;
    assert_eq!(users(h, &named).await, []);
    refer(h, &one, &[]).await;
    assert_eq!(users(h, &other).await, []);
}

pub async fn usages_are_paged_in_their_order(h: &dyn StoreHarness) {
    let ws: WorkspaceId = workspace("w");
    let audience = added(h, &ws, "a").await;
    for (kind, id) in [
        ("workflow", "1"),
        ("a", "2"),
        ("a", "10"),
        ("campaign", "1"),
        ("audience_", "1"),
    ] {
        change(h, &audience, &used(usage(kind, id))).await;
    }
    let mut referring = Vec::new();
    for name in ["x", "y", "z"] {
        let made = added(h, &ws, name).await;
        refer(h, &made, &[audience.id]).await;
        referring.push(pair("audience", &made.id.to_string()));
    }
    let mut expected = vec![pair("a", "10"), pair("a", "2")];
    expected.extend(referring);
    expected.extend([
        pair("audience_", "1"),
        pair("campaign", "1"),
        pair("workflow", "1"),
    ]);
    assert_eq!(users(h, &audience).await, expected);
    for limit in [1, 2, 3, 7] {
        let mut seen: Vec<Usage> = Vec::new();
        loop {
            let after = seen.last();
            let page = h.queries().usages(&ws, audience.id, after, limit).await;
            let page = page.unwrap();
            assert!(page.len() <= usize::try_from(limit).unwrap());
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        let seen: Vec<_> = seen.into_iter().map(|u| (u.kind, u.id)).collect();
        assert_eq!(seen, expected, "{limit}");
    }
}

pub async fn live_audiences_are_found_with_what_they_name(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let (a, b) = (added(h, &ws, "a").await, added(h, &ws, "b").await);
    let dropped = added(h, &ws, "dropped").await;
    let foreign = added(h, &workspace("w2"), "a").await;
    refer(h, &a, &[b.id, dropped.id]).await;
    drop_it(h, &dropped).await;
    let ids = [foreign.id, dropped.id, b.id, a.id, AudienceId::from_raw(7)];
    let expected = [
        Referring {
            audience: a.id,
            refers_to: vec![b.id, dropped.id],
        },
        Referring {
            audience: b.id,
            refers_to: vec![],
        },
    ];
    assert_eq!(h.queries().referring(&ws, &ids).await.unwrap(), expected);
    assert_eq!(h.queries().referring(&ws, &[]).await.unwrap(), []);
    let mut uow = begin(h).await;
    assert_eq!(uow.usages().referring(&ws, &ids).await.unwrap(), expected);
}

/// One stores conditions that name an audience unless it is dropped, the other drops it unless conditions
/// name it: never both.
pub async fn what_is_named_is_not_dropped_at_once(h: &dyn StoreHarness) {
    let ws = workspace("w");
    for round in 0..10 {
        let named = added(h, &ws, &format!("named {round}")).await;
        let naming = added(h, &ws, &format!("naming {round}")).await;
        let refer = async {
            let mut uow = begin(h).await;
            let live = uow.usages().referring(&ws, &[named.id]).await.unwrap();
            if live.is_empty() {
                return false;
            }
            let condition = json!({"kind": "audience", "value": named.id.to_string()});
            let definition = Definition {
                groups: vec![json!({"conditions": [condition]})],
                ..Definition::default()
            };
            let mut changed = naming.clone();
            changed.define(definition, at(2));
            uow.audiences().save(&changed, 1).await.unwrap();
            uow.commit().await.unwrap();
            true
        };
        let drop_named = async {
            let mut uow = begin(h).await;
            let mut dropped = named.clone();
            dropped.drop_at(at(3));
            uow.audiences().save(&dropped, 1).await.unwrap();
            let used = uow.usages().list(&ws, named.id, 1).await.unwrap();
            if !used.is_empty() {
                return false;
            }
            uow.commit().await.unwrap();
            true
        };
        let (referred, dropped) = join!(refer, drop_named);
        assert!(referred != dropped, "{referred} {dropped}");
    }
}
