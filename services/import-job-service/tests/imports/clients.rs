//! Clients.

use domain::shared::WorkspaceId;
use fake_crm::Plan;
use import_job_service::application::{
    Actor, AppError,
    clients::{ChangeClient, Ensured},
};

use crate::rig::{Rig, actor, new_client, write};

#[tokio::test(flavor = "multi_thread")]
async fn ensuring_a_client_makes_it_once_and_leaves_it_as_it_is() {
    let rig = Rig::new(Plan::default()).await;
    let ensure = async |by: &Actor, name: &str| {
        let mut new = new_client("beta", &rig.fake.url);
        new.name = Some(name.to_owned());
        rig.app.ensure_client(by, write(&rig.deps), new).await
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
    let foreign = rig.app.client(&stranger, client.id).await;
    assert!(matches!(foreign, Err(AppError::NotFound)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_every_rule_it_breaks_and_changes_nothing() {
    let rig = Rig::new(Plan::default()).await;
    let change = ChangeClient {
        slug: Some("Not A Slug".to_owned()),
        name: Some(" ".to_owned()),
        base_url: Some("nowhere".to_owned()),
        token: Some("with\nnewline".to_owned()),
        requests_per_minute: Some(Some(0)),
        schedule: Some(Some("never".to_owned())),
        ..ChangeClient::default()
    };
    let id = rig.client.id;
    let Err(AppError::Invalid(broken)) = rig.app.change_client(&actor(), id, 1, change).await
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
    assert_eq!(rig.app.client(&actor(), id).await.unwrap(), rig.client);
    let none = ChangeClient::default();
    let stale = rig.app.change_client(&actor(), id, 7, none).await;
    assert!(matches!(stale, Err(AppError::PreconditionFailed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_or_token_has_a_budget_of_its_own() {
    let rig = Rig::new(Plan::default()).await;
    let change = ChangeClient {
        token: Some("another".to_owned()),
        ..ChangeClient::default()
    };
    let changed = rig
        .app
        .change_client(&actor(), rig.client.id, 1, change)
        .await;
    let changed = changed.unwrap();
    let elsewhere = ChangeClient {
        base_url: Some(format!("{}/other", rig.fake.url)),
        ..ChangeClient::default()
    };
    let refused = rig
        .app
        .change_client(&actor(), rig.client.id, 2, elsewhere)
        .await;
    let Err(AppError::Invalid(broken)) = refused else {
        panic!("the token would be sent to another address")
    };
    assert_eq!(broken[0].code, "token_required");
    assert_ne!(changed.budget, rig.client.budget);
    assert_ne!(changed.sealed_token, rig.client.sealed_token);
    assert_eq!(changed.version, 2);
}
