//! The values of a contact as JSON. Names are short because each row repeats them.

use chrono::serde::ts_milliseconds;
use domain::{
    contact::{ContactBody, RawValues},
    shared::Instant,
};
use ports::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Serialize, Deserialize)]
#[serde(remote = "ContactBody")]
struct BodyRow {
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(rename = "pv", default, skip_serializing_if = "std::ops::Not::not")]
    phone_valid: bool,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(rename = "ev", default, skip_serializing_if = "std::ops::Not::not")]
    email_valid: bool,
    #[serde(rename = "a", default, skip_serializing_if = "Map::is_empty")]
    attributes: Map<String, Value>,
    #[serde(rename = "r", default, with = "RawRow")]
    #[serde(skip_serializing_if = "RawValues::is_empty")]
    raw: RawValues,
    #[serde(rename = "u", with = "ts_milliseconds")]
    updated_at: Instant,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RawValues")]
struct RawRow {
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

/// The body as it is stored.
///
/// # Errors
/// `Internal` when JSON cannot hold it.
pub fn encode(body: &ContactBody) -> Result<String, StoreError> {
    #[derive(Serialize)]
    struct Stored<'a>(#[serde(with = "BodyRow")] &'a ContactBody);
    serde_json::to_string(&Stored(body)).map_err(|e| StoreError::Internal(Box::new(e)))
}

pub(super) fn decode(json: &str) -> Result<ContactBody, StoreError> {
    let mut reader = serde_json::Deserializer::from_str(json);
    BodyRow::deserialize(&mut reader).map_err(|_| StoreError::Corrupt("the body of a contact"))
}
