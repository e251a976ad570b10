//! Audiences that a request is making.

use domain::audience::Audience;
use ports::{
    StoreError,
    store::{Creation, OpenWrite},
};

use super::{StoreHarness, add, audience, begin, key, number, open, workspace, write};

const LONG: u32 = 600;

async fn begun(h: &dyn StoreHarness, name: &str, lease_seconds: u32) -> (Audience, Creation) {
    let mut made = audience(&workspace("w"), name).hidden();
    add(h, &mut made).await;
    let creation = Creation {
        workspace: made.workspace.clone(),
        audience: made.id,
        write_id: number(),
    };
    let mut uow = begin(h).await;
    uow.creations()
        .begin(&creation, lease_seconds)
        .await
        .unwrap();
    uow.commit().await.unwrap();
    (made, creation)
}

pub async fn a_creation_ends_once(h: &dyn StoreHarness) {
    let (made, _) = begun(h, "a", LONG).await;
    let mut uow = begin(h).await;
    uow.creations().end(made.id).await.unwrap();
    let again = uow.creations().end(made.id).await;
    assert!(matches!(again, Err(StoreError::StaleVersion)), "{again:?}");
    uow.commit().await.unwrap();
}

pub async fn a_request_finds_its_creation(h: &dyn StoreHarness) {
    begun(h, "a", LONG).await;
    let (_, own) = begun(h, "b", LONG).await;
    let mut uow = begin(h).await;
    let found = uow.creations().end_of_request(own.write_id).await.unwrap();
    assert_eq!(found, Some(own.clone()));
    let again = uow.creations().end_of_request(own.write_id).await.unwrap();
    assert_eq!(again, None);
}

pub async fn a_creation_is_abandoned_after_its_lease(h: &dyn StoreHarness) {
    let (_, live) = begun(h, "a", LONG).await;
    let (_, lapsed) = begun(h, "b", 0).await;
    let mut uow = begin(h).await;
    let ended = uow.creations().end_abandoned().await.unwrap();
    assert_eq!(ended, Some(lapsed));
    assert_eq!(uow.creations().end_abandoned().await.unwrap(), None);
    uow.creations().release().await.unwrap();
    let ended = uow.creations().end_abandoned().await.unwrap();
    assert_eq!(ended, Some(live), "at a start, nobody waits for a lease");
    uow.commit().await.unwrap();
}

pub async fn an_abandoned_audience_takes_no_writes(h: &dyn StoreHarness) {
    let (mut made, _) = begun(h, "a", LONG).await;
    let mut uow = begin(h).await;
    made.abandon();
    uow.audiences().save(&made, made.version).await.unwrap();
    uow.commit().await.unwrap();
    let opened = open(h, key(&made), &write("one")).await;
    assert!(matches!(opened, OpenWrite::Gone), "{opened:?}");
}
