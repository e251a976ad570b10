//! Cases of removals.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    recycle::Reason,
    shared::{OperationId, RemovalNo, WriteNo},
};
use ports::{
    StoreError,
    contacts::ContentKey,
    store::{ContentDelta, NewRemoval, NewWrite, Removal, RemovalState},
};

use super::{
    StoreHarness, added, at, audience, begin, close, counted, key, number, open, workspace, write,
};

async fn begun(h: &dyn StoreHarness, key: ContentKey) -> Removal {
    let operation = OperationId::from_raw(number());
    let mut uow = begin(h).await;
    let new = NewRemoval { key, operation };
    let removal = uow.contents().begin_removal(new).await.unwrap();
    uow.commit().await.unwrap();
    removal
}

async fn save(h: &dyn StoreHarness, removal: &Removal) {
    let mut uow = begin(h).await;
    uow.contents().save_removal(removal).await.unwrap();
    uow.commit().await.unwrap();
}

async fn touched(
    h: &dyn StoreHarness,
    removal: &Removal,
    after: Option<WriteNo>,
    limit: i64,
) -> Vec<WriteNo> {
    let mut uow = begin(h).await;
    let intents = uow
        .contents()
        .touched_since(removal.key, removal.no, after, limit)
        .await
        .unwrap();
    intents.iter().map(|intent| intent.write).collect()
}

async fn written(h: &dyn StoreHarness, key: ContentKey) -> NewWrite {
    let write = write("one");
    open(h, key, &write).await;
    close(h, key, &write, &counted(0)).await;
    write
}

pub async fn a_removal_begins_once_per_operation(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let first = begun(h, key).await;
    assert_eq!(
        (first.no, first.state),
        (RemovalNo(1), RemovalState::Building)
    );
    assert_eq!((first.hidden, first.active_since), (0, None));
    let mut uow = begin(h).await;
    let again = NewRemoval {
        key,
        operation: first.operation,
    };
    assert_eq!(uow.contents().begin_removal(again).await.unwrap(), first);
    assert_eq!(
        uow.contents().removal_of(first.operation).await.unwrap(),
        Some(first.clone())
    );
    let other = OperationId::from_raw(number());
    assert_eq!(uow.contents().removal_of(other).await.unwrap(), None);
    drop(uow);
    let second = begun(h, key).await;
    assert_eq!(second.no, RemovalNo(2));
    let both = [first.clone(), second];
    assert_eq!(h.queries().removals(key).await.unwrap(), both);
    let mut uow = begin(h).await;
    let withdrawn = Removal {
        state: RemovalState::Withdrawn,
        ..first
    };
    uow.contents().save_removal(&withdrawn).await.unwrap();
    let anew = uow.contents().begin_removal(again).await.unwrap();
    assert_eq!(
        (anew.no, anew.state),
        (RemovalNo(3), RemovalState::Building)
    );
    let purged = Removal {
        state: RemovalState::Purged,
        ..anew
    };
    uow.contents().save_removal(&purged).await.unwrap();
    let anew = uow.contents().begin_removal(again).await.unwrap();
    assert_eq!(
        (anew.no, anew.state),
        (RemovalNo(4), RemovalState::Building)
    );
}

pub async fn two_who_begin_one_removal_at_once_begin_the_same(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let operation = OperationId::from_raw(number());
    let begun = || async {
        let mut uow = begin(h).await;
        let new = NewRemoval { key, operation };
        let removal = uow.contents().begin_removal(new).await.unwrap();
        // Time for the other to come in between.
        tokio::time::sleep(Duration::from_millis(20)).await;
        uow.commit().await.unwrap();
        removal
    };
    let (one, two) = tokio::join!(begun(), begun());
    assert_eq!(one, two);
    assert_eq!(h.queries().removals(key).await.unwrap(), [one]);
}

pub async fn what_ends_meanwhile_is_remembered(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    written(h, key).await;
    let mut removal = begun(h, key).await;
    assert_eq!(touched(h, &removal, None, 10).await, []);
    let during = written(h, key).await;
    assert_eq!(touched(h, &removal, None, 10).await, [during.write]);
    let mut uow = begin(h).await;
    let intents = uow
        .contents()
        .touched_since(key, removal.no, None, 10)
        .await
        .unwrap();
    assert_eq!(intents[0].documents, during.documents);
    drop(uow);
    let younger = begun(h, key).await;
    let later = written(h, key).await;
    assert_eq!(touched(h, &younger, None, 10).await, [later.write]);
    assert!(
        h.queries().open_writes(10).await.unwrap().is_empty(),
        "kept, but not open"
    );
    removal.state = RemovalState::Active;
    save(h, &removal).await;
    assert_eq!(
        touched(h, &younger, None, 10).await,
        [later.write],
        "still being built"
    );
    save(
        h,
        &Removal {
            state: RemovalState::Withdrawn,
            ..younger.clone()
        },
    )
    .await;
    assert_eq!(touched(h, &removal, None, 10).await, []);
    let last = written(h, key).await;
    let kept: &[_] = if h.keeps_writes() { &[last.write] } else { &[] };
    assert_eq!(
        touched(h, &removal, None, 10).await,
        kept,
        "nothing is being built any more"
    );
}

pub async fn a_write_open_at_the_beginning_is_remembered(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let write = write("one");
    open(h, key, &write).await;
    let removal = begun(h, key).await;
    assert_eq!(touched(h, &removal, None, 10).await, [], "it has not ended");
    close(h, key, &write, &counted(1)).await;
    assert_eq!(touched(h, &removal, None, 10).await, [write.write]);
}

pub async fn touched_is_paged_by_end(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let removal = begun(h, key).await;
    // The numbers of several processes need not grow with time.
    let (early, late) = (write("one"), write("two"));
    for write in [&late, &early] {
        open(h, key, write).await;
        close(h, key, write, &counted(0)).await;
    }
    let last = written(h, key).await;
    assert_eq!(
        touched(h, &removal, None, 2).await,
        [late.write, early.write]
    );
    assert_eq!(
        touched(h, &removal, Some(early.write), 2).await,
        [last.write]
    );
    assert_eq!(touched(h, &removal, Some(last.write), 2).await, []);
}

pub async fn a_removal_lives_and_ends(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let mut removal = begun(h, key).await;
    for state in [
        RemovalState::Active,
        RemovalState::Expired,
        RemovalState::Purged,
    ] {
        removal.state = state;
        removal.hidden += 5;
        removal.by_reason = BTreeMap::from([(Reason::OptedOut, 2), (Reason::Duplicates, 3)]);
        removal.active_since = Some(at(4));
        save(h, &removal).await;
        assert_eq!(h.queries().removals(key).await.unwrap(), [removal.clone()]);
    }
    removal.no = RemovalNo(7);
    let saved = begin(h).await.contents().save_removal(&removal).await;
    assert!(matches!(saved, Err(StoreError::StaleVersion)), "{saved:?}");
}

pub async fn activating_counts_and_needs_the_revision(h: &dyn StoreHarness) {
    let mut audience = audience(&workspace("w"), "a");
    audience.count(10);
    super::add(h, &mut audience).await;
    let key = key(&audience);
    let revision = h.queries().content(key).await.unwrap().unwrap().revision;
    let active = [RemovalNo(1), RemovalNo(3)];
    let mut uow = begin(h).await;
    let shown = uow
        .contents()
        .set_active(key, &active, -4, revision, at(6))
        .await
        .unwrap();
    uow.commit().await.unwrap();
    assert_eq!((shown.contacts, shown.active.as_slice()), (6, &active[..]));
    assert_eq!(h.queries().content(key).await.unwrap(), Some(shown.clone()));
    let row = h
        .queries()
        .audience(&audience.workspace, audience.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.contacts, row.updated_at), (6, at(6)));
    let mut uow = begin(h).await;
    let stale = uow
        .contents()
        .set_active(key, &[], 4, revision, at(6))
        .await;
    assert!(matches!(stale, Err(StoreError::StaleVersion)), "{stale:?}");
    let back = uow
        .contents()
        .set_active(key, &[], 4, shown.revision, at(7))
        .await
        .unwrap();
    assert_eq!((back.contacts, back.active.len()), (10, 0));
}

pub async fn revived_contacts_are_hidden_no_more(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let mut removal = begun(h, key).await;
    removal.state = RemovalState::Active;
    removal.hidden = 5;
    save(h, &removal).await;
    let write = write("one");
    open(h, key, &write).await;
    let revived = vec![(removal.no, 2), (RemovalNo::PERMANENT, 1)];
    close(
        h,
        key,
        &write,
        &ContentDelta {
            contacts: 3,
            revived,
        },
    )
    .await;
    assert_eq!(h.queries().removals(key).await.unwrap()[0].hidden, 3);
}
