//! Clients.

use domain::{
    importing::{ApiToken, BaseUrl, BudgetKey, ClientSlug, RequestsPerMinute},
    scheduling::Cron,
    shared::{ClientId, WorkspaceId},
};
use ports::{StoreError, importing::ImportClient};

use super::{ImportHarness, begin};
use crate::store::at;

fn workspace(name: &str) -> WorkspaceId {
    WorkspaceId::parse(name).unwrap()
}

fn slug(text: &str) -> ClientSlug {
    ClientSlug::parse(text).unwrap()
}

fn budget(token: &str) -> BudgetKey {
    let url = BaseUrl::parse("https://crm.example/api").unwrap();
    BudgetKey::of(&url, &ApiToken::parse(token).unwrap())
}

fn client(id: i64, name: &str) -> ImportClient {
    ImportClient {
        id: ClientId::from_raw(id),
        workspace: workspace("ws"),
        slug: slug(name),
        name: format!("Cliente {name}"),
        active: true,
        base_url: BaseUrl::parse("https://crm.example/api").unwrap(),
        sealed_token: vec![0, 1, 255],
        budget: budget("secret"),
        requests_per_minute: None,
        tls_verify: true,
        schedule: None,
        next_run_at: None,
        version: 1,
        created_at: at(0),
        updated_at: at(1),
    }
}

async fn add(harness: &impl ImportHarness, client: &ImportClient) -> Result<(), StoreError> {
    let mut unit = begin(harness).await;
    unit.clients().add(client).await?;
    unit.commit().await
}

pub async fn a_client_reads_back_as_it_was_written(harness: &impl ImportHarness) {
    let mut client = client(1, "a");
    client.requests_per_minute = RequestsPerMinute::new(60_000).ok();
    client.tls_verify = false;
    add(harness, &client).await.unwrap();
    let mut unit = begin(harness).await;
    let by_slug = unit.clients().by_slug(&client.slug).await.unwrap();
    assert_eq!(by_slug.as_ref(), Some(&client));
    let mine = unit.clients().get(&workspace("ws"), client.id).await;
    assert_eq!(mine.unwrap(), Some(client.clone()));
    let foreign = unit.clients().get(&workspace("other"), client.id).await;
    assert_eq!(foreign.unwrap(), None);
}

pub async fn a_slug_is_unique_over_the_installation(harness: &impl ImportHarness) {
    add(harness, &client(1, "a")).await.unwrap();
    let mut second = client(2, "a");
    second.workspace = workspace("other");
    let refused = add(harness, &second).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
}

pub async fn a_stale_change_is_refused(harness: &impl ImportHarness) {
    let mut client = client(1, "a");
    add(harness, &client).await.unwrap();
    client.version = 2;
    client.slug = slug("b");
    client.active = false;
    let mut unit = begin(harness).await;
    unit.clients().update(&client).await.unwrap();
    let again = unit.clients().update(&client).await;
    assert!(matches!(again, Err(StoreError::StaleVersion)));
    let found = unit.clients().by_slug(&slug("b")).await.unwrap();
    assert_eq!(found, Some(client.clone()));
    client.version = 3;
    client.workspace = workspace("other");
    let foreign = unit.clients().update(&client).await;
    assert!(matches!(foreign, Err(StoreError::StaleVersion)));
}

pub async fn lists_go_by_workspace_and_activity(harness: &impl ImportHarness) {
    for (id, name) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        let mut client = client(id, name);
        client.active = id != 2;
        client.workspace = workspace(if id == 3 { "other" } else { "ws" });
        add(harness, &client).await.unwrap();
    }
    let ids = |clients: Vec<ImportClient>| clients.iter().map(|c| c.id.raw()).collect::<Vec<_>>();
    let mut unit = begin(harness).await;
    let listed = unit.clients().list(&workspace("ws"), None, 2).await;
    assert_eq!(ids(listed.unwrap()), [1, 2]);
    let rest = unit
        .clients()
        .list(&workspace("ws"), Some(ClientId::from_raw(2)), 2)
        .await;
    assert_eq!(ids(rest.unwrap()), [4]);
    let active = unit.clients().active(None, 10).await;
    assert_eq!(ids(active.unwrap()), [1, 3, 4]);
    let active = unit.clients().active(Some(ClientId::from_raw(1)), 1).await;
    assert_eq!(ids(active.unwrap()), [3]);
}

pub async fn the_lowest_rate_of_a_budget_counts(harness: &impl ImportHarness) {
    for (id, name, rate, active, token) in [
        (1, "a", Some(50), true, "secret"),
        (2, "b", Some(40), true, "secret"),
        (3, "c", Some(10), false, "secret"),
        (4, "d", Some(20), true, "another"),
        (5, "e", None, true, "secret"),
    ] {
        let mut client = client(id, name);
        client.active = active;
        client.requests_per_minute = rate.map(|rate| RequestsPerMinute::new(rate).unwrap());
        client.budget = budget(token);
        add(harness, &client).await.unwrap();
    }
    let mut unit = begin(harness).await;
    for (token, default, lowest) in [
        ("secret", 45, 40),
        ("secret", 30, 30),
        ("another", 7, 20),
        ("none", 7, 7),
    ] {
        let default = RequestsPerMinute::new(default).unwrap();
        let found = unit.clients().lowest_rate(&budget(token), default).await;
        assert_eq!(found.unwrap().get(), lowest);
    }
}

pub async fn a_scheduled_run_is_started_by_one_of_many(harness: &impl ImportHarness) {
    let mut nightly = client(1, "a");
    nightly.schedule = Cron::in_utc("0 3 * * *").ok();
    nightly.next_run_at = Some(at(10));
    let mut inactive = client(2, "b");
    inactive.active = false;
    inactive.next_run_at = Some(at(10));
    add(harness, &nightly).await.unwrap();
    add(harness, &inactive).await.unwrap();
    add(harness, &client(3, "c")).await.unwrap();
    let mut unit = begin(harness).await;
    assert_eq!(unit.clients().due(at(9), 9).await.unwrap(), []);
    assert_eq!(unit.clients().due(at(10), 9).await.unwrap(), [nightly]);
    let move_it = [(at(10), true), (at(10), false), (at(20), true)];
    for (from, moved) in move_it {
        let to = (from == at(10)).then(|| at(20));
        let answer = unit
            .clients()
            .reschedule(ClientId::from_raw(1), from, to)
            .await;
        assert_eq!(answer.unwrap(), moved);
    }
    assert_eq!(unit.clients().due(at(99), 9).await.unwrap(), []);
}
