//! Who has to be looked at in live audiences.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    audience::{Audience, AudienceStatus, AudienceType, Definition},
    customer::EventName,
    recycle::Outcome,
    segment::{Change, Edge},
    shared::{Instant, WorkspaceId},
};
use ports::store::PlannedAudience;
use serde_json::json;

use super::{StoreHarness, add, at, audience, begin, workspace};
use crate::{customers, outcomes};

/// A live audience of a workspace, which follows changes from the instant of `at(0)` on.
async fn live(h: &dyn StoreHarness, ws: &WorkspaceId, name: &str) -> Audience {
    let condition = json!({"kind": "tag", "operator": "has", "value": "a"});
    let definition = Definition {
        groups: vec![json!({ "conditions": [condition] })],
        audience_type: AudienceType::Live {
            refresh_minutes: None,
        },
        ..Definition::default()
    };
    let mut made = audience(ws, name).defined(definition);
    add(h, &mut made).await;
    made
}

fn plan(audiences: &[&Audience]) -> Vec<PlannedAudience> {
    let planned = audiences.iter().map(|audience| PlannedAudience {
        id: audience.id,
        version: audience.version,
    });
    planned.collect()
}

/// Moves the instant of a workspace on; answers where it is.
async fn advance(
    h: &dyn StoreHarness,
    ws: &WorkspaceId,
    now: Instant,
    audiences: &[&Audience],
    edges: &[Edge],
) -> Option<Instant> {
    let edges: BTreeSet<Edge> = edges.iter().cloned().collect();
    let mut uow = begin(h).await;
    let moved = uow
        .live()
        .advance(ws, now, &plan(audiences), &edges)
        .await
        .unwrap();
    uow.commit().await.unwrap();
    moved
}

/// What is queued for all audiences, and takes it off the queue.
async fn taken(h: &dyn StoreHarness, ws: &WorkspaceId) -> BTreeSet<(String, String)> {
    let queued = h.queries().queued(ws, None, 100).await.unwrap();
    let ids: Vec<i64> = queued.iter().map(|change| change.id).collect();
    let mut uow = begin(h).await;
    uow.live().looked_at(ws, &ids).await.unwrap();
    uow.commit().await.unwrap();
    let pair = |(change, key): (Change, String)| (change.to_string(), key);
    queued
        .into_iter()
        .map(|q| pair((q.change, q.key)))
        .collect()
}

fn pairs(of: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    let pair = |(change, key): &(&str, &str)| ((*change).to_owned(), (*key).to_owned());
    of.iter().map(pair).collect()
}

fn did(name: &str) -> EventName {
    EventName::parse(name).unwrap()
}

pub async fn changes_are_queued_where_a_workspace_has_live_audiences(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("w"), workspace("v"));
    let known = customers::add(h, &ws, vec![json!({"document": "A1"})]).await;
    assert_eq!(taken(h, &ws).await, pairs(&[]), "nobody asks");
    live(h, &ws, "live").await;
    customers::add(h, &ws, vec![json!({"document": "B1"})]).await;
    customers::add(h, &other, vec![json!({"document": "C1"})]).await;
    customers::save(h, &ws, &known).await;
    let (first, second) = (known[0].id.raw(), known[0].id.raw() + 1);
    let events = [
        customers::events::event(first, "order.paid", 0),
        customers::events::event(first, "order.paid", 1),
        customers::events::event(second, "page.viewed", 0),
    ];
    customers::events::report(h, &ws, &events).await;
    outcomes::add(h, &ws, &[outcomes::report("D1", Outcome::Failed, 0)]).await;
    let all = pairs(&[
        ("values", "A1"),
        ("values", "B1"),
        ("event:order.paid", "A1"),
        ("event:page.viewed", "B1"),
        ("outcome", "D1"),
    ]);
    assert_eq!(taken(h, &ws).await, all);
    customers::events::report(h, &ws, &events).await;
    assert_eq!(taken(h, &ws).await, pairs(&[]), "known already");
    assert_eq!(taken(h, &other).await, pairs(&[]), "another workspace");
}

pub async fn moving_on_queues_whom_an_edge_passes(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let audience = live(h, &ws, "live").await;
    let day = 86_400;
    let joined = |days: i64| (at(0) - TimeDelta::days(days)).to_rfc3339();
    let people = vec![
        json!({"document": "A1", "joined": joined(5)}),
        json!({"document": "B1", "joined": joined(4)}),
    ];
    let known = customers::add(h, &ws, people).await;
    let (first, second) = (known[0].id.raw(), known[1].id.raw());
    let events = [
        customers::events::event(first, "order.paid", -3 * day),
        customers::events::event(second, "order.paid", -2 * day),
        customers::events::event(second, "page.viewed", -3 * day),
    ];
    customers::events::report(h, &ws, &events).await;
    outcomes::add(h, &ws, &[outcomes::report("D1", Outcome::Failed, -day)]).await;
    let field = "d:attributes.joined";
    let mut uow = begin(h).await;
    uow.live()
        .watch_dates(&ws, &BTreeSet::from([field]))
        .await
        .unwrap();
    uow.commit().await.unwrap();
    taken(h, &ws).await;
    let edges = [
        Edge::Event(did("order.paid"), 3),
        Edge::Outcome(1),
        Edge::Value(field.to_owned(), 5),
    ];
    let now = at(60);
    assert_eq!(advance(h, &ws, now, &[&audience], &edges).await, Some(now));
    let passed = pairs(&[
        ("event:order.paid", "A1"),
        ("outcome", "D1"),
        ("values", "A1"),
    ]);
    assert_eq!(taken(h, &ws).await, passed);
    assert_eq!(h.queries().looked_until(&ws).await.unwrap(), Some(now));
    // Never back, and dates are those of what is stored now.
    assert_eq!(
        advance(h, &ws, at(30), &[&audience], &edges).await,
        Some(now)
    );
    let mut later = known.clone();
    later.truncate(1);
    customers::save(h, &ws, &later).await;
    taken(h, &ws).await;
    let next = at(0) + TimeDelta::days(1);
    advance(h, &ws, next, &[&audience], &edges).await;
    let passed = pairs(&[
        ("event:order.paid", "B1"),
        ("values", "B1"),
        ("values", "A1"),
    ]);
    let found = taken(h, &ws).await;
    assert!(found.is_subset(&passed) && found.len() >= 2, "{found:?}");
}

pub async fn an_outdated_plan_moves_nothing(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let mut audience = live(h, &ws, "live").await;
    let known = audience.clone();
    let version = audience.version;
    assert!(audience.pass_to(AudienceStatus::Failed, at(1)));
    let mut uow = begin(h).await;
    uow.audiences().save(&audience, version).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(advance(h, &ws, at(60), &[&known], &[]).await, None);
    assert_eq!(advance(h, &ws, at(60), &[], &[]).await, None);
    assert_eq!(
        advance(h, &ws, at(60), &[&audience], &[]).await,
        Some(at(60))
    );
    let of = h.queries().live_audiences(&ws).await.unwrap();
    assert_eq!(plan(&of.iter().collect::<Vec<_>>()), plan(&[&audience]));
    assert_eq!(h.queries().live_workspaces(10).await.unwrap(), [ws]);
}

pub async fn keys_wait_for_one_audience(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let (one, two) = (live(h, &ws, "one").await, live(h, &ws, "two").await);
    let keys = |of: &[&str]| of.iter().map(|key| (*key).to_owned()).collect();
    let mut uow = begin(h).await;
    uow.live()
        .defer(&ws, one.id, &keys(&["A1", "B1"]))
        .await
        .unwrap();
    uow.commit().await.unwrap();
    customers::add(h, &ws, vec![json!({"document": "C1"})]).await;
    let q = h.queries();
    assert_eq!(q.deferred(&ws).await.unwrap(), [one.id]);
    assert_eq!(q.queued(&ws, Some(one.id), 9).await.unwrap().len(), 2);
    assert_eq!(q.queued(&ws, Some(one.id), 1).await.unwrap().len(), 1);
    assert_eq!(q.queued(&ws, Some(two.id), 9).await.unwrap().len(), 0);
    let waiting = q.waiting(&ws, two.id, &["A1", "C1", "Z1"]).await.unwrap();
    assert_eq!(waiting, keys(&["C1"]));
    let waiting = q.waiting(&ws, one.id, &["A1", "C1", "Z1"]).await.unwrap();
    assert_eq!(waiting, keys(&["A1", "C1"]));
    let numbers = q.numbers_of_keys(&ws, &["C1", "Z1"]).await.unwrap();
    assert_eq!(numbers, [("C1".to_owned(), 1)]);
}

pub async fn one_process_has_a_workspace_at_a_time(h: &dyn StoreHarness) {
    let ws = workspace("w");
    live(h, &ws, "live").await;
    let claim = async |owner: &str, seconds: u32| {
        let mut uow = begin(h).await;
        let claimed = uow.live().claim(&ws, owner, seconds).await.unwrap();
        uow.commit().await.unwrap();
        claimed
    };
    assert!(claim("a", 600).await && claim("a", 600).await);
    assert!(!claim("b", 600).await);
    assert!(claim("a", 0).await && claim("b", 600).await);
    assert!(!claim("a", 600).await);
    let mut uow = begin(h).await;
    uow.live().release_leases().await.unwrap();
    uow.commit().await.unwrap();
    assert!(claim("a", 600).await);
}

/// Nobody waits for another who waits for the first: there is an error where two do.
pub async fn audiences_become_live_while_their_workspace_is_followed(h: &dyn StoreHarness) {
    let ws = workspace("w");
    live(h, &ws, "live").await;
    let follow = async {
        for n in 1..=40 {
            let mut uow = begin(h).await;
            let mut repository = uow.live();
            assert!(repository.claim(&ws, "a", 600).await.unwrap());
            let moved = repository.advance(&ws, at(n), &[], &BTreeSet::new()).await;
            assert_eq!(moved.unwrap(), None, "it has other audiences");
            drop(repository);
            uow.commit().await.unwrap();
            let mut uow = begin(h).await;
            assert!(uow.live().renew(&ws, "a", 600).await.unwrap());
            uow.commit().await.unwrap();
        }
    };
    let publish = async {
        for n in 0..40 {
            live(h, &ws, &format!("live {n}")).await;
        }
    };
    futures::future::join(follow, publish).await;
}

pub async fn a_workspace_without_live_audiences_follows_nothing(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let mut audience = live(h, &ws, "live").await;
    let end = async || {
        let mut uow = begin(h).await;
        let ended = uow.live().end(&ws).await.unwrap();
        uow.commit().await.unwrap();
        ended
    };
    assert!(!end().await, "it has one");
    let version = audience.version;
    assert!(audience.drop_at(at(1)));
    let mut uow = begin(h).await;
    uow.audiences().save(&audience, version).await.unwrap();
    uow.commit().await.unwrap();
    customers::add(h, &ws, vec![json!({"document": "A1"})]).await;
    assert!(end().await);
    assert_eq!(h.queries().looked_until(&ws).await.unwrap(), None);
    assert_eq!(taken(h, &ws).await, pairs(&[]));
}
