//! Events that leave.

use super::Conn;

/// Events of one transaction.
pub(super) struct Outbox<'c>(pub(super) &'c mut Conn);
