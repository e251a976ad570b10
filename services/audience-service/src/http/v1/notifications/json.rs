//! Notifications as V1 writes them.

use domain::notification::{NotificationKind, Subject};
use http_kit::timestamp;
use kernel::payload;
use ports::{
    StoreError,
    store::{Notification, UserEvent},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::notification::Fed;

/// What happened, as it is stored with a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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

/// Names what is read in errors.
const STORED: &str = "what a notification tells";

impl TryFrom<Notification> for NotificationJson {
    type Error = StoreError;

    fn try_from(notification: Notification) -> Result<Self, StoreError> {
        let Subject { kind, id, .. } = notification.subject;
        Ok(Self {
            id: notification.id.to_string(),
            operation_id: id,
            end: end(kind, &notification.data)?,
            created_at: timestamp(notification.created_at),
            read_at: notification.read_at.map(timestamp),
        })
    }
}

fn end(kind: NotificationKind, data: &Value) -> Result<EndJson, StoreError> {
    match kind {
        NotificationKind::OperationEnded => payload::decode(data, STORED),
    }
}

/// The data of an event of the feed.
///
/// # Errors
/// `Corrupt` when what is stored cannot be read.
pub fn event_data(event: &UserEvent) -> Result<String, StoreError> {
    let fed: Fed = payload::decode(&event.data, STORED)?;
    let kind = fed.kind.parse().map_err(|()| StoreError::Corrupt(STORED))?;
    let json = NotificationJson {
        id: fed.id,
        operation_id: fed.subject,
        end: end(kind, &fed.data)?,
        created_at: timestamp(event.created_at),
        read_at: None,
    };
    Ok(payload::encode(&json)?.to_string())
}

#[cfg(test)]
mod tests {
    use domain::shared::NotificationId;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let notification = |data| Notification {
            id: NotificationId::from_raw(1),
            subject: Subject {
                kind: NotificationKind::OperationEnded,
                id: "op_2".to_owned(),
                occasion: 1,
            },
            data,
            created_at: chrono::DateTime::UNIX_EPOCH,
            read_at: None,
        };
        let read = |data| NotificationJson::try_from(notification(data));
        assert!(read(json!({ "kind": "clear", "state": "succeeded", "attempt": 1 })).is_ok());
        for corrupt in [
            json!([1]),
            json!("x"),
            json!({}),
            json!({ "attempt": "one" }),
        ] {
            assert!(matches!(read(corrupt), Err(StoreError::Corrupt(_))));
        }
    }
}
