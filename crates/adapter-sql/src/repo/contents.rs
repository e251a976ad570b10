//! Contents.

use super::Conn;

/// Contents of one transaction.
pub(super) struct Contents<'c>(pub(super) &'c mut Conn);
