//! Which message has which `type`, and who must listen to it.

use serde::{Serialize, de::DeserializeOwned};

use crate::v1;

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
    DispatchRequested = "plateia.dispatch.requested.v1" about communication_id,
    DispatchReported = "plateia.dispatch.reported.v1" about dispatch_id,
}

/// Makes notifications out of the ends of operations.
pub const NOTIFICATIONS: &str = "audience.notifications";
/// Makes customers out of the people of outside CRMs.
pub const CUSTOMERS: &str = "audience.customers";
/// Knows what uses audiences.
pub const USAGES: &str = "audience.usages";
/// Finds the recipients of communications.
pub const RECIPIENTS: &str = "audience.recipients";
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
    (v1::RecipientsResolved::TYPE, COMMUNICATIONS),
    (v1::DispatchRequested::TYPE, SENDERS),
    (v1::DispatchReported::TYPE, COMMUNICATIONS),
];

/// The broker's routing key of a type: the type without the product's name.
pub fn routing_key(event_type: &str) -> &str {
    event_type.strip_prefix("plateia.").unwrap_or(event_type)
}
