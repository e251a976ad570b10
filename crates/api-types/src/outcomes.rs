//! Outcomes of attempts to reach people.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::customers::IntegerOrText;

/// How an attempt to reach a person ended.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OutcomeItem {
    /// Of the person, in any form that normalises to it.
    pub document: String,
    /// `email`, `sms`, `whatsapp`, `push`, `voice` or another: `[a-z0-9_-]`, up to 32.
    #[schema(example = "voice")]
    pub channel: String,
    /// `answered`, `no_answer`, `busy`, `failed`, `converted`, `invalid_number` or `opted_out`.
    #[schema(example = "no_answer")]
    pub outcome: String,
    /// RFC 3339, at most a day ahead of now.
    #[schema(example = "2026-03-01T12:00:00.000Z")]
    pub occurred_at: String,
    /// Identity in the reporting system: an integer or a text of up to 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<IntegerOrText>)]
    pub external_id: Option<Value>,
}

/// Reported outcomes.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// At most 100,000.
    #[schema(value_type = Vec<OutcomeItem>)]
    pub data: Vec<Value>,
}

/// What became of them: `received = recorded + repeated + rejected`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordedJson {
    /// Items received.
    pub received: usize,
    /// New ones.
    pub recorded: usize,
    /// Reported before: the same `external_id`, or else document, channel and time.
    pub repeated: usize,
    /// Items refused.
    pub rejected: usize,
    /// Why, in order.
    pub errors: Vec<RejectedJson>,
}

/// Why an item was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RejectedJson {
    /// Its index in the request.
    pub index: usize,
    /// The member at fault, `""` for the item.
    pub field: String,
    /// Stable code.
    pub code: Cow<'static, str>,
    /// For a person.
    pub detail: String,
}

crate::redacted!(OutcomeItem, Outcomes);
