//! What this face reads of requests.

use domain::{
    audience::{AudienceChange, Icon},
    customer::CustomerId,
    shared::{AudienceName, NameError},
};
use http_kit::Problem;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::ToSchema;

use super::broken;
use crate::group::CustomerName;

/// Fewest and most characters of a name.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 6..=128;
/// Most characters that a refusal repeats of an id.
const LONGEST_ID: usize = 40;

/// A new list. Other members are ignored.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewGroup)]
pub struct New {
    /// 6 to 128 characters, unique among lists.
    #[schema(value_type = Option<String>, min_length = 6, max_length = 128)]
    pub name: Option<Value>,
    /// An http or https URL of at most 2,048 characters; null is none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    pub icon: Option<Value>,
}

/// What is to change about a list. Absent members stay as they are; other ones are ignored.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupChange)]
pub struct Change {
    /// 6 to 128 characters, unique among lists.
    #[schema(value_type = Option<String>, min_length = 6, max_length = 128)]
    name: Option<Value>,
    /// An http or https URL of at most 2,048 characters; null is none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    icon: Option<Value>,
    /// Numbers of customers to add, at most 10,000.
    #[schema(value_type = Option<Vec<i64>>, max_items = 10000)]
    contacts: Option<Value>,
}

impl Change {
    /// What of it describes the list, and whom it is to get.
    pub fn read(self) -> Result<(AudienceChange, Option<Vec<CustomerName>>), Problem> {
        let change = AudienceChange {
            name: self.name.as_ref().map(name).transpose()?,
            icon: self.icon.as_ref().map(icon).transpose()?,
            ..AudienceChange::default()
        };
        let customers = match self.contacts {
            None => None,
            Some(Value::Array(ids)) => Some(ids.iter().map(customer).collect()),
            Some(_) => return Err(broken("The contacts need to be an array of ids.")),
        };
        Ok((change, customers))
    }
}

/// A customer; what is no whole number is nobody.
fn customer(sent: &Value) -> CustomerName {
    let text = match sent {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    CustomerName {
        text: text.chars().take(LONGEST_ID).collect(),
        id: sent
            .as_i64()
            .and_then(|number| CustomerId::new(number).ok()),
    }
}

/// Tells null from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The number that a path names a list by.
pub fn number(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A name.
pub fn name(sent: &Value) -> Result<AudienceName, Problem> {
    let length = || {
        let sent = match sent {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let shown: String = sent.chars().take(*NAME_CHARS.end()).collect();
        broken(format!(
            "The name \"{shown}\" needs to be between 6 and 128 chars."
        ))
    };
    match AudienceName::parse(sent.as_str().ok_or_else(length)?) {
        Ok(name) if NAME_CHARS.contains(&name.as_str().chars().count()) => Ok(name),
        Err(NameError::Control) => Err(broken("The name must not have control characters.")),
        Ok(_) | Err(NameError::Empty | NameError::TooLong) => Err(length()),
    }
}

/// A picture, or none.
pub fn icon(sent: &Value) -> Result<Option<Icon>, Problem> {
    let wrong = "The icon needs to be an http or https URL of at most 2048 chars.";
    match sent {
        Value::Null => Ok(None),
        Value::String(text) => Icon::parse(text).map(Some).map_err(|_| broken(wrong)),
        _ => Err(broken(wrong)),
    }
}
