//! Long operations: reading, following, cancelling, retrying, undoing.

pub mod json;

pub use json::OperationJson;
