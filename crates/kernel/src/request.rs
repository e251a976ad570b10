/// Identity of a changing request. A repetition after a crash carries the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    /// Unique number of the request.
    pub write_id: i64,
    /// Whether the client may repeat it under the same number (it sent an idempotency key).
    pub keyed: bool,
}
