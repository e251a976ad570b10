//! Refreshes of an audience, as they are remembered.

use crate::shared::{AudienceId, Epoch, Instant, OperationId, text_enum};

text_enum!(
    /// Why members were resolved.
    RefreshCause {
        /// Somebody asked for it, or changed the conditions.
        Requested = "requested",
        /// Its time had come.
        Scheduled = "scheduled",
        /// Data of customers changed, or time passed, in a live audience.
        Live = "live",
    }
);

/// A refresh that has ended, or one batch of changes of a live audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// The audience.
    pub audience: AudienceId,
    /// Its number in the audience's order of acceptance, which every contact carries that entered by it.
    pub request: i64,
    /// The operation; none for a batch of changes.
    pub operation: Option<OperationId>,
    /// Why.
    pub cause: RefreshCause,
    /// The content that shows it.
    pub epoch: Epoch,
    /// When it began.
    pub began_at: Instant,
    /// From when on readers see it.
    pub shown_at: Instant,
    /// Members afterwards.
    pub size: i64,
    /// Those who were none before.
    pub entered: i64,
    /// Those who are none any more.
    pub left: i64,
    /// Those who stay, with other values.
    pub changed: i64,
    /// Bytes that the source of customers has looked at, where it counts them.
    pub bytes: Option<i64>,
}

/// A time that somebody was a member, which has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The key in the audience.
    pub key: String,
    /// The refresh by which they entered.
    pub entered: i64,
    /// The refresh by which they left.
    pub left: i64,
}
