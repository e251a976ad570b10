//! Reads outside a transaction.
