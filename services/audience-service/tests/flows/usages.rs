//! Other services tell which audiences they use.

use std::{sync::Arc, time::Duration};

use audience_service::{AppError, consumers::NoteUsage};
use domain::shared::{AudienceId, WorkspaceId};
use events::{Attributes, Envelope, v1::AudienceUsageChanged};
use messaging::{EventHandler, outgoing};
use ports::bus::{Delivered, InboxStore, Outcome, Subscription};

use crate::rig::Rig;

const LEASE: Duration = Duration::from_secs(30);
const SUBSCRIPTION: Subscription = Subscription::from_static(events::USAGES);

fn told(audience: &str, version: i64, in_use: bool) -> Envelope<AudienceUsageChanged> {
    let attributes = Attributes {
        id: format!("evt_{version}"),
        source: "/plateia/scheduler-service".into(),
        time: chrono::DateTime::UNIX_EPOCH,
        workspace: "ws_1".into(),
        version,
        traceparent: None,
    };
    let data = AudienceUsageChanged {
        audience_id: audience.into(),
        kind: "communication".into(),
        id: "com_7".into(),
        name: "Natal".into(),
        resource: true,
        in_use,
    };
    Envelope::new(attributes, data)
}

impl Rig {
    /// Delivers an event and handles it.
    async fn tell(&self, event: Envelope<AudienceUsageChanged>) -> Outcome {
        let workspace = WorkspaceId::parse(&event.attributes.workspace).unwrap();
        let sent = outgoing(&event, &workspace).unwrap();
        let now = self.app.clock.now();
        let delivered = self.db.deliver(&SUBSCRIPTION, &sent, now).await.unwrap();
        assert_eq!(delivered, Delivered::Stored);
        let claimed = self.db.claim(&SUBSCRIPTION, 1, now, LEASE).await;
        let delivery = claimed.unwrap().into_iter().next().unwrap();
        let handler = NoteUsage(Arc::clone(&self.app));
        handler.handle(&delivery, event).await
    }

    async fn users(&self, id: AudienceId) -> usize {
        let usages = &self.app.usages;
        let listed = usages.list(&self.actor(), id, None, 10).await;
        listed.unwrap().0.len()
    }

    async fn drop_audience(&self, id: AudienceId) -> Result<(), &'static str> {
        match self.app.change.drop(&self.actor(), id, None, None).await {
            Ok(_) => Ok(()),
            Err(AppError::Conflict { code, .. }) => Err(code),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_service_uses_is_not_deleted() {
    let rig = Rig::new().await;
    let id = rig.create("Base", &["a"]).await;
    let name = id.to_string();
    assert_eq!(rig.tell(told(&name, 2, true)).await, Outcome::Done);
    assert_eq!(rig.users(id).await, 1);
    assert!(
        rig.app
            .find
            .visible(&rig.actor(), id)
            .await
            .unwrap()
            .resource
    );
    assert_eq!(rig.drop_audience(id).await, Err("audience_in_use"));
    // What was told before arrives late.
    assert_eq!(rig.tell(told(&name, 1, false)).await, Outcome::Done);
    assert_eq!(rig.users(id).await, 1);
    assert_eq!(rig.tell(told(&name, 3, false)).await, Outcome::Done);
    assert_eq!(rig.users(id).await, 0);
    assert_eq!(rig.drop_audience(id).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_names_nothing_is_passed_over_and_what_is_malformed_refused() {
    let rig = Rig::new().await;
    let id = rig.create("Base", &["a"]).await;
    assert_eq!(rig.tell(told("aud_1", 1, true)).await, Outcome::Done);
    let mut foreign = told(&id.to_string(), 2, true);
    foreign.attributes.workspace = "ws_2".into();
    assert_eq!(rig.tell(foreign).await, Outcome::Done);
    assert_eq!(rig.users(id).await, 0);
    let mut reserved = told(&id.to_string(), 3, true);
    reserved.data.kind = "audience".into();
    assert!(matches!(rig.tell(reserved).await, Outcome::Reject { .. }));
    let malformed = told("x", 4, true);
    assert!(matches!(rig.tell(malformed).await, Outcome::Reject { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_made_an_audience_in_use_is_not_undone() {
    let rig = Rig::new().await;
    let base = rig.create("Base", &["a", "b"]).await;
    let actor = rig.actor();
    let copied = rig
        .app
        .duplicate
        .execute(&actor, rig.request_id(), base, None)
        .await
        .unwrap();
    rig.work().await;
    let name = copied.audience.to_string();
    rig.tell(told(&name, 1, true)).await;
    let undo = &rig.app.operations.undo;
    let refused = undo.execute(&actor, copied.operation).await.unwrap_err();
    assert!(matches!(
        refused,
        AppError::Conflict {
            code: "audience_in_use",
            ..
        }
    ));
    rig.tell(told(&name, 2, false)).await;
    undo.execute(&actor, copied.operation).await.unwrap();
}
