//! The contract of the contact store, on MongoDB.

#![expect(
    clippy::unwrap_used,
    reason = "a set-up that fails is a test that fails"
)]

use std::{
    ops::Deref,
    sync::atomic::{AtomicU32, Ordering},
};

use adapter_mongo::{MongoBlobs, MongoContacts, MongoSettings};
use contract_tests::{
    blobs_contract,
    contacts::{bury, contact, document, key, put, stone, view, walk, write},
    contacts_contract,
};
use domain::{contact::Document, shared::RemovalNo};
use mongodb::bson::{Decimal128, doc};
use ports::{
    contacts::{ContactStore, Purge},
    files::BlobStore,
};
use serde_json::json;

/// A store in a database that goes with it.
struct Store {
    contacts: MongoContacts,
    settings: MongoSettings,
}

impl Deref for Store {
    type Target = dyn ContactStore;

    fn deref(&self) -> &(dyn ContactStore + 'static) {
        &self.contacts
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let settings = self.settings.clone();
        // On a thread of its own: the test's runtime may be ending.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                let client = mongodb::Client::with_uri_str(&settings.url).await.unwrap();
                let database = client.database(&settings.database);
                database
                    .run_command(doc! { "dropDatabase": 1 })
                    .await
                    .unwrap();
            });
        });
        // A database that stays does no harm.
        let _ = dropped.join();
    }
}

fn settings() -> MongoSettings {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let database = format!("t{}_{next}", std::process::id());
    MongoSettings::new(test_kit::mongodb_url(), database)
}

async fn on_mongodb() -> Option<Store> {
    let settings = settings();
    let contacts = MongoContacts::open(&settings).await.unwrap();
    Some(Store { contacts, settings })
}

contacts_contract!(on_mongodb());
blobs_contract!(files_on_mongodb());

async fn files_on_mongodb() -> (Store, MongoBlobs) {
    let store = on_mongodb().await.unwrap();
    let blobs = MongoBlobs::beside(&store.contacts);
    (store, blobs)
}

/// Chunks that a process left when it ended in the middle of a file.
#[tokio::test]
async fn chunks_without_a_file_are_removed_when_they_are_old() {
    let (store, blobs) = files_on_mongodb().await;
    let mut kept = blobs.create("kept").await.unwrap();
    kept.write(b"x").await.unwrap();
    kept.finish().await.unwrap();
    let client = mongodb::Client::with_uri_str(&store.settings.url)
        .await
        .unwrap();
    let chunks = client
        .database(&store.settings.database)
        .collection::<mongodb::bson::Document>("files.chunks");
    let lost = mongodb::bson::oid::ObjectId::new();
    for n in 0..3 {
        chunks
            .insert_one(doc! { "files_id": lost, "n": n })
            .await
            .unwrap();
    }
    let at = |seconds| chrono::DateTime::from_timestamp(seconds, 0).unwrap();
    assert_eq!(blobs.remove_unfinished(at(1_000_000_000)).await.unwrap(), 0);
    assert_eq!(blobs.remove_unfinished(at(4_000_000_000)).await.unwrap(), 1);
    assert_eq!(chunks.count_documents(doc! {}).await.unwrap(), 1);
    assert_eq!(blobs.list("", None).await.unwrap(), ["kept"]);
}

/// The server finds a contact by any of its values.
#[tokio::test]
async fn values_can_be_queried() {
    let store = on_mongodb().await.unwrap();
    let mut row = contact("a", 5);
    let attributes = json!({ "age": 41, "a.b": "dots", "$x": true, "": 0.5, "most": u64::MAX });
    row.body.attributes = attributes.as_object().unwrap().clone();
    write(&*store, 1, 1, vec![row, contact("b", 5)]).await;
    let most: Decimal128 = u64::MAX.to_string().parse().unwrap();
    for query in [
        doc! { "b.name": "a@5" },
        doc! { "b.updated_at": { "$type": "date" }, "b.attributes.age": { "$gt": 40 } },
        doc! { "b.attributes.a%2Eb": { "$regex": "^dot" } },
        doc! { "b.attributes.%24x": true },
        doc! { "b.attributes.%": { "$type": "double" } },
        doc! { "b.attributes.most": most },
    ] {
        let client = mongodb::Client::with_uri_str(&store.settings.url).await;
        let database = client.unwrap().database(&store.settings.database);
        let contacts = database.collection::<mongodb::bson::Document>("contacts");
        let found = contacts.count_documents(query.clone()).await.unwrap();
        assert_eq!(found, 1, "{query}");
    }
}

/// Rows of both collections that are left.
async fn left(settings: &MongoSettings) -> [u64; 2] {
    let client = mongodb::Client::with_uri_str(&settings.url).await.unwrap();
    let database = client.database(&settings.database);
    let mut left = [0; 2];
    for (rows, name) in left.iter_mut().zip(["contacts", "tombstones"]) {
        let collection = database.collection::<mongodb::bson::Document>(name);
        *rows = collection.count_documents(doc! {}).await.unwrap();
    }
    left
}

/// Among tombstones of people who stay, a purge leaves markers, so that no read walks past what it deleted.
/// Of people who go with it nothing is left.
#[tokio::test]
async fn a_purge_leaves_markers_and_nobody_sees_them() {
    let store = on_mongodb().await.unwrap();
    let texts: Vec<String> = (0..300).map(|n| format!("{n:011}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let documents: Vec<Document> = texts.iter().map(|text| document(text)).collect();
    put(&*store, 7, &texts, 1).await;
    let remove_and_purge = async |removal, purge| {
        let stones = texts.iter().map(|text| stone(text, removal, 2)).collect();
        bury(&*store, 7, stones).await;
        let (mut after, removal) = (None, RemovalNo(removal));
        loop {
            let step = store.purge_removal(key(7), removal, purge, after.as_ref(), 200);
            after = step.await.unwrap();
            if after.is_none() {
                break;
            }
        }
    };
    for taken_back in [1, 2] {
        remove_and_purge(taken_back, Purge::Tombstones).await;
        assert_eq!(walk(&*store, 7, &view(&[]), 1_000).await, texts);
        let stones = store.tombstones(key(7), &documents).await.unwrap();
        assert!(stones.is_empty(), "{stones:?}");
        let [contacts, markers] = left(&store.settings).await;
        assert_eq!(contacts, 300);
        assert!((1..=6).contains(&markers), "{markers}");
    }
    remove_and_purge(3, Purge::Hidden).await;
    assert_eq!(left(&store.settings).await, [0, 0]);
}
