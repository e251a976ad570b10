//! The contract of the contact store, on SQLite.

#![expect(
    clippy::unwrap_used,
    reason = "a set-up that fails is a test that fails"
)]

use std::ops::Deref;

use adapter_sql::contacts::{ContactsOptions, SqliteContacts, Synchronous};
use contract_tests::contacts_contract;
use ports::contacts::ContactStore;
use tempfile::TempDir;

/// A store in a directory that goes with it.
struct Store {
    contacts: SqliteContacts,
    _dir: TempDir,
}

impl Deref for Store {
    type Target = dyn ContactStore;

    fn deref(&self) -> &(dyn ContactStore + 'static) {
        &self.contacts
    }
}

async fn on_sqlite() -> Option<Store> {
    let dir = tempfile::tempdir().unwrap();
    let contacts = open(&dir).await;
    Some(Store {
        contacts,
        _dir: dir,
    })
}

async fn open(dir: &TempDir) -> SqliteContacts {
    let mut options = ContactsOptions::new(dir.path().join("contacts.db"));
    options.synchronous = Synchronous::Off;
    SqliteContacts::open(options).await.unwrap()
}

contacts_contract!(on_sqlite());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir).await;
    contract_tests::contacts::put(&store, 1, &["a", "b"], 1).await;
    drop(store);
    let store = open(&dir).await;
    let view = contract_tests::contacts::view(&[]);
    assert_eq!(
        contract_tests::contacts::walk(&store, 1, &view, 10).await,
        ["A", "B"]
    );
}
