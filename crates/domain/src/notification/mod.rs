//! Notifications: what users are told.

use crate::shared::text_enum;

text_enum!(
    /// What happened.
    NotificationKind {
        /// An operation ended; the occasion is the attempt that did.
        OperationEnded = "operation_ended",
    }
);

/// What a notification tells of. A user is told once of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What happened.
    pub kind: NotificationKind,
    /// To what: its id as the API writes it.
    pub id: String,
    /// Which time, where it can happen again.
    pub occasion: i64,
}
