//! Following one operation as it changes.

use std::{sync::Arc, time::Duration};

use actix_web::HttpResponse;
use domain::{operation::Operation, shared::OperationId};
use futures::{Stream, stream};
use kernel::{Actor, Topic, payload};
use ports::StoreError;
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast::Receiver},
    time::{Instant, timeout_at},
};

use super::{Caller, OperationService, operation_json};
use crate::{
    Id, Problem,
    sse::{self, Event, EventText},
};

/// Shortest time between two events of mere progress.
const PACE: Duration = Duration::from_millis(200);
/// Longest time without a look: another process may have the operation.
const POLL: Duration = Duration::from_secs(1);

/// Follows an operation: `operation` events with its present state and every change (progress at
/// most five times a second), until it has ended.
#[utoipa::path(
    get, path = "/operations/{id}/events", tag = "operations", operation_id = "followOperation",
    params(Id<OperationId>),
    responses(
        (
            status = 200, description = "Events; the data of each is the operation",
            content_type = "text/event-stream", body = EventText,
        ),
        (status = 503, description = "Too many streams are open"),
    ),
)]
pub async fn events(caller: Caller, Id(id): Id<OperationId>) -> Result<HttpResponse, Problem> {
    let actor = caller.actor.clone();
    let (service, found) = caller.find(&actor, id).await?;
    // Listening begins before the operation is read, so that no change falls in between.
    let topics = service.frame().wake().subscribe();
    let operation = service
        .frame()
        .operation(&actor.workspace, found.id)
        .await?;
    let operation = operation.ok_or_else(Problem::not_found)?;
    let permit = caller.context().stream_permit()?;
    let following = Following {
        actor,
        topics,
        service,
        sent_at: Instant::now(),
        sent: None,
        operation,
        _permit: permit,
    };
    let stopping = caller.context().stopping.clone();
    Ok(sse::respond(following.stream(), stopping))
}

/// Where a stream stands.
struct Following {
    service: Arc<dyn OperationService>,
    actor: Actor,
    topics: Receiver<Topic>,
    /// As it was read last.
    operation: Operation,
    /// As it was sent last.
    sent: Option<Operation>,
    sent_at: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Following {
    fn stream(self) -> impl Stream<Item = Event> {
        stream::unfold(self, async |mut following| {
            let event = following.next().await?;
            Some((event, following))
        })
    }

    /// The next event, or `None` after the terminal one, and where the operation cannot be read.
    async fn next(&mut self) -> Option<Event> {
        while !self.is_due() {
            if self.sent.as_ref().is_some_and(|o| o.state.is_terminal()) {
                return None;
            }
            self.look_again().await?;
        }
        self.sent = Some(self.operation.clone());
        self.sent_at = Instant::now();
        match self.written() {
            Ok(data) => Some(Event {
                id: None,
                event: Some("operation".to_owned()),
                data,
            }),
            Err(error) => {
                tracing::error!(%error, operation = %self.operation.id, "cannot be shown");
                None
            }
        }
    }

    fn written(&self) -> Result<String, StoreError> {
        let json = operation_json(self.service.as_ref(), self.operation.clone())?;
        Ok(payload::encode(&json)?.to_string())
    }

    /// Whether what was read last is to be sent now. A new state never waits, progress does.
    fn is_due(&self) -> bool {
        let Some(sent) = &self.sent else { return true };
        let moved = sent.state != self.operation.state || sent.attempt != self.operation.attempt;
        moved || (*sent != self.operation && self.sent_at.elapsed() >= PACE)
    }

    /// Waits for a change, or for held back progress to fall due, and reads. `None`: it is gone.
    async fn look_again(&mut self) -> Option<()> {
        let held_back = self.sent.as_ref() != Some(&self.operation);
        let until = if held_back {
            self.sent_at + PACE
        } else {
            Instant::now() + POLL
        };
        let topic = Topic::Operation(self.operation.id.raw());
        // Heard or not, the store says what is so.
        let _ = timeout_at(until, topic.heard(&mut self.topics)).await;
        let (frame, workspace) = (self.service.frame(), &self.actor.workspace);
        match frame.operation(workspace, self.operation.id).await {
            Ok(Some(operation)) => self.operation = operation,
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(%error, operation = %self.operation.id, "cannot be followed now");
                tokio::time::sleep(POLL).await;
            }
        }
        Some(())
    }
}
