//! Where a person can be reached.

use std::fmt;

use crate::contact::{normalise_email, normalise_phone};

/// A phone number or an e-mail address, normalised and as it was given. Personal data: `Debug` shows
/// none.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// E.164 or lower case; the trimmed text where it is neither number nor address.
    pub value: String,
    /// Whether it is a possible number, or an address by its syntax.
    pub valid: bool,
    /// As it was given, where that differs.
    pub raw: Option<String>,
}

impl Address {
    /// A phone number; without a country code it is Brazilian.
    pub fn phone(text: &str) -> Self {
        let phone = normalise_phone(text);
        Self::new(text, phone.value, phone.valid)
    }

    /// An e-mail address.
    pub fn email(text: &str) -> Self {
        let email = normalise_email(text);
        Self::new(text, email.value, email.valid)
    }

    fn new(text: &str, value: String, valid: bool) -> Self {
        Self {
            raw: (text != value).then(|| text.to_owned()),
            value,
            valid,
        }
    }

    /// As it was given.
    pub fn given(&self) -> &str {
        self.raw.as_deref().unwrap_or(&self.value)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address([redacted])")
    }
}
