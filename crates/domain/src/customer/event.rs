//! What customers did.

use std::fmt;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::{Amount, CustomerId, CustomerKey, Identity, item};
use crate::{contact::ItemError, importing::ExternalId, shared::Instant};

/// Most bytes of an event's properties, as JSON.
pub const MAX_PROPERTIES_BYTES: usize = 16 * 1024;
/// How deep properties may be nested, the object itself included.
const MAX_DEPTH: usize = 5;
/// How far ahead of now an event may be: clocks of the other side differ.
pub const MAX_EARLY: TimeDelta = TimeDelta::hours(1);
/// Longest name in bytes.
const MAX_NAME: usize = 64;
const MEMBERS: [&str; 4] = ["name", "time", "properties", "amount"];

/// What happened, such as `order.paid`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventName(String);

impl EventName {
    /// Parses `[a-z0-9_.-]{1,64}`; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
        ((1..=MAX_NAME).contains(&text.len()) && text.bytes().all(plain))
            .then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An event that is to be stored.
#[derive(Clone, PartialEq)]
pub struct NewEvent {
    /// Whose it is.
    pub customer: CustomerKey,
    /// Identity in the reporting system: stored once under it.
    pub key: Option<ExternalId>,
    /// What happened.
    pub name: EventName,
    /// When.
    pub time: Instant,
    /// Details.
    pub properties: Map<String, Value>,
    /// What it was worth.
    pub amount: Option<Amount>,
}

/// A stored event. Properties may be personal: `Debug` shows none.
#[derive(Clone, PartialEq)]
pub struct CustomerEvent {
    /// Orders events of one instant, and is unique.
    pub id: i64,
    /// Whose it is.
    pub customer: CustomerId,
    /// Identity in the reporting system.
    pub key: Option<ExternalId>,
    /// What happened.
    pub name: EventName,
    /// When.
    pub time: Instant,
    /// Details.
    pub properties: Map<String, Value>,
    /// What it was worth.
    pub amount: Option<Amount>,
    /// When it was reported.
    pub received_at: Instant,
}

impl fmt::Debug for NewEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CustomerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerEvent")
            .field("id", &self.id)
            .field("customer", &self.customer)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Reads an item, which is consumed. It names the customer by `customer_id`, else as
/// [`parse_customer`](super::parse_customer) does. Events from before `oldest` are refused: they are not kept.
///
/// # Errors
/// The first rule that the item breaks; never repeats a value.
pub fn parse_event(item: Value, now: Instant, oldest: Instant) -> Result<NewEvent, ItemError> {
    let Value::Object(mut members) = item else {
        return Err(ItemError::new(
            "",
            "not_an_object",
            "the item is not an object",
        ));
    };
    let key = match members.remove("id") {
        None | Some(Value::Null) => None,
        Some(id) => Some(ExternalId::parse(&id).map_err(|code| {
            let detail = "an event's id is an integer or a text of at most 128 bytes";
            ItemError::new("id", code, detail)
        })?),
    };
    let customer = customer(&mut members)?;
    if members.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
        let detail = "an event may have id, customer_id, external_id, client_id, document, name, \
                      time, properties and amount";
        return Err(ItemError::new("", "unknown_member", detail));
    }
    let name = text(&mut members, "name")?;
    let name = EventName::parse(&name).ok_or_else(|| {
        let detail = "1 to 64 of a-z, 0-9, `_`, `.` and `-`";
        ItemError::new("name", "invalid_name", detail)
    })?;
    let time = instant(&text(&mut members, "time")?, now, oldest)?;
    let amount = match members.remove("amount") {
        None | Some(Value::Null) => None,
        Some(value) => Some(
            Amount::parse(&value)
                .map_err(|error| ItemError::new("amount", "invalid_amount", &error.to_string()))?,
        ),
    };
    Ok(NewEvent {
        customer,
        key,
        name,
        time,
        properties: properties(members.remove("properties"))?,
        amount,
    })
}

fn customer(members: &mut Map<String, Value>) -> Result<CustomerKey, ItemError> {
    let document = members.remove("document").filter(|v| !v.is_null());
    let named = item::take_key(members, "customer_id")?;
    match (named, document) {
        (Some(key), _) => Ok(key),
        (None, Some(Value::String(text))) => Ok(CustomerKey::Identity(Identity::Document(
            item::document(&text)?,
        ))),
        (None, Some(_)) => Err(ItemError::new(
            "document",
            "invalid_type",
            "must be a string",
        )),
        (None, None) => {
            let detail = "give customer_id, external_id or document";
            Err(ItemError::new("", "identity_missing", detail))
        }
    }
}

fn text(members: &mut Map<String, Value>, name: &'static str) -> Result<String, ItemError> {
    match members.remove(name) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Err(ItemError::new(name, "required", "the member is required")),
        Some(_) => Err(ItemError::new(name, "invalid_type", "must be a string")),
    }
}

fn instant(text: &str, now: Instant, oldest: Instant) -> Result<Instant, ItemError> {
    let error = |code, detail| ItemError::new("time", code, detail);
    let time = DateTime::parse_from_rfc3339(text)
        .map_err(|_| error("invalid_time", "an RFC 3339 time"))?
        .with_timezone(&Utc)
        .trunc_subsecs(3);
    if time > now + MAX_EARLY {
        return Err(error("in_the_future", "the time is in the future"));
    }
    if time < oldest {
        return Err(error(
            "too_old",
            "events of that time are not kept any more",
        ));
    }
    Ok(time)
}

fn properties(value: Option<Value>) -> Result<Map<String, Value>, ItemError> {
    let error = |code, detail| ItemError::new("properties", code, detail);
    let properties = match value {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(properties)) => properties,
        Some(_) => return Err(error("invalid_type", "must be an object")),
    };
    let value = Value::Object(properties);
    if !within(&value, MAX_DEPTH) {
        return Err(error("properties_too_deep", "at most 5 levels"));
    }
    if value.to_string().len() > MAX_PROPERTIES_BYTES {
        return Err(error("properties_too_large", "at most 16 KiB"));
    }
    if has_nul(&value) {
        return Err(error("contains_nul", "must not contain NUL"));
    }
    match value {
        Value::Object(properties) => Ok(properties),
        _ => Ok(Map::new()),
    }
}

fn within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| within(item, depth - 1)),
        Value::Object(members) => depth > 0 && members.values().all(|item| within(item, depth - 1)),
        _ => true,
    }
}

/// Whether a name or a text has NUL, which no store can keep. The value is not deep.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}
