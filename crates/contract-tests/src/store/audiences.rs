//! Cases of audiences.

use domain::{
    audience::{Audience, AudienceChange, AudienceStatus, Icon, Tags},
    shared::{AudienceName, Epoch},
};
use ports::{StoreError, constraint};

use super::{StoreHarness, add, added, at, audience, begin, with, workspace};

async fn refuses(h: &dyn StoreHarness, mut audience: Audience) {
    let error = begin(h)
        .await
        .audiences()
        .add(&mut audience)
        .await
        .unwrap_err();
    assert!(error.is_conflict_on(constraint::AUDIENCE_NAME), "{error}");
}

async fn save(
    h: &dyn StoreHarness,
    audience: &Audience,
    expected_version: i64,
) -> Result<(), StoreError> {
    let mut uow = begin(h).await;
    uow.audiences().save(audience, expected_version).await?;
    uow.commit().await
}

async fn stored(h: &dyn StoreHarness, audience: &Audience) -> Audience {
    h.queries()
        .audience(&audience.workspace, audience.id)
        .await
        .unwrap()
        .unwrap()
}

pub async fn an_audience_comes_back_as_it_was(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let mut audience = with(&audience(&ws, "Çedilha 'x' \\ % _ 🙂"), |a| {
        a.tags = Tags::parse(&["vip", "Ação"]).unwrap();
        a.icon = Some(Icon::parse("https://a.example/ícone").unwrap());
        a.status = AudienceStatus::Draft;
        a.epoch = Epoch(7);
        a.contacts = 3;
        a.deleted_at = Some(at(5));
    });
    add(h, &mut audience).await;
    assert_eq!(stored(h, &audience).await, audience);
    let content = h
        .queries()
        .content(super::key(&audience))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((content.contacts, content.next_request), (3, 1));
    assert_eq!(content.active, []);
}

pub async fn names_are_unique_without_regard_to_case(h: &dyn StoreHarness) {
    let ws = workspace("w");
    added(h, &ws, "STRASSE ÇÃO").await;
    refuses(h, audience(&ws, "straße ção")).await;
    let other = added(h, &ws, "other").await;
    let named = |name| with(&other, |a| a.name = AudienceName::parse(name).unwrap());
    let error = save(h, &named("Strasse ÇÃO"), 1).await.unwrap_err();
    assert!(error.is_conflict_on(constraint::AUDIENCE_NAME), "{error}");
    save(h, &named("OTHER"), 1).await.unwrap();
}

pub async fn a_dropped_name_is_free(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let mut dropped = added(h, &ws, "a").await;
    dropped.drop_at(at(1));
    save(h, &dropped, 1).await.unwrap();
    added(h, &ws, "A").await;
    dropped.restore(at(2));
    let error = save(h, &dropped, 2).await.unwrap_err();
    assert!(
        error.is_conflict_on(constraint::AUDIENCE_NAME),
        "its name was taken meanwhile"
    );
}

pub async fn an_abandoned_name_is_free(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let mut abandoned = audience(&ws, "a").hidden();
    abandoned.abandon();
    add(h, &mut abandoned).await;
    added(h, &ws, "a").await;
}

pub async fn a_name_being_created_is_taken(h: &dyn StoreHarness) {
    let ws = workspace("w");
    add(h, &mut audience(&ws, "a").hidden()).await;
    refuses(h, audience(&ws, "A")).await;
}

pub async fn other_workspaces_may_use_the_name(h: &dyn StoreHarness) {
    let one = added(h, &workspace("w1"), "a").await;
    let two = added(h, &workspace("w2"), "a").await;
    assert_eq!(stored(h, &one).await, one);
    assert_eq!(stored(h, &two).await, two);
}

pub async fn numbers_follow_each_other_in_a_workspace(h: &dyn StoreHarness) {
    let (one, two) = (workspace("w1"), workspace("w2"));
    for number in 1..=3 {
        let audience = added(h, &one, &number.to_string()).await;
        assert_eq!(audience.number, number);
        let found = h.queries().audience_of_number(&one, number).await.unwrap();
        assert_eq!(found, Some(audience));
    }
    assert_eq!(added(h, &two, "a").await.number, 1);
    for number in [0, 2, -1, i64::MAX] {
        let found = h.queries().audience_of_number(&two, number).await.unwrap();
        assert_eq!(found, None, "{number}");
    }
}

pub async fn saving_needs_the_version_that_was_read(h: &dyn StoreHarness) {
    let mut audience = added(h, &workspace("w"), "a").await;
    let change = AudienceChange {
        tags: Some(Tags::parse(&["x"]).unwrap()),
        icon: Some(Some(Icon::parse("http://a.example/").unwrap())),
        status: Some(AudienceStatus::Draft),
        ..AudienceChange::default()
    };
    assert!(audience.describe(change.clone(), at(2)));
    save(h, &audience, 1).await.unwrap();
    assert_eq!(stored(h, &audience).await, audience);
    assert!(!audience.describe(change, at(3)));
    let again = save(h, &audience, 1).await;
    assert!(matches!(again, Err(StoreError::StaleVersion)), "{again:?}");
}

pub async fn saving_reaches_own_workspace_only(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w1"), "a").await;
    let foreign = with(&audience, |a| a.workspace = workspace("w2"));
    let saved = save(h, &foreign, 1).await;
    assert!(matches!(saved, Err(StoreError::StaleVersion)), "{saved:?}");
    assert_eq!(stored(h, &audience).await, audience);
}

pub async fn saving_can_take_a_drop_back(h: &dyn StoreHarness) {
    let mut audience = audience(&workspace("w"), "a");
    audience.drop_at(at(1));
    add(h, &mut audience).await;
    audience.restore(at(2));
    save(h, &audience, 2).await.unwrap();
    assert_eq!(stored(h, &audience).await.deleted_at, None);
}

pub async fn flipping_moves_the_pointer_and_the_count(h: &dyn StoreHarness) {
    let mut audience = audience(&workspace("w"), "a");
    audience.count(5);
    add(h, &mut audience).await;
    let mut uow = begin(h).await;
    let next = uow.contents().add(audience.id).await.unwrap();
    let (key, revision) = (next.key, next.revision);
    uow.contents()
        .set_active(key, &[], 2, revision, at(2))
        .await
        .unwrap();
    let seen = uow
        .audiences()
        .get(&audience.workspace, audience.id)
        .await
        .unwrap();
    assert_eq!(
        seen,
        Some(audience.clone()),
        "a content shows nothing before the flip"
    );
    uow.audiences()
        .flip_epoch(audience.id, Epoch(1), next.key.epoch, at(3))
        .await
        .unwrap();
    uow.commit().await.unwrap();
    let flipped = with(&audience, |a| {
        (a.epoch, a.contacts, a.updated_at) = (Epoch(2), 2, at(3));
    });
    assert_eq!(stored(h, &flipped).await, flipped);
}

pub async fn flipping_needs_the_pointer_that_was_read(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w"), "a").await;
    let mut uow = begin(h).await;
    let next = uow.contents().add(audience.id).await.unwrap().key.epoch;
    let flipped = uow
        .audiences()
        .flip_epoch(audience.id, Epoch(9), next, at(3))
        .await;
    assert!(
        matches!(flipped, Err(StoreError::StaleVersion)),
        "{flipped:?}"
    );
}
