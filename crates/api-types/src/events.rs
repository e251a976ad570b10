//! What customers did.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::customers::{IntegerOrText, RefusalJson};

/// Events to be stored.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvents {
    /// At most 1,000.
    #[schema(value_type = Vec<EventItem>)]
    pub data: Vec<Value>,
}

/// Something that a customer did. The customer is named by `customer_id`, else by `external_id` (with
/// `client_id` for one that an import brought), else by `document`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventItem {
    /// Identity in the reporting system; an event is stored once under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<IntegerOrText>)]
    pub id: Option<Value>,
    /// The customer's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<i64>,
    /// An integer or a text of at most 128 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<IntegerOrText>)]
    pub external_id: Option<Value>,
    /// With the `external_id` of a CRM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// In any form that normalises to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// What happened: `[a-z0-9_.-]`, up to 64.
    #[schema(example = "order.paid")]
    pub name: String,
    /// RFC 3339; at most an hour ahead, and not older than events are kept.
    #[schema(example = "2026-03-01T12:00:00.000Z")]
    pub time: String,
    /// At most 16 KiB and five levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub properties: Option<Map<String, Value>>,
    /// An exact decimal, up to twelve digits before the point and six after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "129.90")]
    pub amount: Option<Value>,
}

/// What became of the events: `received = recorded + repeated + rejected`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventsRecordedJson {
    /// Items received.
    pub received: usize,
    /// New ones.
    pub recorded: usize,
    /// Reported before under the same id.
    pub repeated: usize,
    /// Items refused.
    pub rejected: usize,
    /// One for each item, in order.
    pub results: Vec<EventResultJson>,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventResultJson {
    /// Its index in the request.
    pub index: usize,
    /// `recorded`, `repeated` or `rejected`.
    pub result: Cow<'static, str>,
    /// Why it was rejected.
    pub error: Option<RefusalJson>,
}

/// An event of a customer.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventJson {
    /// Identity in the reporting system.
    pub id: Option<String>,
    /// The customer's number.
    pub customer_id: i64,
    /// What happened.
    pub name: String,
    /// When.
    pub time: String,
    /// Details.
    #[schema(value_type = Object)]
    pub properties: Map<String, Value>,
    /// An exact decimal.
    pub amount: Option<String>,
    /// When it was reported.
    pub received_at: String,
}

crate::redacted!(NewEvents, EventItem, EventJson);
