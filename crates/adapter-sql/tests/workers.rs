//! Connections shared by the runtimes of several web workers.

#![expect(clippy::unwrap_used, reason = "tests")]

use domain::shared::{AudienceId, WorkspaceId};
use futures::future::join_all;
use ports::store::AudienceQueries;

/// Enough that a connection is in use at the end of the worker that would have opened it.
const WORKERS: usize = 60;

async fn ask(queries: &impl AudienceQueries) {
    let workspace = WorkspaceId::parse("w").unwrap();
    let asked = (0..4).map(|_| queries.audience(&workspace, AudienceId::from_raw(1)));
    for answer in join_all(asked).await {
        assert_eq!(answer.unwrap(), None);
    }
}

/// Workers end while others go on with the connections of the pool.
async fn outlive_workers(queries: impl AudienceQueries + Clone + 'static) {
    for _ in 0..WORKERS {
        let of_worker = queries.clone();
        let worker = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(ask(&of_worker));
        });
        while !worker.is_finished() {
            ask(&queries).await;
        }
        ask(&queries).await;
        worker.join().unwrap();
    }
}

#[tokio::test]
async fn connections_on_sqlite_outlive_the_worker_that_asked_for_them() {
    outlive_workers((*test_kit::sqlite().await).clone()).await;
}

#[tokio::test]
async fn connections_on_postgres_outlive_the_worker_that_asked_for_them() {
    let Some(database) = test_kit::postgres().await else {
        return;
    };
    outlive_workers((*database).clone()).await;
}
