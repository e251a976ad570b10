//! Takes dispatches from the bus: the same for every sender.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    scheduling::{Content, DispatchId},
    shared::WorkspaceId,
};
use events::{
    Envelope,
    v1::{DispatchReported, DispatchRequested},
};
use kernel::{EventSource, Wake};
use messaging::EventHandler;
use ports::{
    Clock, StoreError,
    bus::{Delivery, Outcome},
    crash,
    sending::{Dispatch, Ended, MessageSender, NotPassed, SendingStore, Standing},
};

const SOURCE: EventSource = EventSource::new("/plateia/plateia-sender");

/// Sends dispatches, each once, and reports what became of them.
pub struct Dispatches {
    /// Remembers them.
    pub store: Arc<dyn SendingStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Wakes who takes reports to the bus.
    pub wake: Wake,
    /// The first that takes a channel has it.
    pub senders: Vec<Arc<dyn MessageSender>>,
}

/// Sends what has to be sent.
pub struct SendDispatch(pub Arc<Dispatches>);

#[async_trait]
impl EventHandler<DispatchRequested> for SendDispatch {
    async fn handle(&self, delivery: &Delivery, event: Envelope<DispatchRequested>) -> Outcome {
        match read(event) {
            Some(dispatch) => self.0.send(&dispatch, delivery).await,
            None => Outcome::reject("the workspace, the id or the channel is malformed"),
        }
    }
}

fn read(event: Envelope<DispatchRequested>) -> Option<Dispatch> {
    let data = event.data;
    let id: DispatchId = data.dispatch_id.parse().ok()?;
    if data.channel != id.channel.as_str() {
        return None;
    }
    let content = data.content.unwrap_or_default();
    Some(Dispatch {
        id,
        workspace: WorkspaceId::parse(&event.attributes.workspace).ok()?,
        address: data.address,
        content: Content {
            subject: content.subject,
            text: content.text,
            html: content.html,
        },
    })
}

impl Dispatches {
    async fn send(&self, dispatch: &Dispatch, delivery: &Delivery) -> Outcome {
        let (workspace, id) = (&dispatch.workspace, &dispatch.id);
        let Some(sender) = self.senders.iter().find(|s| s.takes(id.channel)) else {
            tracing::debug!(channel = %id.channel, "left to another sender");
            return Outcome::Done;
        };
        let standing = match self.store.begin(workspace, id, self.clock.now()).await {
            Ok(standing) => standing,
            Err(error) => return Outcome::of(Err(error)),
        };
        let ended = match standing {
            Standing::Ended(ended) => ended,
            standing => {
                crash::point("dispatch.begun");
                let again = standing == Standing::Tried;
                match sender.send(dispatch, again).await {
                    Ok(passed) => Ended::Sent(passed),
                    Err(NotPassed::Refused { code }) => Ended::Failed { code },
                    Err(NotPassed::Unavailable { reason }) => return Outcome::retry(reason),
                }
            }
        };
        // Who dies here has sent it, and nobody knows.
        crash::point("dispatch.sent");
        match self.report(dispatch, &ended, delivery).await {
            // Whoever has the delivery by now need not send it again.
            Err(StoreError::StaleVersion) => Outcome::of(self.note(dispatch, &ended).await),
            reported => Outcome::of(reported),
        }
    }

    /// Notes and tells what became of it, and ends the delivery, at once.
    async fn report(
        &self,
        dispatch: &Dispatch,
        ended: &Ended,
        delivery: &Delivery,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let (workspace, id) = (&dispatch.workspace, &dispatch.id);
        let (status, provider_id, error) = match ended {
            Ended::Sent(passed) => ("sent", passed.provider_id.clone(), None),
            Ended::Failed { code } => ("failed", None, Some(code.clone())),
        };
        let data = DispatchReported {
            dispatch_id: id.to_string(),
            status: status.to_owned(),
            at: Some(now.into()),
            provider_id,
            error,
        };
        // Of the event, since a dispatch may be asked for by more than one.
        let event_id = format!("{status}-{}", delivery.event.event_id);
        let mut unit = self.store.begin_sending().await?;
        unit.end(workspace, id, ended, now).await?;
        SOURCE
            .emit(unit.outbox(), now, workspace, (event_id, 1), data)
            .await?;
        unit.inbox().complete(&delivery.receipt, now).await?;
        unit.commit().await?;
        self.wake.outbox();
        Ok(())
    }

    async fn note(&self, dispatch: &Dispatch, ended: &Ended) -> Result<(), StoreError> {
        let (workspace, id) = (&dispatch.workspace, &dispatch.id);
        let mut unit = self.store.begin_sending().await?;
        unit.end(workspace, id, ended, self.clock.now()).await?;
        unit.commit().await
    }
}
