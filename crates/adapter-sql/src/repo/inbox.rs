//! Deliveries from other services.

use super::Conn;

/// Deliveries of one transaction.
pub(super) struct Inbox<'c>(pub(super) &'c mut Conn);
