//! Cases of operations that no worker has.

use domain::{
    operation::{
        Failure, Operation, OperationKind, OperationResult, OperationState, Progress, Report,
        UploadReport,
    },
    shared::{AudienceId, OperationId},
};
use ports::{StoreError, constraint, store::OperationUpdate};

use super::{StoreHarness, at, begin, enqueue, number, operation, user, workspace};

async fn stored(h: &dyn StoreHarness, id: OperationId) -> Operation {
    h.queries()
        .operation(&workspace("w"), id)
        .await
        .unwrap()
        .unwrap()
}

async fn update(
    h: &dyn StoreHarness,
    id: OperationId,
    expected: OperationState,
    update: OperationUpdate,
) -> Result<(), StoreError> {
    let mut uow = begin(h).await;
    uow.operations().update(id, expected, &update).await?;
    uow.commit().await
}

fn to(state: OperationState) -> OperationUpdate {
    OperationUpdate {
        state: Some(state),
        ..OperationUpdate::default()
    }
}

pub async fn an_operation_comes_back_as_it_was(h: &dyn StoreHarness) {
    let audience = AudienceId::from_raw(number());
    let mut new = operation(&workspace("w"), Some(audience), OperationKind::Upload);
    new.total = Some(7);
    enqueue(h, &[&new]).await;
    let expected = Operation {
        id: new.id,
        workspace: workspace("w"),
        audience: Some(audience),
        kind: OperationKind::Upload,
        state: OperationState::Queued,
        reason: None,
        result: None,
        progress: Progress {
            done: 0,
            total: Some(7),
        },
        report: None,
        error: None,
        attempt: 1,
        params: new.params.clone(),
        checkpoint: serde_json::Value::Null,
        cancel_requested: false,
        created_by: user(),
        created_at: at(1),
        started_at: None,
        finished_at: None,
        undone_at: None,
        undo_until: None,
    };
    assert_eq!(stored(h, new.id).await, expected);
    let mut uow = begin(h).await;
    assert_eq!(
        uow.operations().by_write_id(new.write_id).await.unwrap(),
        Some(expected)
    );
    assert_eq!(uow.operations().by_write_id(number()).await.unwrap(), None);
}

pub async fn a_request_makes_one_operation(h: &dyn StoreHarness) {
    let first = operation(&workspace("w"), None, OperationKind::Upload);
    let mut second = operation(&workspace("w"), None, OperationKind::Upload);
    second.write_id = first.write_id;
    enqueue(h, &[&first]).await;
    let error = begin(h).await.operations().add(&second).await.unwrap_err();
    assert!(error.is_conflict_on(constraint::WRITE_ID), "{error}");
}

pub async fn an_update_changes_what_it_names(h: &dyn StoreHarness) {
    let new = operation(&workspace("w"), None, OperationKind::Upload);
    enqueue(h, &[&new]).await;
    let waiting = OperationUpdate {
        reason: Some("backpressure".to_owned()),
        progress: Some(Progress {
            done: 3,
            total: Some(9),
        }),
        checkpoint: Some(serde_json::json!({ "row": 3 })),
        ..to(OperationState::Waiting)
    };
    update(h, new.id, OperationState::Queued, waiting)
        .await
        .unwrap();
    let before = stored(h, new.id).await;
    assert_eq!(before.reason.as_deref(), Some("backpressure"));
    assert_eq!(before.checkpoint, serde_json::json!({ "row": 3 }));
    update(
        h,
        new.id,
        OperationState::Waiting,
        OperationUpdate::default(),
    )
    .await
    .unwrap();
    assert_eq!(
        stored(h, new.id).await,
        before,
        "nothing named, nothing changed"
    );

    let report = UploadReport {
        received: 9,
        created: 9,
        ..UploadReport::default()
    };
    let ended = OperationUpdate {
        result: Some(OperationResult::Partial),
        report: Some(Report::Upload(report.clone())),
        error: Some(Failure::new("code", "detail")),
        finished_at: Some(at(5)),
        undo_until: Some(at(6)),
        undone_at: Some(at(7)),
        ..to(OperationState::Failed)
    };
    update(h, new.id, OperationState::Waiting, ended)
        .await
        .unwrap();
    let expected = Operation {
        state: OperationState::Failed,
        reason: None,
        result: Some(OperationResult::Partial),
        report: Some(Report::Upload(report)),
        error: Some(Failure::new("code", "detail")),
        finished_at: Some(at(5)),
        undo_until: Some(at(6)),
        undone_at: Some(at(7)),
        ..before
    };
    assert_eq!(stored(h, new.id).await, expected);
}

pub async fn an_update_needs_the_expected_state(h: &dyn StoreHarness) {
    let new = operation(&workspace("w"), None, OperationKind::Upload);
    enqueue(h, &[&new]).await;
    let late = update(
        h,
        new.id,
        OperationState::Waiting,
        to(OperationState::Failed),
    )
    .await;
    assert!(matches!(late, Err(StoreError::StaleVersion)), "{late:?}");
    assert_eq!(stored(h, new.id).await.state, OperationState::Queued);
}

pub async fn states_change_as_the_state_machine_says(h: &dyn StoreHarness) {
    for from in OperationState::ALL.iter().copied() {
        for next in OperationState::ALL.iter().copied() {
            let mut new = operation(&workspace("w"), None, OperationKind::Upload);
            new.state = from;
            enqueue(h, &[&new]).await;
            let changed = update(h, new.id, from, to(next)).await;
            let said = changed.map_err(|error| matches!(error, StoreError::StaleVersion));
            let expected = from.to(next).map(drop).map_err(|_| true);
            assert_eq!(said, expected, "{from} to {next}");
        }
    }
}

pub async fn live_operations_of_an_audience(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let id = AudienceId::from_raw(number());
    let audience = Some(id);
    let mut ended = operation(&ws, audience, OperationKind::Clear);
    ended.state = OperationState::Succeeded;
    let recycle = operation(&ws, audience, OperationKind::Recycle);
    let purge = operation(&ws, audience, OperationKind::Purge);
    let upload = operation(&ws, audience, OperationKind::Upload);
    let other = operation(
        &ws,
        Some(AudienceId::from_raw(number())),
        OperationKind::Recycle,
    );
    enqueue(h, &[&ended, &recycle, &purge, &upload, &other]).await;
    update(
        h,
        upload.id,
        OperationState::Queued,
        to(OperationState::Waiting),
    )
    .await
    .unwrap();
    let kinds = [
        OperationKind::Upload,
        OperationKind::Recycle,
        OperationKind::Clear,
    ];
    let mut uow = begin(h).await;
    let live = uow.operations().live_of(id, &kinds).await.unwrap();
    let live: Vec<_> = live.iter().map(|operation| operation.id).collect();
    assert_eq!(live, [recycle.id, upload.id]);
}

pub async fn a_retry_goes_back_to_the_queue(h: &dyn StoreHarness) {
    let new = operation(&workspace("w"), None, OperationKind::Upload);
    enqueue(h, &[&new]).await;
    let failed = OperationUpdate {
        checkpoint: Some(serde_json::json!(4)),
        error: Some(Failure::new("code", "detail")),
        finished_at: Some(at(5)),
        ..to(OperationState::Failed)
    };
    let mut uow = begin(h).await;
    uow.operations().request_cancel(new.id).await.unwrap();
    uow.operations()
        .update(new.id, OperationState::Queued, &failed)
        .await
        .unwrap();
    uow.operations().requeue(new.id).await.unwrap();
    uow.commit().await.unwrap();
    let queued = stored(h, new.id).await;
    assert_eq!((queued.state, queued.attempt), (OperationState::Queued, 2));
    assert_eq!(queued.checkpoint, serde_json::json!(4));
    assert_eq!(
        (queued.error, queued.finished_at, queued.cancel_requested),
        (None, None, false)
    );
}

pub async fn only_what_failed_is_retried(h: &dyn StoreHarness) {
    let queued = operation(&workspace("w"), None, OperationKind::Upload);
    let mut succeeded = operation(&workspace("w"), None, OperationKind::Upload);
    succeeded.state = OperationState::Succeeded;
    enqueue(h, &[&queued, &succeeded]).await;
    for id in [queued.id, succeeded.id] {
        let retried = begin(h).await.operations().requeue(id).await;
        assert!(
            matches!(retried, Err(StoreError::StaleVersion)),
            "{retried:?}"
        );
    }
}
