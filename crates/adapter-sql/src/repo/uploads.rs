//! Uploaded files.

use super::Conn;

/// Uploads of one transaction.
pub(super) struct Uploads<'c>(pub(super) &'c mut Conn);
