//! What customers did.

use std::fmt;

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::{Amount, CustomerId, CustomerKey, Identity, item};
use crate::{
    importing::ExternalId,
    shared::{Instant, ItemError, Members, text_serde},
};

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

text_serde!(EventName);

impl std::str::FromStr for EventName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::parse(text).ok_or(())
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
    let mut members = Members::try_from(item)?;
    let key = members.any("id").map(|id| ExternalId::parse(&id));
    let key = key.transpose().map_err(|code| {
        let detail = "an event's id is an integer or a text of at most 128 bytes";
        ItemError::new("id", code, detail)
    })?;
    let customer = customer(&mut members)?;
    members.only(
        &MEMBERS,
        "an event may have id, customer_id, external_id, client_id, document, name, time, properties \
         and amount",
    )?;
    let name = EventName::parse(&members.required("name")?).ok_or_else(|| {
        let detail = "1 to 64 of a-z, 0-9, `_`, `.` and `-`";
        ItemError::new("name", "invalid_name", detail)
    })?;
    let time = within_retention(members.instant("time")?, now, oldest)?;
    let amount = members.any("amount").map(|value| Amount::parse(&value));
    let amount = amount.transpose().map_err(|error| {
        let detail = error.to_string();
        ItemError::new("amount", "invalid_amount", detail)
    })?;
    Ok(NewEvent {
        customer,
        key,
        name,
        time,
        properties: properties(&mut members)?,
        amount,
    })
}

fn customer(members: &mut Members) -> Result<CustomerKey, ItemError> {
    let document = members.any("document");
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

fn within_retention(time: Instant, now: Instant, oldest: Instant) -> Result<Instant, ItemError> {
    let error = |code, detail: &str| ItemError::new("time", code, detail);
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

fn properties(members: &mut Members) -> Result<Map<String, Value>, ItemError> {
    let error = |code, detail: &str| ItemError::new("properties", code, detail);
    let properties = members.object("properties")?.unwrap_or_default();
    if !properties
        .values()
        .all(|value| within(value, MAX_DEPTH - 1))
    {
        return Err(error("properties_too_deep", "at most 5 levels"));
    }
    let bytes = serde_json::to_string(&properties).map_or(usize::MAX, |text| text.len());
    if bytes > MAX_PROPERTIES_BYTES {
        return Err(error("properties_too_large", "at most 16 KiB"));
    }
    let nul = |(name, value): (&String, &Value)| name.contains('\0') || has_nul(value);
    if properties.iter().any(nul) {
        return Err(error("contains_nul", "must not contain NUL"));
    }
    Ok(properties)
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
