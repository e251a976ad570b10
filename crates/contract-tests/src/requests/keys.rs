//! Cases of API keys.

use domain::shared::WorkspaceId;
use ports::auth::ApiKeyOwner;

use super::RequestsHarness;
use crate::store::{at, workspace};

fn owner(workspace: WorkspaceId, id: &str) -> ApiKeyOwner {
    ApiKeyOwner {
        workspace,
        key_id: id.into(),
    }
}

pub async fn a_key_opens_its_workspace(h: &dyn RequestsHarness) {
    let (one, two) = (
        owner(workspace("ws"), "one"),
        owner(workspace("other"), "two"),
    );
    h.keys().ensure(&[1; 32], &one, at(0)).await.unwrap();
    h.keys().ensure(&[2; 32], &two, at(0)).await.unwrap();
    assert_eq!(h.keys().owner_of(&[1; 32]).await.unwrap(), Some(one));
    assert_eq!(h.keys().owner_of(&[2; 32]).await.unwrap(), Some(two));
}

pub async fn a_key_keeps_its_first_owner(h: &dyn RequestsHarness) {
    let first = owner(workspace("ws"), "one");
    h.keys().ensure(&[1; 32], &first, at(0)).await.unwrap();
    h.keys().ensure(&[1; 32], &first, at(1)).await.unwrap();
    h.keys()
        .ensure(&[1; 32], &owner(workspace("other"), "two"), at(2))
        .await
        .unwrap();
    assert_eq!(h.keys().owner_of(&[1; 32]).await.unwrap(), Some(first));
}

pub async fn an_unknown_key_opens_nothing(h: &dyn RequestsHarness) {
    h.keys()
        .ensure(&[1; 32], &owner(workspace("ws"), "one"), at(0))
        .await
        .unwrap();
    assert_eq!(h.keys().owner_of(&[3; 32]).await.unwrap(), None);
}
