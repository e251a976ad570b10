//! Clients.

use domain::shared::WorkspaceId;
use fake_crm::Plan;
use import_job_service::client::{ClientChange, Ensured};
use kernel::{Actor, AppError};

use crate::rig::{Rig, actor, new_client};

#[tokio::test(flavor = "multi_thread")]
async fn ensuring_a_client_makes_it_once_and_leaves_it_as_it_is() {
    let rig = Rig::new(Plan::default()).await;
    let ensure = async |by: &Actor, name: &str| {
        let mut new = new_client("beta", &rig.fake.url);
        new.name = Some(name.to_owned());
        let ensure = &rig.cases.ensure_client;
        ensure.execute(by, rig.request_id(), new).await
    };
    let Ensured { client, created } = ensure(&actor(), "Beta").await.unwrap();
    assert!(created);
    let again = ensure(&actor(), "Other").await.unwrap();
    assert!(!again.created);
    assert_eq!(again.client, client);
    let stranger = Actor {
        workspace: WorkspaceId::parse("ws_2").unwrap(),
        ..actor()
    };
    let taken = ensure(&stranger, "Beta").await;
    assert!(matches!(
        taken,
        Err(AppError::Conflict {
            code: "slug_taken",
            ..
        })
    ));
    let foreign = rig.cases.clients.get(&stranger, client.id).await;
    assert!(matches!(foreign, Err(AppError::NotFound)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_every_rule_it_breaks_and_changes_nothing() {
    let rig = Rig::new(Plan::default()).await;
    let change = ClientChange {
        slug: Some("Not A Slug".to_owned()),
        name: Some(" ".to_owned()),
        base_url: Some("nowhere".to_owned()),
        token: Some("with\nnewline".to_owned()),
        requests_per_minute: Some(Some(0)),
        schedule: Some(Some("never".to_owned())),
        ..ClientChange::default()
    };
    let id = rig.client.id;
    let Err(AppError::Invalid(broken)) = rig
        .cases
        .change_client
        .execute(&actor(), id, 1, change)
        .await
    else {
        panic!("it was taken")
    };
    let mut pointers: Vec<_> = broken.iter().map(|rule| rule.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/base_url",
            "/name",
            "/requests_per_minute",
            "/schedule",
            "/slug",
            "/token"
        ]
    );
    assert_eq!(
        rig.cases.clients.get(&actor(), id).await.unwrap(),
        rig.client
    );
    let none = ClientChange::default();
    let stale = rig.cases.change_client.execute(&actor(), id, 7, none).await;
    assert!(matches!(stale, Err(AppError::PreconditionFailed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_or_token_has_a_budget_of_its_own() {
    let rig = Rig::new(Plan::default()).await;
    let change = ClientChange {
        token: Some("another".to_owned()),
        ..ClientChange::default()
    };
    let changed = rig
        .cases
        .change_client
        .execute(&actor(), rig.client.id, 1, change)
        .await;
    let changed = changed.unwrap();
    let elsewhere = ClientChange {
        base_url: Some(format!("{}/other", rig.fake.url)),
        ..ClientChange::default()
    };
    let refused = rig
        .cases
        .change_client
        .execute(&actor(), rig.client.id, 2, elsewhere)
        .await;
    let Err(AppError::Invalid(broken)) = refused else {
        panic!("the token would be sent to another address")
    };
    assert_eq!(broken[0].code, "token_required");
    assert_ne!(changed.budget, rig.client.budget);
    assert_ne!(changed.sealed_token, rig.client.sealed_token);
    assert_eq!(changed.version, 2);
}
