//! What travels: an encoded event and what routing, ordering and deduplication need to know of it.

use std::fmt;

use domain::shared::WorkspaceId;

/// Identifies an event for ever; deduplication rests on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(String);

impl EventId {
    /// Wraps an id made by the producer.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event as stores and brokers carry it.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxEvent {
    /// Identifier, unique among all events.
    pub event_id: EventId,
    /// Versioned type, such as `plateia.audience.recycle_completed.v1`.
    pub event_type: String,
    /// What it is about, such as `aud_1`. Events of one aggregate are published in order.
    pub aggregate: String,
    /// The aggregate's version after the change; consumers ignore what is older than they know.
    pub aggregate_version: i64,
    /// Owner.
    pub workspace: WorkspaceId,
    /// The encoded envelope, forwarded as it is.
    pub payload: Vec<u8>,
}

/// The payload may hold personal data and is left out.
impl fmt::Debug for OutboxEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxEvent")
            .field("event_id", &self.event_id)
            .field("event_type", &self.event_type)
            .field("aggregate", &self.aggregate)
            .field("aggregate_version", &self.aggregate_version)
            .field("workspace", &self.workspace)
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}
