//! Operations that end one worker after another.

use audience_service::AppError;
use domain::{
    operation::{OperationKind, OperationState},
    shared::OperationId,
};
use ports::{
    bus::OutboxQueue,
    contacts::ContentKey,
    store::{Durability, NewRemoval, RemovalState},
};

use crate::rig::Rig;

/// As workers leave it that end again and again right after the claim.
pub async fn crash_ten_times(rig: &Rig, kind: OperationKind) -> OperationId {
    let deps = &rig.ports;
    let mut last = None;
    for _ in 0..10 {
        let mut uow = deps.store.begin(Durability::Full).await.unwrap();
        let claimed = uow
            .operations()
            .claim(&[kind], "crashing", 0, deps.clock.now())
            .await
            .unwrap()
            .unwrap();
        uow.commit().await.unwrap();
        last = Some(claimed.operation.id);
    }
    last.unwrap()
}

async fn terminal_events(rig: &Rig, id: OperationId) -> usize {
    let (now, lease) = (rig.app.clock.now(), std::time::Duration::from_secs(60));
    let events = OutboxQueue::claim(&rig.db, 100, now, lease).await.unwrap();
    let finished = format!("{id}.finished.");
    let about = |id: &str| id.starts_with(&finished);
    events
        .iter()
        .filter(|claim| about(claim.event.event_id.as_str()))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_only_crashes_ends_like_any_that_failed() {
    let rig = Rig::new().await;
    let id = rig.create("Base", &["a", "b"]).await;
    rig.ask_to_recycle(id, &["a"], false).await;
    let operation = crash_ten_times(&rig, OperationKind::Recycle).await;
    let current = rig.app.find.visible(&rig.actor(), id).await.unwrap();
    let key = ContentKey {
        audience: id,
        epoch: current.epoch,
    };
    let mut uow = rig.ports.store.begin(Durability::Full).await.unwrap();
    let begun = NewRemoval { key, operation };
    uow.contents().begin_removal(begun).await.unwrap();
    uow.commit().await.unwrap();

    rig.work().await;
    let ended = rig.operation(operation).await;
    assert_eq!(ended.state, OperationState::Failed);
    assert_eq!(ended.error.unwrap().code, "too_many_crashes");
    assert_eq!(terminal_events(&rig, operation).await, 1);
    let removals = rig.ports.queries.removals(key).await.unwrap();
    let building = |r: &&ports::store::Removal| r.state == RemovalState::Building;
    assert_eq!(removals.iter().filter(building).count(), 0, "{removals:?}");
    assert_eq!(rig.members(id).await, ["A", "B"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_name_of_what_only_crashed_is_free() {
    let rig = Rig::new().await;
    let id = rig.create("Base", &["a", "b"]).await;
    rig.ask_to_recycle(id, &["a"], true).await;
    crash_ten_times(&rig, OperationKind::Recycle).await;
    let taken = rig.try_create("Base REC 2", &[]).await.unwrap_err();
    assert!(matches!(
        taken,
        AppError::Conflict {
            code: "name_taken",
            ..
        }
    ));
    rig.work().await;
    rig.create("Base REC 2", &[]).await;
}
