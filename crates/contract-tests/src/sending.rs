//! What a store owes senders: a dispatch begins once, ends once, and is told apart by workspace.
//!
//! An adapter implements [`SendingHarness`] over a fresh, migrated database and expands
//! [`sending_contract!`](crate::sending_contract) in its tests.

#![expect(clippy::unwrap_used, reason = "tests, for other crates to run")]

use chrono::TimeDelta;
use domain::{
    scheduling::DispatchId,
    shared::{Instant, WorkspaceId},
};
use futures::future::join_all;
use ports::sending::{Ended, Passed, SendingStore, Standing};

/// An adapter under test, over a database of its own.
pub trait SendingHarness: Send + Sync {
    /// Remembers dispatches.
    fn store(&self) -> &dyn SendingStore;
}

/// Expands to one test per case; `$harness` is an expression that awaits to an `Option` of a
/// [`SendingHarness`], `None` to skip.
#[macro_export]
macro_rules! sending_contract {
    ($harness:expr) => {
        $crate::sending_contract!(@ $harness;
            a_dispatch_is_new_once,
            an_end_stays,
            an_end_that_is_rolled_back_is_none,
            workspaces_are_apart,
            what_changed_long_ago_is_forgotten,
        );
    };
    (@ $harness:expr; $($case:ident),+ $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            if let Some(harness) = $harness.await {
                $crate::sending::$case(&harness).await;
            }
        })+
    };
}

fn at(seconds: i64) -> Instant {
    Instant::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn workspace(id: &str) -> WorkspaceId {
    WorkspaceId::parse(id).unwrap()
}

fn dispatch(recipient: u32) -> DispatchId {
    format!("dsp_7.1.email.{recipient}").parse().unwrap()
}

fn sent(id: &str) -> Ended {
    Ended::Sent(Passed {
        provider_id: Some(id.to_owned()),
    })
}

async fn begin(harness: &dyn SendingHarness, ws: &str, recipient: u32, seconds: i64) -> Standing {
    let (ws, id) = (workspace(ws), dispatch(recipient));
    harness.store().begin(&ws, &id, at(seconds)).await.unwrap()
}

async fn end(harness: &dyn SendingHarness, ws: &str, recipient: u32, ended: &Ended, seconds: i64) {
    let mut unit = harness.store().begin_sending().await.unwrap();
    let (ws, id) = (workspace(ws), dispatch(recipient));
    unit.end(&ws, &id, ended, at(seconds)).await.unwrap();
    unit.commit().await.unwrap();
}

/// Of many who begin it, one is the first.
pub async fn a_dispatch_is_new_once(harness: &dyn SendingHarness) {
    let all = join_all((0..8).map(|_| begin(harness, "w1", 1, 0))).await;
    let new = all.iter().filter(|one| **one == Standing::New).count();
    assert_eq!(new, 1);
    assert_eq!(begin(harness, "w1", 1, 9).await, Standing::Tried);
    assert_eq!(begin(harness, "w1", 2, 9).await, Standing::New);
}

/// What is noted first stays, with or without a name.
pub async fn an_end_stays(harness: &dyn SendingHarness) {
    let failed = Ended::Failed { code: "550".into() };
    for (recipient, ended) in [
        (1, sent("a")),
        (2, Ended::Sent(Passed::default())),
        (3, failed),
    ] {
        begin(harness, "w1", recipient, 0).await;
        end(harness, "w1", recipient, &ended, 1).await;
        end(harness, "w1", recipient, &sent("later"), 2).await;
        let standing = begin(harness, "w1", recipient, 3).await;
        assert_eq!(standing, Standing::Ended(ended));
    }
}

/// A transaction that is dropped has noted nothing.
pub async fn an_end_that_is_rolled_back_is_none(harness: &dyn SendingHarness) {
    begin(harness, "w1", 1, 0).await;
    let mut unit = harness.store().begin_sending().await.unwrap();
    let (ws, id) = (workspace("w1"), dispatch(1));
    unit.end(&ws, &id, &sent("a"), at(1)).await.unwrap();
    drop(unit);
    assert_eq!(begin(harness, "w1", 1, 2).await, Standing::Tried);
}

/// The same dispatch of another workspace is another one.
pub async fn workspaces_are_apart(harness: &dyn SendingHarness) {
    begin(harness, "w1", 1, 0).await;
    end(harness, "w2", 1, &sent("a"), 1).await;
    assert_eq!(begin(harness, "w1", 1, 2).await, Standing::Tried);
    assert_eq!(begin(harness, "w2", 1, 2).await, Standing::New);
}

/// The oldest go first, in steps.
pub async fn what_changed_long_ago_is_forgotten(harness: &dyn SendingHarness) {
    for recipient in 1..=4 {
        begin(harness, "w1", recipient, i64::from(recipient)).await;
    }
    end(harness, "w1", 1, &sent("a"), 9).await;
    let store = harness.store();
    assert_eq!(store.purge_dispatches(at(4), 1).await.unwrap(), 1);
    assert_eq!(begin(harness, "w1", 2, 10).await, Standing::New);
    assert_eq!(store.purge_dispatches(at(4), 9).await.unwrap(), 1);
    assert_eq!(begin(harness, "w1", 3, 10).await, Standing::New);
    assert_eq!(begin(harness, "w1", 4, 10).await, Standing::Tried);
    assert_eq!(
        begin(harness, "w1", 1, 10).await,
        Standing::Ended(sent("a"))
    );
}
