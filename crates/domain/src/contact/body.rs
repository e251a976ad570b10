//! What is kept about a contact besides its document.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Document;
use crate::shared::Instant;

/// Values as they came, where they differ from what is kept.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawValues {
    /// The document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl RawValues {
    /// Whether nothing differs.
    pub const fn is_empty(&self) -> bool {
        self.document.is_none() && self.phone.is_none() && self.email.is_none()
    }
}

/// The values of a contact. Personal data: `Debug` shows none.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContactBody {
    /// Name as given, trimmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Phone in E.164, or as given where it could not be parsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Whether the phone is a possible number. `false` without a phone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub phone_valid: bool,
    /// E-mail in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the e-mail's syntax is right. `false` without an e-mail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email_valid: bool,
    /// Other values: text, numbers and booleans.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// Values as they came, where they differ; read them through the `raw_…` methods.
    #[serde(default, skip_serializing_if = "RawValues::is_empty")]
    pub raw: RawValues,
    /// When the contact was written, in whole milliseconds.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub updated_at: Instant,
}

impl ContactBody {
    /// The document as it came.
    pub fn raw_document<'a>(&'a self, document: &'a Document) -> &'a str {
        self.raw.document.as_deref().unwrap_or(document.as_str())
    }

    /// The phone as it came.
    pub fn raw_phone(&self) -> Option<&str> {
        self.raw.phone.as_deref().or(self.phone.as_deref())
    }

    /// The e-mail as it came.
    pub fn raw_email(&self) -> Option<&str> {
        self.raw.email.as_deref().or(self.email.as_deref())
    }
}

impl fmt::Debug for ContactBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactBody")
            .field("attributes", &self.attributes.len())
            .field("updated_at", &self.updated_at)
            .finish_non_exhaustive()
    }
}
