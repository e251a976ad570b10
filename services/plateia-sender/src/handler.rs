//! Takes dispatches from the bus.

use std::sync::Arc;

use async_trait::async_trait;
use domain::shared::{Instant, WorkspaceId};
use events::{
    Envelope,
    v1::{DispatchReported, DispatchRequested},
};
use kernel::{EventSource, Wake};
use messaging::EventHandler;
use ports::{
    Clock, StoreError,
    bus::{Delivery, MessagingStore, Outcome},
    crash,
};

use crate::log::{Line, LogFile};

const SOURCE: EventSource = EventSource::new("/plateia/plateia-sender");

/// Writes dispatches into a file, and reports that they are sent.
pub struct LogSender {
    pub store: Arc<dyn MessagingStore>,
    pub clock: Arc<dyn Clock>,
    pub wake: Wake,
    pub file: Arc<LogFile>,
}

/// Sends what has to be sent.
pub struct Send(pub Arc<LogSender>);

#[async_trait]
impl EventHandler<DispatchRequested> for Send {
    async fn handle(&self, delivery: &Delivery, event: Envelope<DispatchRequested>) -> Outcome {
        let Ok(workspace) = WorkspaceId::parse(&event.attributes.workspace) else {
            return Outcome::reject("the workspace of the event is malformed");
        };
        let (file, repeated) = (Arc::clone(&self.0.file), delivery.attempt > 1);
        let dispatch_id = event.data.dispatch_id.clone();
        let written = tokio::task::spawn_blocking(move || write(&file, &event, repeated)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Outcome::retry(error.to_string()),
            Err(_) => return Outcome::retry("the file was not written"),
        }
        crash::point("dispatch.sent");
        Outcome::of(self.0.report(&workspace, dispatch_id, delivery).await)
    }
}

fn write(
    file: &LogFile,
    event: &Envelope<DispatchRequested>,
    repeated: bool,
) -> std::io::Result<()> {
    let data = &event.data;
    let content = data.content.as_ref();
    let line = Line {
        dispatch_id: &data.dispatch_id,
        workspace: &event.attributes.workspace,
        channel: &data.channel,
        address: data.address.as_deref(),
        subject: content.and_then(|content| content.subject.as_deref()),
        text: content.and_then(|content| content.text.as_deref()),
        html: content.and_then(|content| content.html.as_deref()),
    };
    file.write(&line, repeated)
}

impl LogSender {
    async fn report(
        &self,
        workspace: &WorkspaceId,
        dispatch_id: String,
        delivery: &Delivery,
    ) -> Result<(), StoreError> {
        let now: Instant = self.clock.now();
        let id = format!("sent-{dispatch_id}");
        let data = DispatchReported {
            dispatch_id,
            status: "sent".to_owned(),
            at: Some(now.into()),
            provider_id: None,
            error: None,
        };
        let mut unit = self.store.begin_messaging().await?;
        SOURCE
            .emit(unit.outbox(), now, workspace, (id, 1), data)
            .await?;
        unit.inbox().complete(&delivery.receipt, now).await?;
        unit.commit().await?;
        self.wake.outbox();
        Ok(())
    }
}
