//! Values that the other side made: its ids, its personal data, and the shape of its rows.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Longest id in bytes.
const MAX_ID_BYTES: usize = 128;

/// Why a row, or a part of one, cannot be read. Never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {code}")]
pub struct Fault {
    /// The offending member, with its parents, such as `contact.id`; empty for the whole row.
    pub field: String,
    /// Stable code in snake_case.
    pub code: &'static str,
}

impl Fault {
    /// A fault of one member.
    pub fn new(field: impl Into<String>, code: &'static str) -> Self {
        Self {
            field: field.into(),
            code,
        }
    }
}

/// An id of the other side: a number or a string, kept as text, so that `12` and `"12"` are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalId(String);

impl ExternalId {
    /// Reads an id.
    ///
    /// # Errors
    /// A code for what is neither an integer nor a usable string. Fractions and integers beyond 64
    /// bits are refused: JSON readers round them.
    pub fn parse(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::Number(n) if n.is_i64() || n.is_u64() => Ok(Self(n.to_string())),
            Value::Number(_) => Err("id_not_exact"),
            Value::String(text) => {
                let text = text.trim();
                let usable = !text.is_empty() && !text.chars().any(char::is_control);
                if !usable || matches!(text, "." | "..") {
                    return Err("id_invalid");
                }
                if text.len() > MAX_ID_BYTES {
                    return Err("id_too_long");
                }
                Ok(Self(text.to_owned()))
            }
            _ => Err("id_wrong_type"),
        }
    }

    /// An id that a store returned.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a walk remembers of it.
    pub fn key(&self) -> u64 {
        key(&Sha256::digest(&self.0))
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Personal text: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal(String);

impl Personal {
    /// Wraps a text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}

/// A digest of a row as it was sent, whatever the order of its members: two rows with the same one
/// are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Of a row.
    pub fn of(row: &Value) -> Self {
        let mut hash = Sha256::new();
        feed(row, &mut hash);
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self(bytes)
    }

    /// As a store returned it: 32 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let number = u128::from_str_radix(text, 16).ok()?;
        (text.len() == 32).then(|| Self(number.to_be_bytes()))
    }

    /// As it is stored.
    pub fn to_hex(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// What a walk remembers of a row without a readable id.
    pub fn key(self) -> u64 {
        key(&self.0)
    }
}

fn key(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .fold(0, |key, byte| key << 8 | u64::from(*byte))
}

/// Each kind of value begins with a mark of its own, and texts with their length, so that no two
/// different rows feed the same bytes.
fn feed(value: &Value, hash: &mut Sha256) {
    let text = |mark: &[u8], text: &str, hash: &mut Sha256| {
        hash.update(mark);
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    match value {
        Value::Null => hash.update(b"z"),
        Value::Bool(true) => hash.update(b"t"),
        Value::Bool(false) => hash.update(b"f"),
        Value::Number(n) => text(b"n", &n.to_string(), hash),
        Value::String(s) => text(b"s", s, hash),
        Value::Array(items) => {
            hash.update(b"a");
            hash.update((items.len() as u64).to_le_bytes());
            items.iter().for_each(|item| feed(item, hash));
        }
        Value::Object(members) => {
            hash.update(b"o");
            hash.update((members.len() as u64).to_le_bytes());
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            for (name, value) in members {
                text(b"k", name, hash);
                feed(value, hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_strings_are_one_id_and_inexact_ones_none() {
        let id = |value: Value| ExternalId::parse(&value).map(|id| id.0);
        assert_eq!(id(json!(12)), id(json!(" 12 ")));
        assert_eq!(id(json!(u64::MAX)), Ok(u64::MAX.to_string()));
        assert_eq!(id(json!(1.5)), Err("id_not_exact"));
        let beyond: Value = serde_json::from_str("18446744073709551617").unwrap();
        assert_eq!(id(beyond), Err("id_not_exact"));
        assert_eq!(id(json!("")), Err("id_invalid"));
        assert_eq!(id(json!("a\u{0}b")), Err("id_invalid"));
        assert_eq!(id(json!("..")), Err("id_invalid"));
        assert_eq!(id(json!(null)), Err("id_wrong_type"));
    }

    #[test]
    fn fingerprints_tell_rows_apart_and_not_the_order_of_members() {
        let of = |text: &str| Fingerprint::of(&serde_json::from_str(text).unwrap());
        assert_eq!(of(r#"{"a":1,"b":[2]}"#), of(r#"{"b":[2],"a":1}"#));
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":"1"}"#));
        assert_ne!(of(r#"["ab","c"]"#), of(r#"["a","bc"]"#));
        assert_ne!(of(r#"[[1],2]"#), of(r#"[[1,2]]"#));
        let one = of("1");
        assert_eq!(Fingerprint::from_hex(&one.to_hex()), Some(one));
        assert_eq!(Fingerprint::from_hex("12"), None);
    }

    #[test]
    fn personal_text_stays_out_of_debug() {
        assert!(!format!("{:?}", Personal::new("Maria".to_owned())).contains("Maria"));
    }
}
