//! From an envelope to the outbox.

use domain::shared::WorkspaceId;
use events::{Envelope, IntegrationEvent};
use ports::{
    StoreError,
    bus::{EventId, OutboxEvent},
};

/// Encodes an event for the outbox of `workspace`, the one its envelope names.
///
/// # Errors
/// [`StoreError::Internal`] when the event cannot be encoded, a defect of its producer.
pub fn outgoing<E: IntegrationEvent>(
    envelope: &Envelope<E>,
    workspace: &WorkspaceId,
) -> Result<OutboxEvent, StoreError> {
    let payload = envelope
        .encode()
        .map_err(|error| StoreError::Internal(Box::new(error)))?;
    Ok(OutboxEvent {
        event_id: EventId::new(&envelope.attributes.id),
        event_type: E::TYPE.to_owned(),
        aggregate: envelope.data.subject().to_owned(),
        aggregate_version: envelope.attributes.version,
        workspace: workspace.clone(),
        payload,
    })
}
