//! Who a customer is.

use std::{fmt, str::FromStr};

use crate::{contact::Document, importing::ExternalId, shared::IdError};

/// Longest name of a client in bytes.
const MAX_CLIENT: usize = 64;

/// A customer's number in its workspace: from 1 on, below 2^53, so that JSON readers keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(i64);

impl CustomerId {
    /// The greatest number.
    pub const MAX: i64 = (1 << 53) - 1;

    /// Wraps a number that a store gave.
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }

    /// The number.
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// A number that a request gave.
    ///
    /// # Errors
    /// When it is not from 1 to 2^53 - 1.
    pub fn new(number: i64) -> Result<Self, IdError> {
        match (1..=Self::MAX).contains(&number) {
            true => Ok(Self(number)),
            false => Err(IdError { kind: "customer" }),
        }
    }
}

impl FromStr for CustomerId {
    type Err = IdError;

    /// Takes plain decimal digits.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.map_or(Err(IdError { kind: "customer" }), Self::new)
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names the client whose CRM a person was imported from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientRef(String);

impl ClientRef {
    /// Parses `[A-Za-z0-9_-]{1,64}`.
    ///
    /// # Errors
    /// For any other text.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        match (1..=MAX_CLIENT).contains(&text.len()) && text.bytes().all(plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(IdError { kind: "client" }),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What makes a customer the same person again within a workspace. It never changes, and people are
/// not merged: neither by phone or e-mail, nor across clients.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// A person in the CRM of a client.
    Imported {
        /// The client.
        client: ClientRef,
        /// The CRM's id.
        external_id: ExternalId,
    },
    /// A person whom the API wrote under an id of its own.
    External(ExternalId),
    /// A person whom the API wrote without one.
    Document(Document),
}

impl Identity {
    /// The client of an imported person.
    pub fn client(&self) -> Option<&ClientRef> {
        match self {
            Self::Imported { client, .. } => Some(client),
            Self::External(_) | Self::Document(_) => None,
        }
    }

    /// The id that the other side uses, if it has one.
    pub fn external_id(&self) -> Option<&ExternalId> {
        match self {
            Self::Imported { external_id, .. } | Self::External(external_id) => Some(external_id),
            Self::Document(_) => None,
        }
    }

    /// What a store keeps of it beside the client; unique in a workspace together with it.
    pub fn key(&self) -> String {
        match self {
            Self::Imported { external_id, .. } | Self::External(external_id) => {
                format!("x:{external_id}")
            }
            Self::Document(document) => format!("d:{}", document.as_str()),
        }
    }

    /// As a store returned it: client, empty for none, and key.
    pub fn from_stored(client: &str, key: &str) -> Option<Self> {
        let (kind, value) = key.split_once(':')?;
        let value = value.to_owned();
        match (client, kind) {
            ("", "x") => Some(Self::External(ExternalId::from_stored(value))),
            ("", "d") => Some(Self::Document(Document::from_stored(value))),
            (client, "x") => Some(Self::Imported {
                client: ClientRef::parse(client).ok()?,
                external_id: ExternalId::from_stored(value),
            }),
            _ => None,
        }
    }
}

/// How a request names a customer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CustomerKey {
    /// By number: one that exists.
    Id(CustomerId),
    /// By identity.
    Identity(Identity),
}
