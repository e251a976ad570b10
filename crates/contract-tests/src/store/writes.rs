//! Cases of the write lock, counts and request numbers.

use domain::{
    contact::Document,
    shared::{AudienceId, Epoch},
};
use futures::join;
use ports::{
    StoreError,
    contacts::ContentKey,
    store::{Content, OpenWrite, UnderWay, WriteIntent},
};

use super::{
    StoreHarness, added, at, begin, close, counted, documents, key, number, open, workspace, write,
};

async fn content(h: &dyn StoreHarness, key: ContentKey) -> Content {
    h.queries().content(key).await.unwrap().unwrap()
}

fn opened(answer: OpenWrite) -> (Content, i64) {
    match answer {
        OpenWrite::Opened {
            content,
            first_request,
        } => (content, first_request),
        other => panic!("not opened: {other:?}"),
    }
}

fn busy(answer: OpenWrite) -> (WriteIntent, bool) {
    match answer {
        OpenWrite::Busy { intent, lapsed } => (intent, lapsed),
        other => panic!("not busy: {other:?}"),
    }
}

pub async fn one_write_is_open_at_a_time(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let mut first = write("one");
    first.documents = documents(&["1", "a\nb", "ç"]);
    opened(open(h, key, &first).await);
    let (intent, lapsed) = busy(open(h, key, &write("two")).await);
    assert_eq!(
        (intent.key, intent.write, intent.owner.as_str()),
        (key, first.write, "one")
    );
    assert_eq!(intent.documents, first.documents);
    assert!(!lapsed);
    close(h, key, &first, &counted(0)).await;
    let second = write("two");
    opened(open(h, key, &second).await);
    close(h, key, &second, &counted(0)).await;
}

pub async fn two_writers_do_not_both_open(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    for _ in 0..10 {
        let (one, two) = (write("one"), write("two"));
        let (first, second) = join!(open(h, key, &one), open(h, key, &two));
        match (first, second) {
            (OpenWrite::Opened { .. }, OpenWrite::Busy { .. }) => {
                close(h, key, &one, &counted(0)).await
            }
            (OpenWrite::Busy { .. }, OpenWrite::Opened { .. }) => {
                close(h, key, &two, &counted(0)).await
            }
            both => panic!("{both:?}"),
        };
    }
}

pub async fn closing_counts_and_mirrors(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w"), "a").await;
    let key = key(&audience);
    let mut revision = content(h, key).await.revision;
    for (delta, total) in [(3, 3), (-1, 2), (0, 2)] {
        let write = write("one");
        opened(open(h, key, &write).await);
        let closed = close(h, key, &write, &counted(delta)).await;
        assert_eq!(closed.contacts, total);
        assert!(closed.revision > revision);
        assert_eq!(content(h, key).await, closed);
        revision = closed.revision;
        let row = h
            .queries()
            .audience(&audience.workspace, audience.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (row.contacts, row.updated_at, row.version),
            (total, at(9), 1)
        );
    }
    // A content that is left behind takes no new write, and what was open in it does not show.
    let left = write("one");
    opened(open(h, key, &left).await);
    let mut uow = begin(h).await;
    let next = uow.contents().add(audience.id).await.unwrap().key;
    uow.audiences()
        .flip_epoch(audience.id, key.epoch, next.epoch, at(9))
        .await
        .unwrap();
    uow.commit().await.unwrap();
    close(h, key, &left, &counted(50)).await;
    let row = h
        .queries()
        .audience(&audience.workspace, audience.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.contacts, 0);
    assert!(matches!(open(h, key, &write("one")).await, OpenWrite::Gone));
}

pub async fn closing_needs_the_owner(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let held = write("one");
    opened(open(h, key, &held).await);
    for (number, owner) in [(held.write, "two"), (write("one").write, "one")] {
        let mut uow = begin(h).await;
        let closed = uow
            .contents()
            .close_write(key, number, owner, &counted(1), at(9))
            .await;
        assert!(
            matches!(closed, Err(StoreError::StaleVersion)),
            "{closed:?}"
        );
    }
    close(h, key, &held, &counted(1)).await;
    let mut uow = begin(h).await;
    let again = uow
        .contents()
        .close_write(key, held.write, "one", &counted(1), at(9))
        .await;
    assert!(matches!(again, Err(StoreError::StaleVersion)), "{again:?}");
    assert_eq!(content(h, key).await.contacts, 1);
}

pub async fn a_count_cannot_fall_below_zero(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let held = write("one");
    opened(open(h, key, &held).await);
    let mut uow = begin(h).await;
    uow.contents()
        .close_write(key, held.write, "one", &counted(-1), at(9))
        .await
        .unwrap_err();
}

pub async fn a_lapsed_write_is_adopted_once(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let mut abandoned = write("gone");
    abandoned.lease_seconds = 0;
    opened(open(h, key, &abandoned).await);
    let (seen, lapsed) = busy(open(h, key, &write("two")).await);
    assert!(lapsed);
    let mut uow = begin(h).await;
    uow.contents().adopt_write(&seen, "two", 600).await.unwrap();
    let late = uow.contents().adopt_write(&seen, "three", 600).await;
    assert!(matches!(late, Err(StoreError::StaleVersion)), "{late:?}");
    uow.commit().await.unwrap();
    let (adopted, lapsed) = busy(open(h, key, &write("three")).await);
    assert_eq!((adopted.owner.as_str(), lapsed), ("two", false));
    assert_eq!(adopted.documents, abandoned.documents);
    let mut uow = begin(h).await;
    let old = uow
        .contents()
        .close_write(key, abandoned.write, "gone", &counted(1), at(9))
        .await;
    assert!(matches!(old, Err(StoreError::StaleVersion)), "{old:?}");
    drop(uow);
    abandoned.owner = "two".to_owned();
    assert_eq!(close(h, key, &abandoned, &counted(2)).await.contacts, 2);
}

pub async fn contents_do_not_block_each_other(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let one = key(&added(h, &ws, "one").await);
    let two = key(&added(h, &ws, "two").await);
    opened(open(h, one, &write("a")).await);
    opened(open(h, two, &write("a")).await);
}

pub async fn requests_are_numbered_without_gaps(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let mut uow = begin(h).await;
    assert_eq!(uow.contents().take_requests(key, 2).await.unwrap(), 1);
    uow.commit().await.unwrap();
    for (requests, expected) in [(3, 3), (0, 6), (1, 6)] {
        let mut write = write("one");
        write.requests = requests;
        let (content, first) = opened(open(h, key, &write).await);
        assert_eq!(
            (first, content.next_request),
            (expected, expected + requests)
        );
        close(h, key, &write, &counted(0)).await;
    }
    let mut uow = begin(h).await;
    assert_eq!(uow.contents().take_requests(key, 1).await.unwrap(), 7);
}

pub async fn a_missing_content_is_gone(h: &dyn StoreHarness) {
    let missing = ContentKey {
        audience: AudienceId::from_raw(number()),
        epoch: Epoch(1),
    };
    assert!(matches!(
        open(h, missing, &write("one")).await,
        OpenWrite::Gone
    ));
    assert_eq!(h.queries().content(missing).await.unwrap(), None);
}

pub async fn open_writes_are_found(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let mut writes = Vec::new();
    for name in ["a", "b", "c"] {
        let key = key(&added(h, &ws, name).await);
        let write = write("gone");
        opened(open(h, key, &write).await);
        writes.push((key, write));
    }
    let (key, first) = &writes[0];
    close(h, *key, first, &counted(0)).await;
    let found = h.queries().open_writes(10).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|intent| (intent.key, intent.write))
        .collect();
    assert_eq!(
        found,
        [
            (writes[1].0, writes[1].1.write),
            (writes[2].0, writes[2].1.write)
        ]
    );
    assert_eq!(h.queries().open_writes(1).await.unwrap().len(), 1);
}

pub async fn epochs_never_come_back(h: &dyn StoreHarness) {
    let audience = added(h, &workspace("w"), "a").await;
    let mut uow = begin(h).await;
    let second = uow.contents().add(audience.id).await.unwrap();
    assert_eq!(second.key.epoch, Epoch(2));
    assert_eq!((second.contacts, second.next_request), (0, 1));
    uow.contents().forget(second.key).await.unwrap();
    assert_eq!(
        uow.contents().add(audience.id).await.unwrap().key.epoch,
        Epoch(3)
    );
    assert_eq!(
        uow.contents().epochs(audience.id).await.unwrap(),
        [Epoch(1), Epoch(3)]
    );
}

pub async fn a_forgotten_content_leaves_nothing(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let held = write("one");
    opened(open(h, key, &held).await);
    let mut uow = begin(h).await;
    let operation = domain::shared::OperationId::from_raw(number());
    uow.contents()
        .begin_removal(ports::store::NewRemoval { key, operation })
        .await
        .unwrap();
    uow.contents().forget(key).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(h.queries().content(key).await.unwrap(), None);
    assert_eq!(h.queries().removals(key).await.unwrap(), []);
    assert!(h.queries().open_writes(10).await.unwrap().is_empty());
}

pub async fn what_is_being_written_is_announced(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let under_way = async || h.queries().under_way(key).await.unwrap();
    let began = content(h, key).await.revision;
    let state = |revision, texts| {
        Some(UnderWay {
            revision,
            documents: documents(texts),
        })
    };
    assert_eq!(under_way().await, state(began, &[]));
    let mut held = write("one");
    held.documents = documents(&["a", "b"]);
    opened(open(h, key, &held).await);
    assert_eq!(under_way().await, state(began, &["a", "b"]));
    close(h, key, &held, &counted(2)).await;
    assert_eq!(under_way().await, state(began + 1, &[]));
    let mut uow = begin(h).await;
    uow.contents().forget(key).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(under_way().await, None);
}

pub async fn what_others_wrote_is_known_or_said_not_to_be(h: &dyn StoreHarness) {
    let key = key(&added(h, &workspace("w"), "a").await);
    let between = async |after, until| {
        let found = h.queries().written_between(key, after, until).await;
        found.unwrap()
    };
    let began = content(h, key).await.revision;
    for text in ["a", "b", "c"] {
        let mut write = write("one");
        write.documents = documents(&[text]);
        opened(open(h, key, &write).await);
        close(h, key, &write, &counted(0)).await;
    }
    // One is open: it has no revision yet.
    opened(open(h, key, &write("one")).await);
    assert_eq!(content(h, key).await.revision, began + 3);
    let known = |texts| h.keeps_writes().then(|| documents(texts));
    let sorted = |found: Option<Vec<Document>>| {
        found.map(|mut documents| {
            documents.sort();
            documents
        })
    };
    assert_eq!(
        sorted(between(began, began + 3).await),
        known(&["a", "b", "c"])
    );
    assert_eq!(between(began + 1, began + 2).await, known(&["b"]));
    for (after, until) in [
        (began, began),
        (began + 2, began),
        (began, began + 4),
        (began - 1, began + 3),
        (began, i64::MAX),
    ] {
        assert_eq!(between(after, until).await, None, "{after}..{until}");
    }
}
