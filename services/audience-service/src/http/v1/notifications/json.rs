//! Notifications as V1 writes them.

use api_types::notifications::{EndJson, NotificationJson};
use domain::notification::{NotificationKind, Subject};
use http_kit::timestamp;
use kernel::payload;
use ports::{
    StoreError,
    store::{Notification, UserEvent},
};
use serde_json::Value;

use crate::notification::FeedItem;

/// Names what is read in errors.
const STORED: &str = "what a notification tells";

/// A notification as it is now.
///
/// # Errors
/// `Corrupt` when what is stored cannot be read.
pub fn notification_json(notification: Notification) -> Result<NotificationJson, StoreError> {
    let Subject { kind, id, .. } = notification.subject;
    Ok(NotificationJson {
        id: notification.id.to_string(),
        operation_id: id,
        end: end(kind, &notification.data)?,
        created_at: timestamp(notification.created_at),
        read_at: notification.read_at.map(timestamp),
    })
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
    let item: FeedItem = payload::decode(&event.data, STORED)?;
    let kind = item
        .kind
        .parse()
        .map_err(|()| StoreError::Corrupt(STORED))?;
    let json = NotificationJson {
        id: item.id,
        operation_id: item.subject,
        end: end(kind, &item.data)?,
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
        let read = |data| notification_json(notification(data));
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
