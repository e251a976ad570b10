//! What a process deletes without being asked.

use std::{sync::Arc, time::Duration};

use adapter_sql::{
    Context,
    sqlite::{Db, Idempotency},
};
use domain::shared::{Instant, WorkspaceId};
use fake_crm::Plan;
use ports::{
    Clock,
    idempotency::{IdempotencyScope, IdempotencyStore, Reservation},
};
use runtime::{Snowflakes, SystemClock};

use crate::service::Service;

struct TwoDaysAgo;

impl Clock for TwoDaysAgo {
    fn now(&self) -> Instant {
        SystemClock.now() - Duration::from_hours(48)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_old_requests_are_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("imports.db")).await.unwrap();
    db.migrate(&[Context::Messaging, Context::Operations, Context::Importing])
        .await
        .unwrap();
    let ids = Snowflakes::new(2, Arc::new(SystemClock)).unwrap();
    let answers = Idempotency::new(db, Arc::new(TwoDaysAgo), Arc::new(ids));
    let scope = IdempotencyScope {
        workspace: WorkspaceId::parse("ws_1").unwrap(),
        method: "POST".to_owned(),
        path: "/api/v1/clients".to_owned(),
        key: "k".to_owned(),
    };
    let reserve = async |content| {
        let lease = Duration::from_secs(1);
        answers.reserve(&scope, content, lease).await.unwrap()
    };
    let is_fresh = |reservation| matches!(reservation, Reservation::Fresh { .. });
    assert!(is_fresh(reserve([1; 32]).await));
    // By its own clock the entry would still count.
    assert_eq!(reserve([2; 32]).await, Reservation::Mismatch);
    let _service = Service::in_dir(dir, Plan::default(), None).await;
    let deleted = async {
        while !is_fresh(reserve([2; 32]).await) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), deleted)
        .await
        .unwrap();
}
