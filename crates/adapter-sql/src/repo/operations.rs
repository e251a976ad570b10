//! Operations.

use super::Conn;

/// Operations of one transaction.
pub(super) struct Operations<'c>(pub(super) &'c mut Conn);
