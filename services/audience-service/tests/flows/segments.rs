//! Refreshes that something happens to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use audience_service::{Actor, Ports};
use domain::{
    audience::{AudienceStatus, Definition},
    operation::{OperationState, Report},
    segment::SegmentQuery,
    shared::{AudienceId, WorkspaceId},
};
use ports::segments::{Member, MemberStream, ResolveError, SegmentCounts, SegmentResolver};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::rig::Rig;

/// What happens when members are asked for.
enum Event {
    /// Nobody answers.
    Fails,
    /// It is told, and waits until it may go on.
    Waits(oneshot::Sender<()>, oneshot::Receiver<()>),
}

/// A resolver to which something happens when members are asked for a certain time.
struct Disturbed {
    inner: Arc<dyn SegmentResolver>,
    asked: AtomicUsize,
    /// Which time, and what.
    event: Mutex<Option<(usize, Event)>>,
}

#[async_trait]
impl SegmentResolver for Disturbed {
    async fn counts(&self, query: &SegmentQuery) -> Result<SegmentCounts, ResolveError> {
        self.inner.counts(query).await
    }

    async fn members(
        &self,
        query: &SegmentQuery,
        limit: usize,
    ) -> Result<Vec<Member>, ResolveError> {
        self.inner.members(query, limit).await
    }

    async fn stream(&self, query: SegmentQuery) -> Result<Box<dyn MemberStream>, ResolveError> {
        let time = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let event = {
            let mut event = self.event.lock().unwrap();
            let due = event.as_ref().is_some_and(|(at, _)| *at == time);
            due.then(|| event.take()).flatten()
        };
        match event {
            Some((_, Event::Fails)) => return Err(ResolveError::Missing("table")),
            Some((_, Event::Waits(told, go_on))) => {
                told.send(()).unwrap();
                go_on.await.unwrap();
            }
            None => {}
        }
        self.inner.stream(query).await
    }

    async fn keys(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, ResolveError> {
        self.inner.keys(workspace, after, limit).await
    }

    async fn numbers(&self, workspace: &WorkspaceId) -> Result<Option<(i64, i64)>, ResolveError> {
        self.inner.numbers(workspace).await
    }
}

/// A rig to whose resolver this happens when it is asked for members this time.
async fn disturbed(time: usize, event: Event) -> Rig {
    Rig::with(|ports: &mut Ports| {
        ports.segments = Arc::new(Disturbed {
            inner: Arc::clone(&ports.segments),
            asked: AtomicUsize::new(0),
            event: Mutex::new(Some((time, event))),
        });
    })
    .await
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
