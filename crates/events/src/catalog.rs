//! Which message has which `type`, and who must listen to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{DecodeError, v1};

/// A message that travels in an [`Envelope`](crate::Envelope).
pub trait IntegrationEvent: Serialize + DeserializeOwned {
    /// The `CloudEvents` type, `plateia.<context>.<what_happened>.v<n>`.
    const TYPE: &'static str;

    /// What it is about: the id of the aggregate whose events are published in order.
    fn subject(&self) -> &str;
}

macro_rules! events {
    ($($message:ident = $type:literal about $subject:ident),+ $(,)?) => {
        $(impl IntegrationEvent for v1::$message {
            const TYPE: &'static str = $type;

            fn subject(&self) -> &str {
                &self.$subject
            }
        })+

        /// Every type there is.
        pub const TYPES: &[&str] = &[$($type),+];

        /// Every type, with the message of `plateia.events.v1` that its data are.
        pub const MESSAGES: &[(&str, &str)] = &[$(($type, stringify!($message))),+];
    };
}

events! {
    AudienceCreated = "plateia.audience.created.v1" about audience_id,
    AudienceUpdated = "plateia.audience.updated.v1" about audience_id,
    AudienceDropped = "plateia.audience.dropped.v1" about audience_id,
    AudienceRestored = "plateia.audience.restored.v1" about audience_id,
    AudienceCleared = "plateia.audience.cleared.v1" about audience_id,
    AudienceImported = "plateia.audience.imported.v1" about audience_id,
    AudienceRefreshed = "plateia.audience.refreshed.v1" about audience_id,
    AudienceMembersChanged = "plateia.audience.members_changed.v1" about audience_id,
    AudienceUsageChanged = "plateia.audience.usage_changed.v1" about audience_id,
    RecycleRequested = "plateia.audience.recycle_requested.v1" about audience_id,
    RecycleCompleted = "plateia.audience.recycle_completed.v1" about audience_id,
    RemovalUndone = "plateia.audience.removal_undone.v1" about audience_id,
    CustomersSynced = "plateia.import.customers_synced.v1" about client_id,
    OperationFinished = "plateia.operation.finished.v1" about operation_id,
    CommunicationDue = "plateia.communication.due.v1" about communication_id,
    RecipientsResolved = "plateia.recipients.resolved.v1" about communication_id,
    DispatchRequested = "plateia.dispatch.requested.v1" about dispatch_id,
    DispatchReported = "plateia.dispatch.reported.v1" about dispatch_id,
    RecyclingDue = "plateia.communication.recycling_due.v1" about communication_id,
}

/// Makes notifications out of the ends of operations.
pub const NOTIFICATIONS: &str = "audience.notifications";
/// Makes customers out of the people of outside CRMs.
pub const CUSTOMERS: &str = "audience.customers";
/// Knows what uses audiences.
pub const USAGES: &str = "audience.usages";
/// Finds the recipients of communications.
pub const RECIPIENTS: &str = "audience.recipients";
/// Recycles audiences that were written to.
pub const RECYCLINGS: &str = "audience.recyclings";
/// Knows what became of recipients.
pub const COMMUNICATIONS: &str = "schedules.communications";
/// Sends what has to be sent.
pub const SENDERS: &str = "senders.dispatches";

/// Type and subscription of every listener that must be there: without it the event would be lost
/// work, so it stays in the outbox. All other types may go unheard.
pub const REQUIRED_SUBSCRIBERS: &[(&str, &str)] = &[
    (v1::OperationFinished::TYPE, NOTIFICATIONS),
    (v1::CustomersSynced::TYPE, CUSTOMERS),
    (v1::AudienceUsageChanged::TYPE, USAGES),
    (v1::CommunicationDue::TYPE, RECIPIENTS),
    (v1::RecyclingDue::TYPE, RECYCLINGS),
    (v1::RecipientsResolved::TYPE, COMMUNICATIONS),
    (v1::DispatchRequested::TYPE, SENDERS),
    (v1::DispatchReported::TYPE, COMMUNICATIONS),
];

/// Types whose events are routed by a member of their data, so that a subscriber can listen to some of them only.
const ROUTED_BY: &[(&str, &str)] = &[(v1::DispatchRequested::TYPE, "channel")];

/// The broker's routing key of a type: the type without the product's name. Events that are
/// [routed by a member](routed_by) have its value behind it.
pub fn routing_key(event_type: &str) -> &str {
    event_type.strip_prefix("plateia.").unwrap_or(event_type)
}

/// The member of their data that events of a type are routed by, if there is one.
pub fn routed_by(event_type: &str) -> Option<&'static str> {
    let routed = ROUTED_BY.iter().find(|(routed, _)| *routed == event_type);
    routed.map(|(_, member)| *member)
}

/// Where an encoded event of a type is routed to: the value of the [member](routed_by) that says so. Older events
/// have it too: it is read from the data, and nothing else is stored.
///
/// # Errors
/// When the member is missing, or is no word of `[a-z0-9_-]`, which a key can have.
pub fn route(event_type: &str, payload: &[u8]) -> Result<Option<String>, DecodeError> {
    #[derive(Deserialize)]
    struct Routed<'a> {
        #[serde(borrow)]
        data: BTreeMap<String, &'a RawValue>,
    }
    let Some(member) = routed_by(event_type) else {
        return Ok(None);
    };
    let routed: Routed<'_> = serde_json::from_slice(payload)?;
    let value = routed.data.get(member).map_or("null", |value| value.get());
    let value: Option<String> = serde_json::from_str(value)?;
    let is_of_word =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
    match value {
        Some(word) if !word.is_empty() && word.bytes().all(is_of_word) => Ok(Some(word)),
        _ => Err(DecodeError::Unsupported(member)),
    }
}
