//! Notifications and feeds of events.

use super::Conn;

/// Notifications of one transaction.
pub(super) struct Feed<'c>(pub(super) &'c mut Conn);
