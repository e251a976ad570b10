use domain::{
    operation::{OperationKind, Report, UploadReport},
    shared::{AudienceId, UserId, WorkspaceId},
};
use serde_json::Value;

use super::*;

fn at(second: i64) -> Instant {
    chrono::DateTime::from_timestamp(second, 0).unwrap()
}

fn running(done: i64, total: Option<i64>) -> Operation {
    Operation {
        id: OperationId::from_raw(7),
        workspace: WorkspaceId::parse("ws").unwrap(),
        audience: Some(AudienceId::from_raw(9)),
        kind: OperationKind::Upload,
        state: OperationState::Running,
        reason: None,
        result: None,
        progress: Progress { done, total },
        report: Some(Report::Upload(UploadReport::default())),
        error: None,
        attempt: 1,
        params: Value::Null,
        checkpoint: Value::Null,
        cancel_requested: false,
        created_by: UserId::parse("ana").unwrap(),
        created_at: at(0),
        started_at: Some(at(100)),
        finished_at: None,
        undone_at: None,
        undo_until: None,
    }
}

#[test]
fn the_pace_is_that_since_the_start_and_needs_a_total_for_an_estimate() {
    let pace = |operation: &Operation, now| Pace::of(operation, at(now));
    let half = pace(&running(500, Some(1_000)), 110);
    assert_eq!((half.rate, half.eta), (Some(50.0), Some(at(120))));
    let open = pace(&running(5, None), 110);
    assert_eq!((open.rate, open.eta), (Some(0.5), None));
    let none = pace(&running(0, Some(10)), 110);
    assert_eq!((none.rate, none.eta), (Some(0.0), None));
    assert_eq!(pace(&running(5, Some(10)), 100), Pace::default());
    let beyond = pace(&running(12, Some(10)), 110);
    assert_eq!(beyond.eta, Some(at(110)));
}

#[test]
fn only_a_running_operation_has_a_pace() {
    for state in OperationState::ALL.iter().copied() {
        let operation = Operation {
            state,
            ..running(5, Some(10))
        };
        let paced = Pace::of(&operation, at(110)) != Pace::default();
        assert_eq!(paced, state == OperationState::Running, "{state}");
    }
}

#[test]
fn links_name_what_can_be_done() {
    let undoable = Operation {
        undo_until: Some(at(300)),
        ..running(0, None)
    };
    let links = links(&undoable, &Details::default(), at(200));
    let names: Vec<_> = links.keys().map(AsRef::as_ref).collect();
    assert_eq!(names, ["audience", "cancel", "events", "self", "undo"]);
    assert_eq!(links["undo"], "/api/v1/operations/op_7/undo");
    assert_eq!(links["audience"], "/api/v1/audiences/aud_9");
}
