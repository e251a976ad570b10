//! Scratch files go when nothing can go on from them.

use domain::{
    operation::{OperationKind, OperationState},
    shared::{AudienceId, Instant, OperationId},
};

use audience_service::control::Pool;

use crate::{crashing::crash_ten_times, rig::Rig};

fn later(rig: &Rig, seconds: i64) -> Instant {
    rig.app.clock.now() + chrono::TimeDelta::seconds(seconds)
}

/// Writes scratch as an operation has it.
fn leave(rig: &Rig, operation: OperationId) -> [String; 2] {
    let names = [
        format!("recycle/{}.keep", operation.raw()),
        format!("uploads/{}.rows", operation.raw()),
    ];
    for name in &names {
        let mut sorter = rig.ports.spool.sorter(name, 1 << 20).unwrap();
        sorter.push(b"a", &[]).unwrap();
        sorter.finish().unwrap();
    }
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scratch_goes_with_its_operation() {
    let rig = Rig::new().await;
    let id: AudienceId = rig.create("Base", &["a", "b"]).await;
    let succeeded = rig.recycle(id, &["a"], false).await;
    rig.ask_to_recycle(id, &["b"], false).await;
    let failed = crash_ten_times(&rig, OperationKind::Recycle).await;
    rig.work().await;
    let live = rig.ask_to_recycle(id, &["b"], false).await;
    let unknown = OperationId::from_raw(rig.app.ids.next());
    let spool = &rig.ports.spool;
    let left = [succeeded, failed, live, unknown].map(|operation| leave(&rig, operation));
    let there = || {
        left.each_ref()
            .map(|names| names.iter().all(|name| spool.exists(name).unwrap()))
    };

    let (young, old) = (later(&rig, -60), later(&rig, 60));
    assert_eq!(rig.app.upkeep.files.scratch(young, young).await.unwrap(), 0);
    assert_eq!(
        there(),
        [true; 4],
        "it may be of a request that is being answered"
    );
    assert_eq!(rig.app.upkeep.files.scratch(old, young).await.unwrap(), 4);
    assert_eq!(there(), [false, true, true, false]);
    assert!(rig.app.upkeep.files.scratch(old, old).await.unwrap() >= 2);
    assert_eq!(there(), [false, false, true, false]);
    rig.work().await;
    assert_eq!(rig.operation(live).await.state, OperationState::Succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_on_another_machine_makes_the_sets_of_a_recycling_again() {
    let rig = Rig::new().await;
    let id = rig.create("Base", &["a", "b", "c", "d"]).await;
    let operation = rig.ask_to_recycle(id, &["b", "d"], false).await;
    let elsewhere = rig.elsewhere();
    elsewhere.operations.work_once(Pool::Recycle).await.unwrap();
    let ended = rig.operation(operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    assert_eq!(rig.members(id).await, ["A", "C"]);
    let kept = rig.ports.blobs.list("recycle", None).await.unwrap();
    assert!(kept.is_empty(), "{kept:?}");
}
