//! The main job, end to end on the embedded adapters, without HTTP.

#![expect(
    clippy::unwrap_used,
    reason = "a set-up that fails is a test that fails"
)]

mod at_once;
mod crashing;
mod creating;
mod customers;
mod deriving;
mod full;
mod groups;
mod housekeeping;
mod listed;
mod live;
mod meeting;
mod member_events;
mod membership;
mod paging;
mod removing;
mod resolver;
mod rig;
mod schedules;
mod scratch;
mod segments;
mod tracing;
mod usages;
mod withheld;

use domain::{operation::OperationState, shared::AudienceId};
use rig::{Rig, contacts};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_are_written_recycled_undone_and_cleared() {
    let rig = Rig::new().await;
    let id = rig.create("Base", &["a", "b", "c", "a"]).await;
    assert_eq!(rig.members(id).await, ["A", "B", "C"]);
    let operation = rig.recycle(id, &["a", "x"], false).await;
    let ended = rig.operation(operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    assert_eq!(rig.members(id).await, ["B", "C"]);
    let added = rig
        .app
        .contacts
        .add
        .execute(
            &rig.actor(),
            rig.request_id(),
            id,
            None,
            contacts(&["a", "d"]),
        )
        .await
        .unwrap();
    assert_eq!((added.counts.inserted, added.counts.updated), (2, 0));
    assert_eq!(rig.members(id).await, ["A", "B", "C", "D"]);
    let second = rig.recycle(id, &["b", "d"], false).await;
    assert_eq!(rig.members(id).await, ["A", "C"]);
    rig.app
        .operations
        .undo
        .execute(&rig.actor(), operation)
        .await
        .unwrap_err();
    rig.app
        .operations
        .undo
        .execute(&rig.actor(), second)
        .await
        .unwrap();
    assert_eq!(rig.members(id).await, ["A", "B", "C", "D"]);
    rig.app
        .operations
        .undo
        .execute(&rig.actor(), operation)
        .await
        .unwrap();
    assert_eq!(rig.members(id).await, ["A", "B", "C", "D"]);
    let cleared = rig
        .app
        .clear
        .execute(&rig.actor(), rig.request_id(), id, None)
        .await
        .unwrap();
    assert!(rig.members(id).await.is_empty());
    let again = rig
        .app
        .clear
        .execute(&rig.actor(), rig.request_id(), id, None)
        .await
        .unwrap();
    assert_eq!(again.operation, cleared.operation);
    rig.app
        .operations
        .undo
        .execute(&rig.actor(), cleared.operation)
        .await
        .unwrap();
    assert_eq!(rig.members(id).await, ["A", "B", "C", "D"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_attempts_to_undo_at_once_both_succeed() {
    let rig = Rig::new().await;
    let (actor, id) = (rig.actor(), rig.create("Base", &["a", "b", "c"]).await);
    let recycled = rig.recycle(id, &["a"], false).await;
    let cleared = rig.app.clear.execute(&actor, rig.request_id(), id, None);
    let cleared = cleared.await.unwrap().operation;
    for (operation, left) in [
        (cleared, ["B", "C"].as_slice()),
        (recycled, &["A", "B", "C"]),
    ] {
        let undo = || rig.app.operations.undo.execute(&actor, operation);
        let (one, two) = tokio::join!(undo(), undo());
        assert!(one.unwrap().undone_at.is_some());
        assert!(two.unwrap().undone_at.is_some());
        assert_eq!(rig.members(id).await, left);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recycling_to_a_new_audience_leaves_the_source_alone() {
    let rig = Rig::new().await;
    let id = rig.create("Base", &["a", "b", "c"]).await;
    let operation = rig.recycle(id, &["b"], true).await;
    let ended = rig.operation(operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    let params = ended
        .params
        .get("target")
        .and_then(|t| t.get("audience"))
        .cloned();
    let target = AudienceId::from_raw(params.and_then(|v| v.as_i64()).unwrap());
    assert_eq!(rig.members(target).await, ["A", "C"]);
    assert_eq!(rig.members(id).await, ["A", "B", "C"]);
    let made = rig.app.find.visible(&rig.actor(), target).await.unwrap();
    assert_eq!(made.name.as_str(), "Base REC 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_comes_in_with_a_report_that_balances() {
    let rig = Rig::new().await;
    let mut csv = "cpf;nome;telefone;cidade\n".to_owned();
    for n in 0..5_000 {
        csv.push_str(&format!(
            "{:011};Pessoa {n};1199{:07};Recife\n",
            n % 4_900,
            n
        ));
    }
    csv.push_str(";sem documento;;\n");
    let accepted = rig.create_from_csv("Do arquivo", &csv).await;
    rig.app
        .find
        .visible(&rig.actor(), accepted.audience)
        .await
        .unwrap_err();
    rig.work().await;
    let ended = rig.operation(accepted.operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    let report = serde_json::to_value(&ended.report).unwrap();
    let expected = json!({
        "received": 5_001, "created": 4_900, "updated": 100, "unchanged": 0, "superseded": 0, "rejected": 1, "opted_out": 0
    });
    assert_eq!(report, expected);
    let audience = rig
        .app
        .find
        .visible(&rig.actor(), accepted.audience)
        .await
        .unwrap();
    assert_eq!(audience.contacts, 4_900);
    let page = rig
        .app
        .contacts
        .read
        .page(&rig.actor(), audience.id, 49, 100)
        .await
        .unwrap();
    assert_eq!((page.total, page.rows.len()), (4_900, 100));
    assert_eq!(page.rows[0].document.as_str(), "00000004800");
}
