//! Notifications of ended operations.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The end of an operation, told to the user who asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NotificationJson {
    /// `ntf_` and a decimal.
    #[schema(example = "ntf_104629547441512448")]
    pub id: String,
    /// The operation that ended.
    pub operation_id: String,
    /// How it ended.
    #[serde(flatten)]
    pub end: EndJson,
    /// When it was made.
    pub created_at: String,
    /// When it was read, if it was.
    pub read_at: Option<String>,
}

/// What happened, as it is stored with a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndJson {
    /// Kind of the operation.
    pub kind: String,
    /// `succeeded`, `failed` or `cancelled`.
    pub state: String,
    /// `complete` or `partial`, where it succeeded.
    pub result: Option<String>,
    /// The run that ended: 1, and one more with every retry.
    pub attempt: i32,
    /// Accounts for every row or contact.
    #[schema(value_type = Option<Object>)]
    pub report: Option<Value>,
    /// Why it failed.
    pub error_code: Option<String>,
    /// The audience it worked on, or made.
    pub audience_id: Option<String>,
}

/// A notification that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Marked {
    /// `ntf_…`
    pub id: String,
    /// Always true.
    pub read: bool,
}

/// How many were marked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MarkedAll {
    /// Notifications that were unread.
    pub marked: i64,
}

/// How many are unread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Unread {
    /// Notifications.
    pub unread: i64,
}
