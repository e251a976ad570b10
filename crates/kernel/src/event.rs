use domain::shared::{Instant, WorkspaceId};
use events::{Attributes, Envelope, IntegrationEvent};
use ports::{
    StoreError,
    bus::{EventId, OutboxEvent, OutboxWriter},
    trace,
};

/// The service that events come from, as they name it.
#[derive(Debug, Clone, Copy)]
pub struct EventSource(&'static str);

impl EventSource {
    /// Named by a path, such as `/plateia/audience-service`.
    pub const fn new(path: &'static str) -> Self {
        Self(path)
    }

    /// An event that is ready for the outbox. Handlers ignore what has a lower `version` than they know of
    /// what it is about.
    ///
    /// # Errors
    /// `Internal` where the data cannot be written as JSON: an instant outside the calendar.
    pub fn event<E: IntegrationEvent>(
        self,
        time: Instant,
        workspace: &WorkspaceId,
        id: String,
        version: i64,
        data: E,
    ) -> Result<OutboxEvent, StoreError> {
        let aggregate = data.subject().to_owned();
        let attributes = Attributes {
            id: id.clone(),
            source: self.0.to_owned(),
            time,
            workspace: workspace.to_string(),
            version,
            traceparent: trace::current(),
        };
        let payload = Envelope::new(attributes, data)
            .encode()
            .map_err(|error| StoreError::Internal(Box::new(error)))?;
        Ok(OutboxEvent {
            event_id: EventId::new(id),
            event_type: E::TYPE.to_owned(),
            aggregate,
            aggregate_version: version,
            workspace: workspace.clone(),
            payload,
        })
    }

    /// Stores an event, to leave with the unit of work of this outbox. As [`Self::event`].
    ///
    /// # Errors
    /// As there; store errors.
    pub async fn emit<E: IntegrationEvent>(
        self,
        mut outbox: Box<dyn OutboxWriter + '_>,
        now: Instant,
        workspace: &WorkspaceId,
        (id, version): (String, i64),
        data: E,
    ) -> Result<(), StoreError> {
        let event = self.event(now, workspace, id, version, data)?;
        outbox.add(event, now).await
    }
}
