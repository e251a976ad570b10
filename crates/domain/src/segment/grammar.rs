//! What the readers of the grammar share.

use serde_json::{Map, Value};

use super::Notation;
use crate::shared::Violation;

pub(super) type Parsed<T> = Result<T, Violation>;

/// Whose conditions they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Of a contact in an audience.
    Contact,
    /// Of a customer.
    Customer,
}

/// How conditions are read.
#[derive(Clone, Copy)]
pub(super) struct Grammar<'a> {
    /// How texts are.
    pub(super) notation: &'a Notation,
    /// Whose they are.
    pub(super) subject: Subject,
}

pub(super) fn object<'a>(
    value: &'a Value,
    at: &str,
    known: &[&str],
) -> Parsed<&'a Map<String, Value>> {
    let Some(members) = value.as_object() else {
        return Err(wrong_type(at, "must be an object"));
    };
    if members.keys().any(|name| !known.contains(&name.as_str())) {
        let detail = format!("may only have the members {}", known.join(", "));
        return Err(Violation::new(at, "unknown_member", detail));
    }
    Ok(members)
}

pub(super) fn list<'a>(value: &'a Value, at: &str, max: usize) -> Parsed<&'a Vec<Value>> {
    let Some(items) = value.as_array() else {
        return Err(wrong_type(at, "must be a list"));
    };
    if items.is_empty() {
        return Err(Violation::new(at, "empty", "must not be empty"));
    }
    if items.len() > max {
        return Err(Violation::new(
            at,
            "too_many",
            format!("must not have more than {max} items"),
        ));
    }
    Ok(items)
}

pub(super) fn text<'a>(members: &'a Map<String, Value>, name: &str, at: &str) -> Parsed<&'a str> {
    match members.get(name) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Err(required(&format!("{at}/{name}"))),
        Some(_) => Err(wrong_type(&format!("{at}/{name}"), "must be a string")),
    }
}

pub(super) fn wrong_type(at: &str, detail: &str) -> Violation {
    Violation::new(at, "invalid_type", detail)
}

pub(super) fn invalid(at: &str, detail: &str) -> Violation {
    Violation::new(at, "invalid_value", detail)
}

pub(super) fn required(at: &str) -> Violation {
    Violation::new(at, "required", "is required")
}
