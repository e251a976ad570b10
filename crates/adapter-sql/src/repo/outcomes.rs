//! Reported outcomes.

use super::Conn;

/// Outcomes of one transaction.
pub(super) struct Outcomes<'c>(pub(super) &'c mut Conn);
