//! Attributes as they are kept.

use serde_json::{Map, Value};

use crate::shared::{composed, is_composed, is_trimmed, trimmed};

/// Names and texts in NFC, texts trimmed. Of two names that become the same the last one counts.
pub(crate) fn tidy_attributes(attributes: Map<String, Value>) -> Map<String, Value> {
    let is_tidy = |(name, value): (&String, &Value)| {
        is_composed(name) && value.as_str().is_none_or(is_trimmed)
    };
    if attributes.iter().all(is_tidy) {
        return attributes;
    }
    let tidy = |(name, value)| match value {
        Value::String(text) => (composed(name), Value::String(trimmed(&text))),
        value => (composed(name), value),
    };
    attributes.into_iter().map(tidy).collect()
}
