//! Items of requests: JSON objects, read member by member.

use std::fmt;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Map, Value};

use super::Instant;

/// Why an item was rejected. Never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemError {
    /// The offending member, empty for the item as a whole.
    pub field: String,
    /// Stable code in snake_case.
    pub code: &'static str,
    /// One sentence for a person.
    pub detail: String,
}

impl ItemError {
    pub(crate) fn new(field: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            code,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for ItemError {}

/// An item that was rejected.
#[derive(Debug, Clone)]
pub struct Rejection {
    /// Its index in the request.
    pub index: usize,
    /// Why.
    pub error: ItemError,
}

/// The members of an item, which are taken one after the other. `null` is the same as absent, but where
/// it is asked for.
pub(crate) struct Members(Map<String, Value>);

impl From<Map<String, Value>> for Members {
    fn from(members: Map<String, Value>) -> Self {
        Self(members)
    }
}

impl TryFrom<Value> for Members {
    type Error = ItemError;

    fn try_from(item: Value) -> Result<Self, ItemError> {
        match item {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(ItemError::new(
                "",
                "not_an_object",
                "the item is not an object",
            )),
        }
    }
}

impl Members {
    /// Refuses members of other names than these.
    ///
    /// # Errors
    /// `unknown_member`, with this detail.
    pub fn only(&self, names: &[&str], detail: &str) -> Result<(), ItemError> {
        match self.0.keys().all(|name| names.contains(&name.as_str())) {
            true => Ok(()),
            false => Err(ItemError::new("", "unknown_member", detail)),
        }
    }

    /// A member as it came, `null` included.
    pub fn raw(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// A member of any type.
    pub fn any(&mut self, name: &str) -> Option<Value> {
        self.raw(name).filter(|value| !value.is_null())
    }

    /// Takes members that are not read.
    pub fn ignore<'n>(&mut self, names: impl IntoIterator<Item = &'n &'n str>) {
        for name in names {
            self.0.remove(*name);
        }
    }

    /// Takes a member that is not read where it is of this kind.
    pub fn ignore_if(&mut self, name: &str, is: impl Fn(&Value) -> bool) {
        if self.0.get(name).is_some_and(is) {
            self.0.remove(name);
        }
    }

    /// A text.
    ///
    /// # Errors
    /// `invalid_type`.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, ItemError> {
        match self.any(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ItemError::new(name, "invalid_type", "must be a string")),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// `required`, `invalid_type`.
    pub fn required(&mut self, name: &str) -> Result<String, ItemError> {
        let missing = || ItemError::new(name, "required", "the member is required");
        self.text(name)?.ok_or_else(missing)
    }

    /// An instant that must be there.
    ///
    /// # Errors
    /// `required`, `invalid_type`, `invalid_time`.
    pub fn instant(&mut self, name: &str) -> Result<Instant, ItemError> {
        instant(name, &self.required(name)?)
    }

    /// An object.
    ///
    /// # Errors
    /// `invalid_type`.
    pub fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>, ItemError> {
        match self.any(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => Err(ItemError::new(name, "invalid_type", "must be an object")),
        }
    }

    /// All members that are left, with those of an object `attributes`. Where both name the same, the
    /// outer one counts.
    ///
    /// # Errors
    /// `invalid_type`; `invalid_attribute` where one of `attributes` is reserved for another member of
    /// this owner.
    pub fn attributes(
        mut self,
        owner: &str,
        is_reserved: impl Fn(&str) -> bool,
    ) -> Result<Map<String, Value>, ItemError> {
        let inner = self.object("attributes")?.unwrap_or_default();
        merge(&mut self.0, inner, owner, is_reserved)?;
        Ok(self.0)
    }
}

/// Adds attributes that are not there already.
///
/// # Errors
/// `invalid_attribute` where one is reserved for another member of this owner.
pub(crate) fn merge(
    members: &mut Map<String, Value>,
    attributes: Map<String, Value>,
    owner: &str,
    is_reserved: impl Fn(&str) -> bool,
) -> Result<(), ItemError> {
    for (name, value) in attributes {
        if is_reserved(&name) {
            let detail = format!("an attribute cannot have the name of a {owner}'s own member");
            return Err(ItemError::new(&name, "invalid_attribute", detail));
        }
        members.entry(name).or_insert(value);
    }
    Ok(())
}

/// An instant in RFC 3339, in whole milliseconds.
///
/// # Errors
/// `invalid_time`.
pub(crate) fn instant(name: &str, text: &str) -> Result<Instant, ItemError> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc).trunc_subsecs(3))
        .map_err(|_| ItemError::new(name, "invalid_time", "an RFC 3339 time"))
}
