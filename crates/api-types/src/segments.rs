//! Segments.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{contacts::ContactJson, is_default};

/// Conditions, and when they are looked at. `proto/segments/v1.json` is their schema.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentBody {
    /// Groups of conditions, at most 20 of at most 50 each.
    #[schema(value_type = Vec<Object>)]
    pub groups: Vec<Value>,
    /// How groups are joined: `or` (as a rule) or `and`.
    #[serde(default, rename = "groupType", skip_serializing_if = "Option::is_none")]
    pub group_type: Option<String>,
    /// `{"type": "static"}` (as a rule), `{"type": "scheduled", "cron", "timezone"}` or `{"type": "live"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub audience_type: Option<Value>,
}

/// The conditions of an audience.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SegmentJson {
    /// The audience.
    pub audience_id: String,
    /// Groups of conditions, as they were written.
    #[schema(value_type = Vec<Object>)]
    pub groups: Vec<Value>,
    /// How groups are joined, where that was said.
    #[serde(rename = "groupType")]
    pub group_type: Option<Cow<'static, str>>,
    /// When they are looked at.
    #[schema(value_type = Object)]
    pub audience_type: Value,
    /// `draft`, `in_progress`, `active` or `failed`.
    pub status: Cow<'static, str>,
    /// Version of the metadata: the `ETag`.
    pub version: i64,
    /// The refresh that the change began, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
}

/// Who would be a member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewJson {
    /// How many.
    pub count: i64,
    /// Whether everybody was looked at. Of more than 100,000 customers, a part spread over all of them is.
    pub exact: bool,
    /// Up to 20 of them.
    pub sample: Vec<PersonJson>,
    /// How many fulfil each condition by itself.
    pub by_condition: Vec<ConditionCount>,
    /// Milliseconds that it took.
    pub took_ms: u64,
    /// Bytes that a source outside bills for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_processed: Option<u64>,
}

/// A member, masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PersonJson {
    /// The customer; none where nobody is registered under this document.
    pub customer_id: Option<i64>,
    /// The last characters of its document.
    #[schema(example = "********900")]
    pub document: Option<String>,
}

/// How many fulfil a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConditionCount {
    /// Where the condition is: a JSON Pointer into the request.
    #[schema(example = "/groups/0/conditions/0")]
    pub pointer: String,
    /// How many.
    pub count: i64,
}

/// Who is asked about: one of both.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainBody {
    /// The customer's number.
    #[serde(default, skip_serializing_if = "is_default")]
    pub customer_id: Option<i64>,
    /// The customer's document.
    #[serde(default, skip_serializing_if = "is_default")]
    pub document: Option<String>,
}

/// Why somebody is a member, or is not.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExplainJson {
    /// The customer.
    pub customer_id: i64,
    /// Whether the members that readers see have it.
    pub member: bool,
    /// Whether the conditions hold now.
    pub matches: bool,
    /// As of when.
    pub at: String,
    /// How groups are joined.
    #[serde(rename = "groupType")]
    pub group_type: Cow<'static, str>,
    /// Group by group.
    pub groups: Vec<ExplainedGroup>,
}

/// What became of a group.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedGroup {
    /// Whether it holds; an excluded one that holds takes the customer out.
    pub matches: bool,
    /// Whether it is an excluded one.
    pub exclude: bool,
    /// How its conditions are joined.
    pub logic: Cow<'static, str>,
    /// Condition by condition.
    pub conditions: Vec<ExplainedCondition>,
}

/// What became of a condition.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedCondition {
    /// The condition as it was written.
    #[schema(value_type = Object)]
    pub condition: Value,
    /// Whether it holds.
    pub matches: bool,
    /// The value that was compared, where there was one.
    pub value: Option<String>,
}

crate::redacted!(
    SegmentBody,
    SegmentJson,
    ExplainBody,
    ExplainJson,
    ExplainedGroup,
    ExplainedCondition
);

/// How a refresh is to be done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshBody {
    /// The share of its size, in percent, by which it may change the audience without being confirmed, instead of
    /// the installation's; 0 to 1,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard_percent: Option<u32>,
}

/// A refresh that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefreshJson {
    /// Grows with every refresh of the audience.
    pub version: i64,
    /// The operation; none for a batch of changes of a live audience.
    pub operation_id: Option<String>,
    /// `requested`, `scheduled` or `live`.
    pub cause: Cow<'static, str>,
    /// When it began.
    pub began_at: String,
    /// From when on readers saw it.
    pub shown_at: String,
    /// Milliseconds between both.
    pub took_ms: i64,
    /// Members afterwards.
    pub size: i64,
    /// Those who were none before.
    pub entered: i64,
    /// Those who are none any more.
    pub left: i64,
    /// Those who stayed, with other values.
    pub changed: i64,
    /// Bytes that the source of customers looked at, where it counts them.
    pub bytes: Option<i64>,
}

/// A time that somebody was a member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PeriodJson {
    /// The refresh by which they entered, where it is still known.
    pub entered: Option<RefreshJson>,
    /// The refresh by which they left; none while they are a member.
    pub left: Option<RefreshJson>,
}

/// When somebody was a member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MembershipJson {
    /// Whether they are one now.
    pub member: bool,
    /// Each time, the earliest first.
    pub periods: Vec<PeriodJson>,
}

/// Those who were members at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MembersJson {
    /// The refresh that readers saw then; none where there had been none.
    pub refresh: Option<RefreshJson>,
    /// Who, in the order of documents, with what is known of them now.
    pub data: Vec<ContactJson>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}
