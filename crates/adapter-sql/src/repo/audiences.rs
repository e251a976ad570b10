//! Audiences.

use super::Conn;

/// Audiences of one transaction.
pub(super) struct Audiences<'c>(pub(super) &'c mut Conn);
