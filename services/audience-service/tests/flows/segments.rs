//! Refreshes that something happens to.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use audience_service::Actor;
use domain::{
    audience::{AudienceStatus, Definition},
    operation::{OperationState, Report},
    shared::AudienceId,
};
use futures::{FutureExt, future::BoxFuture};
use ports::segments::ResolveError;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{
    resolver::{Ask, interpose},
    rig::Rig,
};

/// What happens when members are asked for.
enum Event {
    /// Nobody answers.
    Fails,
    /// It is told, and waits until it may go on.
    Waits(oneshot::Sender<()>, oneshot::Receiver<()>),
}

/// A rig to whose resolver this happens when it is asked for all members this time.
async fn disturbed(time: usize, event: Event) -> Rig {
    let (asked, event) = (AtomicUsize::new(0), Mutex::new(Some(event)));
    let before = move |ask: Ask<'_>| -> BoxFuture<'static, Result<(), ResolveError>> {
        let is_stream = matches!(ask, Ask::Stream);
        let is_due = is_stream && asked.fetch_add(1, Ordering::SeqCst) + 1 == time;
        let event = is_due.then(|| event.lock().unwrap().take()).flatten();
        async move {
            match event {
                Some(Event::Fails) => Err(ResolveError::Missing("table")),
                Some(Event::Waits(told, go_on)) => {
                    told.send(()).unwrap();
                    go_on.await.unwrap();
                    Ok(())
                }
                None => Ok(()),
            }
        }
        .boxed()
    };
    Rig::with(|ports| interpose(ports, Box::new(before))).await
}

fn in_city(city: &str) -> Definition {
    let condition =
        json!({"kind": "property", "field": "city", "operator": "equals", "value": city});
    Definition {
        groups: vec![json!({ "conditions": [condition] })],
        ..Definition::default()
    }
}

/// Two customers, and an audience of those in Recife that is being resolved.
async fn published(rig: &Rig) -> (AudienceId, domain::shared::OperationId) {
    let items: Vec<Value> = vec![
        json!({"document": "A1", "city": "Recife"}),
        json!({"document": "B1", "city": "Natal"}),
    ];
    let actor: Actor = rig.actor();
    let write = &rig.app.customers.write;
    let written = write.upsert(&actor, rig.request_id(), items, false).await;
    assert_eq!(written.unwrap().len(), 2);
    let id = rig.create("Segment", &[]).await;
    let define = &rig.app.segments.define;
    define
        .publish(&actor, rig.request_id(), id, AudienceStatus::Draft)
        .await
        .unwrap();
    define
        .execute(&actor, rig.request_id(), id, None, in_city("Recife"))
        .await
        .unwrap();
    let active = AudienceStatus::Active;
    let begun = define.publish(&actor, rig.request_id(), id, active).await;
    (id, begun.unwrap().refresh.unwrap().operation)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_fills_a_content_of_its_own() {
    // Where nobody is a member yet, the first look fills.
    let rig = disturbed(1, Event::Fails).await;
    let (id, operation) = published(&rig).await;
    rig.work().await;
    assert_eq!(rig.operation(operation).await.state, OperationState::Failed);
    let failed = rig.app.find.visible(&rig.actor(), id).await.unwrap();
    assert_eq!(failed.status, AudienceStatus::Failed);
    // What it had begun is deleted by now.
    rig.work().await;
    let (actor, request_id) = (rig.actor(), rig.request_id());
    rig.app
        .operations
        .retry(&actor, request_id, operation)
        .await
        .unwrap();
    rig.work().await;
    let ended = rig.operation(operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    assert_eq!(rig.members(id).await, ["A1"]);
    let active = rig.app.find.visible(&rig.actor(), id).await.unwrap();
    assert_eq!(
        (active.status, active.contacts),
        (AudienceStatus::Active, 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_that_change_meanwhile_are_those_that_count() {
    let ((told, filling), (go_on, may)) = (oneshot::channel(), oneshot::channel());
    let rig = disturbed(1, Event::Waits(told, may)).await;
    let (id, operation) = published(&rig).await;
    let change = async {
        filling.await.unwrap();
        let (actor, define) = (rig.actor(), &rig.app.segments.define);
        let changed = define
            .execute(&actor, rig.request_id(), id, None, in_city("Natal"))
            .await
            .unwrap();
        // Whoever changes them shares the run that is under way.
        assert_eq!(changed.refresh.unwrap().operation, operation);
        go_on.send(()).unwrap();
    };
    tokio::join!(rig.work(), change);
    rig.work().await;
    let ended = rig.operation(operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    assert_eq!(rig.members(id).await, ["B1"]);
    let Some(Report::Refresh(report)) = ended.report else {
        panic!("a report of members")
    };
    assert_eq!((report.size, report.entered, report.left), (1, 1, 0));
}
