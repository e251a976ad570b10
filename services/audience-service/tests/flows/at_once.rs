//! How many operations run at a time.

use audience_service::workers;
use runtime::Lifecycle;
use tokio::runtime::Handle;

use crate::{meeting::until_first, rig::Rig};

#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn as_many_removals_run_at_once_as_are_configured() {
    let rig = Rig::new().await;
    for name in ["one", "two"] {
        let id = rig.create(name, &["D1", "D2"]).await;
        rig.ask_to_recycle(id, &["D1"], false).await;
    }
    let at_its_beginning = || until_first("recycle.started", async {});
    let (first, second) = (at_its_beginning(), at_its_beginning());
    let life = Lifecycle::new(Handle::current());
    workers::start(&rig.app, &life, 2);
    first.reached();
    second.reached();
    tokio::join!(first.finish(), second.finish());
    life.shutdown();
    assert!(life.drain().await);
}
