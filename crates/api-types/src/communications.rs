//! Communications: what is sent to whom, when, and what became of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::recycle::RecycleBody;

/// What makes a communication.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCommunication {
    /// Up to 255 characters; the text's beginning where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// RFC 3339, or `{"local": "2026-12-01T09:00", "timezone": "America/Sao_Paulo"}`. This or `recurrence`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Value>,
    /// Again and again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<RecurrenceJson>,
    /// Who gets it.
    pub recipients: RecipientsJson,
    /// `email`, `sms`, `whatsapp`, `push`.
    pub channels: Vec<String>,
    /// What is said.
    pub message: CommunicationMessageJson,
    /// What happens where it is late; it is sent where this is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misfire: Option<MisfireJson>,
    /// `respect` or `ignore`; `respect` where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<String>,
    /// Something that people need, whatever they said about marketing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactional: Option<bool>,
    /// Dispatches that leave in a minute at most, 1 to 1,000,000; as many as there are where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<u32>,
    /// Minutes that the members of a segment may be old: it is refreshed first where they are older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness_minutes: Option<u32>,
    /// What happens once everything has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_completion: Option<OnCompletionJson>,
}

/// What changes of a communication; members that are missing stay. `send_at` takes the place of `recurrence`, and the
/// other way round.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommunicationChange {
    /// Up to 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// RFC 3339, or `{"local": "2026-12-01T09:00", "timezone": "America/Sao_Paulo"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Value>,
    /// Again and again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<RecurrenceJson>,
    /// Who gets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<RecipientsJson>,
    /// `email`, `sms`, `whatsapp`, `push`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    /// What is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<CommunicationMessageJson>,
    /// What happens where it is late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misfire: Option<MisfireJson>,
    /// `respect` or `ignore`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<String>,
    /// Something that people need, whatever they said about marketing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactional: Option<bool>,
    /// Dispatches that leave in a minute at most, 1 to 1,000,000; as many as there are where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<u32>,
    /// Minutes that the members of a segment may be old: it is refreshed first where they are older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness_minutes: Option<u32>,
    /// What happens once everything has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_completion: Option<OnCompletionJson>,
}

/// What happens once all dispatches of a communication have left; of one that recurs, each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OnCompletionJson {
    /// The audience that it goes to is recycled by these rules: as `POST /api/v1/audiences/{id}/recycle`, without
    /// `dry_run` and `plan`.
    pub recycle: RecycleBody,
}

/// When something is sent again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecurrenceJson {
    /// A cron expression of five fields.
    pub cron: String,
    /// IANA zone whose clock it is read on; the workspace's where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The last instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Who gets it: one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipientsJson {
    /// Up to 100,000 numbers of customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_ids: Option<Vec<i64>>,
    /// The members of an audience at the due time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience_id: Option<String>,
    /// Everybody who receives pushes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<bool>,
}

/// What is said. Placeholders: `{{name}}`, `{{email}}`, `{{phone}}`, `{{document}}`, `{{attributes.NAME|default}}`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommunicationMessageJson {
    /// Said where a variant has no text and no HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where a variant has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is said otherwise, by channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variants: BTreeMap<String, VariantJson>,
}

/// What is said on one channel.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantJson {
    /// Subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// HTML; values are escaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What happens to what could not leave in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MisfireJson {
    /// `send`, `skip` or `send_if_late_by`.
    pub policy: String,
    /// With `send_if_late_by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

/// A communication.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CommunicationJson {
    /// `com_` and a decimal.
    #[schema(example = "com_104629547441512448")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `draft`, `scheduled`, `resolving`, `dispatching`, `paused`, `completed`, `failed`, `cancelled`, `skipped`.
    pub status: String,
    /// The instant that it waits for, or was last claimed for.
    pub send_at: String,
    /// Where it is sent again and again.
    pub recurrence: Option<RecurrenceJson>,
    /// Who gets it.
    pub recipients: RecipientsJson,
    /// Where.
    pub channels: Vec<String>,
    /// What is said.
    pub message: CommunicationMessageJson,
    /// What happens where it is late.
    pub misfire: MisfireJson,
    /// `respect` or `ignore`.
    pub quiet_hours: String,
    /// Something that people need.
    pub transactional: bool,
    /// Dispatches that leave in a minute at most.
    pub rate_per_minute: Option<u32>,
    /// Minutes that the members of a segment may be old.
    pub freshness_minutes: Option<u32>,
    /// What happens once everything has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OnCompletionJson>)]
    pub on_completion: Option<Value>,
    /// The number of its latest occurrence; 0 before the first.
    pub occurrence: i64,
    /// Recipients of the latest occurrence by channel and status; missing in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<BTreeMap<String, BTreeMap<String, i64>>>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: String,
    /// When it changed last.
    pub updated_at: String,
}

/// One time that a communication was claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OccurrenceJson {
    /// Its number, from 1.
    pub number: i64,
    /// `resolving`, `dispatching`, `completed`, `failed` or `skipped`.
    pub status: String,
    /// When it was to be sent.
    pub scheduled_for: String,
    /// When it was claimed.
    pub claimed_at: String,
    /// Milliseconds between the two.
    pub lateness_ms: i64,
    /// When it ended.
    pub ended_at: Option<String>,
}

/// One recipient on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecipientJson {
    /// The dispatch: the same in events and reports.
    pub dispatch_id: String,
    /// The number of a customer, another name of a contact, or `all`.
    pub recipient: String,
    /// Where.
    pub channel: String,
    /// `pending`, `held`, `skipped`, `dispatched`, `sent`, `delivered`, `read`, `failed` or `cancelled`.
    pub status: String,
    /// Why it was skipped, or the sender's code of the failure.
    pub reason: Option<String>,
    /// The sender's name of it.
    pub provider_id: Option<String>,
    /// Until when it is held, where it is.
    pub held_until: Option<String>,
    /// When it changed last.
    pub updated_at: String,
}

/// What senders report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReports {
    /// Up to 1,000.
    pub data: Vec<DispatchReportJson>,
}

/// What became of a dispatch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DispatchReportJson {
    /// The dispatch.
    pub dispatch_id: String,
    /// `sent`, `delivered`, `read` or `failed`.
    pub status: String,
    /// Since when; now where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The sender's name of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// The sender's code of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportsTaken {
    /// Reports of dispatches that there are; those that said nothing new included.
    pub taken: usize,
    /// Dispatches that there are not.
    pub unknown: Vec<String>,
}

/// What will happen to a communication, as things are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommunicationPreview {
    /// When its next occurrence begins.
    pub starts_at: String,
    /// Recipients, each once whatever the channels.
    pub recipients: i64,
    /// What happens on each channel.
    pub channels: BTreeMap<String, ChannelPreview>,
    /// How many dispatches quiet hours hold, until when; the first 50 instants.
    pub held: Vec<HeldPreview>,
    /// Recipients who get nothing as somebody else has their address.
    pub duplicates: i64,
    /// Dispatches that leave in a minute at most.
    pub rate_per_minute: Option<u32>,
    /// When the last dispatch leaves, as far as is known.
    pub estimated_end: String,
    /// Whether everybody was looked at: false where there are more than 100,000.
    pub complete: bool,
    /// Why recipients cannot be found, where they cannot: `audience_gone`.
    pub error: Option<String>,
}

/// What happens on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelPreview {
    /// Dispatches that leave as soon as it begins, or their turn comes.
    pub dispatches: i64,
    /// Dispatches that quiet hours hold.
    pub held: i64,
    /// Recipients who get nothing, by reason.
    pub skipped: BTreeMap<String, i64>,
}

/// Dispatches that are held until an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldPreview {
    /// Until then.
    pub until: String,
    /// So many.
    pub dispatches: i64,
}
