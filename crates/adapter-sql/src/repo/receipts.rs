//! Results of requests that may be repeated.

use super::Conn;

/// Results of one transaction.
pub(super) struct Receipts<'c>(pub(super) &'c mut Conn);
