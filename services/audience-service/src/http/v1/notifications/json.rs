//! Notifications as V1 writes them.

use http_kit::timestamp;
use ports::{
    StoreError,
    store::{Notification, UserEvent},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What happened, as it is stored with a notification.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EndJson {
    /// Kind of the operation.
    kind: String,
    /// `succeeded`, `failed` or `cancelled`.
    state: String,
    /// `complete` or `partial`, where it succeeded.
    result: Option<String>,
    /// The run that ended: 1, and one more with every retry.
    attempt: i32,
    /// Accounts for every row or contact.
    #[schema(value_type = Option<Object>)]
    report: Option<Value>,
    /// Why it failed.
    error_code: Option<String>,
    /// The audience it worked on, or made.
    audience_id: Option<String>,
}

/// The end of an operation, told to the user who asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NotificationJson {
    /// `ntf_` and a decimal.
    #[schema(example = "ntf_104629547441512448")]
    id: String,
    /// The operation that ended.
    operation_id: String,
    /// How it ended.
    #[serde(flatten)]
    end: EndJson,
    /// When it was made.
    created_at: String,
    /// When it was read, if it was.
    read_at: Option<String>,
}

impl TryFrom<Notification> for NotificationJson {
    type Error = StoreError;

    fn try_from(notification: Notification) -> Result<Self, StoreError> {
        let end = serde_json::from_value(notification.payload)
            .map_err(|_| StoreError::Corrupt("what a notification tells"))?;
        Ok(Self {
            id: notification.id.to_string(),
            operation_id: notification.operation.to_string(),
            end,
            created_at: timestamp(notification.created_at),
            read_at: notification.read_at.map(timestamp),
        })
    }
}

/// A notification in the feed: it was unread when it came.
#[derive(Deserialize)]
struct Fed {
    id: String,
    payload: EndJson,
}

/// The data of an event of the feed.
pub fn event_data(event: &UserEvent) -> Value {
    let fed = Fed::deserialize(&event.payload).ok().zip(event.operation);
    let Some((fed, operation)) = fed else {
        return event.payload.clone();
    };
    let json = NotificationJson {
        id: fed.id,
        operation_id: operation.to_string(),
        end: fed.payload,
        created_at: timestamp(event.created_at),
        read_at: None,
    };
    serde_json::to_value(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use domain::shared::{NotificationId, OperationId};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let notification = |payload| Notification {
            id: NotificationId::from_raw(1),
            operation: OperationId::from_raw(2),
            payload,
            created_at: chrono::DateTime::UNIX_EPOCH,
            read_at: None,
        };
        let read = |payload| NotificationJson::try_from(notification(payload));
        assert!(read(json!({ "kind": "clear", "state": "succeeded", "attempt": 1 })).is_ok());
        for corrupt in [json!([1]), json!("x"), json!({ "attempt": "one" })] {
            assert!(matches!(read(corrupt), Err(StoreError::Corrupt(_))));
        }
    }
}
