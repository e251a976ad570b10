//! The contract of the contact store, on MongoDB.

#![expect(
    clippy::unwrap_used,
    reason = "a set-up that fails is a test that fails"
)]

use std::{
    ops::Deref,
    sync::atomic::{AtomicU32, Ordering},
};

use adapter_mongo::{MongoContacts, MongoSettings};
use contract_tests::contacts_contract;
use mongodb::bson::doc;
use ports::contacts::ContactStore;

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
    MongoSettings::new(test_support::mongodb_url(), database)
}

async fn on_mongodb() -> Option<Store> {
    let settings = settings();
    let contacts = MongoContacts::open(&settings).await.unwrap();
    Some(Store { contacts, settings })
}

contacts_contract!(on_mongodb());
