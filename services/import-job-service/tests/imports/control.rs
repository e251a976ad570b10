//! Cancelling, trying again, schedules.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    operation::{OperationResult, OperationState},
    scheduling::Cron,
};
use fake_crm::{Endpoint, Fault, Misbehaviour, Plan, RetryAfter};
use import_job_service::client::ClientChange;
use kernel::AppError;
use ports::{
    bus::OutboxQueue,
    importing::{ImportKind, ImportStore},
};

use crate::rig::{Rig, actor, code, report};

fn conflict(outcome: Result<ports::importing::Run, AppError>) -> &'static str {
    match outcome {
        Err(AppError::Conflict { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_run_is_cancelled_at_once_and_makes_room() {
    let rig = Rig::new(Plan::default()).await;
    let run = rig.start(ImportKind::Tickets).await;
    let cancelled = rig.cancel(&run).await.unwrap();
    assert_eq!(cancelled.operation.state, OperationState::Cancelled);
    let again = rig.cancel(&run).await;
    assert_eq!(conflict(again), "operation_ended");
    let other = rig.start(ImportKind::Tickets).await;
    assert_ne!(other.operation.id, run.operation.id);
    let retried = rig.retry(&run).await;
    assert_eq!(conflict(retried), "run_active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_one_is_cancelled_while_it_waits_and_goes_on_when_tried_again() {
    let rig = Rig::new(Plan {
        tickets: 200,
        faults: vec![Fault {
            on: Some(Endpoint::Tickets),
            request: 3,
            times: 1,
            misbehaviour: Misbehaviour::Status {
                status: 429,
                retry_after: RetryAfter::Seconds(3_600),
            },
        }],
        ..Plan::default()
    })
    .await;
    let run = rig.start(ImportKind::Tickets).await;
    let importer = rig.cases.worker.clone();
    let worker = tokio::spawn(async move {
        let claimed = importer.claim().await.unwrap().unwrap();
        importer.work_on(claimed).await;
    });
    while rig.asked(Endpoint::Tickets) < 3 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    rig.cancel(&run).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), worker)
        .await
        .expect("it does not wait for the hour")
        .unwrap();
    let cancelled = rig.look(&run).await;
    assert_eq!(cancelled.operation.state, OperationState::Cancelled);
    assert_eq!(
        report(&cancelled).tickets.created,
        100,
        "what was stored stays"
    );
    let retried = rig.retry(&run).await.unwrap();
    assert_eq!(retried.operation.attempt, 2);
    rig.work().await;
    let ended = rig.look(&run).await;
    assert_eq!(ended.operation.result, Some(OperationResult::Complete));
    assert_eq!(report(&ended).tickets.created, 200, "counted on, not anew");
    assert_eq!(rig.asked(Endpoint::Tickets), 3 + 2, "from where it was");
}

/// K8: one end, one event, however often the end is tried.
#[tokio::test(flavor = "multi_thread")]
async fn k8_each_attempt_ends_with_one_event() {
    let rig = Rig::new(Plan {
        tickets: 10,
        contacts: 0,
        ..Plan::default()
    })
    .await;
    rig.fake
        .replan(|plan| plan.token = Some("another".to_owned()));
    let run = rig.run(ImportKind::Tickets).await;
    assert_eq!(code(&run), "unauthorized");
    rig.fake
        .replan(|plan| plan.token = Some(crate::rig::TOKEN.to_owned()));
    rig.retry(&run).await.unwrap();
    rig.work().await;
    let far = "2100-01-01T00:00:00Z".parse().unwrap();
    let claims = rig
        .db
        .claim(100, far, Duration::from_secs(9))
        .await
        .unwrap();
    let ids: Vec<_> = claims
        .iter()
        .map(|claim| claim.event.event_id.to_string())
        .collect();
    let id = run.operation.id;
    assert_eq!(
        ids,
        [1, 2].map(|attempt| format!("{id}.finished.{attempt}"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_starts_both_kinds_once_and_names_the_next_time() {
    let rig = Rig::new(Plan::default()).await;
    let hourly = ClientChange {
        schedule: Some(Some("0 * * * *".to_owned())),
        ..ClientChange::default()
    };
    let changed = rig
        .cases
        .change_client
        .execute(&actor(), rig.client.id, 1, hourly)
        .await;
    let due = changed.unwrap().next_run_at.unwrap();
    assert_eq!(
        rig.cases.start_due_runs.execute().await.unwrap(),
        0,
        "not yet"
    );
    // As if it had been due three hours ago: what was missed runs once.
    let past = due - TimeDelta::hours(3);
    let mut unit = rig.db.begin_import().await.unwrap();
    let moved = unit
        .clients()
        .reschedule(rig.client.id, due, Some(past))
        .await;
    assert!(moved.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(rig.cases.start_due_runs.execute().await.unwrap(), 1);
    assert_eq!(rig.cases.start_due_runs.execute().await.unwrap(), 0);
    let client = rig
        .cases
        .clients
        .get(&actor(), rig.client.id)
        .await
        .unwrap();
    let now = rig.setup.clock.now();
    let next = client
        .schedule
        .as_ref()
        .and_then(|s| Cron::next_after(s, now));
    assert_eq!(client.next_run_at, next);
    let (runs, more) = rig.cases.runs.list(&actor(), all()).await.unwrap();
    assert_eq!((runs.len(), more), (2, false));
    assert!(
        runs.iter()
            .all(|r| r.operation.created_by.as_str() == "schedule")
    );
}

fn all() -> ports::importing::RunFilter {
    ports::importing::RunFilter {
        limit: 10,
        ..Default::default()
    }
}
