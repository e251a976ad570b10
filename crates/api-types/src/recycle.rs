//! Taking people out of an audience by rules.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{is_default, uploads::WarningJson};

/// What to remove, whom to protect, and where the rest goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecycleBody {
    /// What is removed: the union of all rules. At least one.
    #[serde(default)]
    pub rules: RulesBody,
    /// Who is protected from every rule but `opted_out`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keep: KeepBody,
    /// Where those go that stay; in place where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetBody>,
    /// Only say what would be removed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dry_run: bool,
    /// `plan` of an earlier dry run of the same rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// By how many removed contacts the outcome may differ from the plan.
    #[serde(default, skip_serializing_if = "is_default")]
    pub plan_tolerance: u32,
}

/// By these rules, in place.
impl From<RulesBody> for RecycleBody {
    fn from(rules: RulesBody) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }
}

/// What is removed: the union of all rules.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesBody {
    /// These people.
    #[serde(default, skip_serializing_if = "is_default")]
    pub documents: Vec<String>,
    /// The people whose documents are in this uploaded file, which is read for its documents alone:
    /// whatever else is wrong with a row, its document counts. Rows without a readable one are
    /// counted as `unreadable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
    /// The members of these audiences.
    #[serde(default, skip_serializing_if = "is_default")]
    pub audience_ids: Vec<String>,
    /// Groups of conditions over the contact: a list, joined by `or`, or an object of `groups` and
    /// `groupType`, which is `and` or `or`. Numbers and dates, here and in the contacts, are read as
    /// ISO and Brazilians write them (`1.234,56`, `31/01/2026 14:00`, `2026-01-31`); a time without
    /// zone is that of America/Sao_Paulo. What cannot be read matches nothing.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub filter: Option<Value>,
    /// Those whose last attempt ended so: `answered`, `no_answer`, `busy`, `failed`, `converted`,
    /// `invalid_number`, `opted_out`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub outcomes: Vec<String>,
    /// Those with an attempt in a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacted: Option<ContactedBody>,
    /// Those with so many attempts or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<AttemptsBody>,
    /// Those whose last attempt is more recent than so many hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub min_hours_since_last_attempt: Option<u32>,
    /// Those who asked not to be contacted; on unless switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opted_out: Option<bool>,
    /// Those who share a valid phone or e-mail with somebody who stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<DuplicatesBody>,
}

/// An attempt in a period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactedBody {
    /// Any channel where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// RFC 3339, inclusive; open where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// RFC 3339, exclusive; open where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// A number of attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttemptsBody {
    /// Attempts.
    #[schema(minimum = 1)]
    pub at_least: u32,
}

/// Removal of duplicates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DuplicatesBody {
    /// `phone`, `email` or both, each on its own.
    pub by: Vec<String>,
    /// Who stays: `latest` (as a rule) or `earliest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<String>,
}

/// Who is protected.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepBody {
    /// These people.
    #[serde(default, skip_serializing_if = "is_default")]
    pub documents: Vec<String>,
    /// The members of these audiences.
    #[serde(default, skip_serializing_if = "is_default")]
    pub audience_ids: Vec<String>,
}

/// Where those go that stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetBody {
    /// `in_place`: they stay where they are; `new`: they are copied into a new audience.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name of the new audience; one is proposed where absent or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a recycling would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DryRunJson {
    /// To be sent with the real call, within an hour: it is then refused when more than
    /// `plan_tolerance` contacts would be removed that are not counted here, or the other way round.
    pub plan: String,
    /// Contacts looked at: `removed` and `kept`.
    pub total: i64,
    /// Contacts that would go.
    pub removed: i64,
    /// Contacts that would stay.
    pub kept: i64,
    /// `removed` by the reason that counts.
    pub by_reason: BTreeMap<Cow<'static, str>, i64>,
    /// How many contacts more than one reason holds for, by reasons.
    pub overlap: Vec<OverlapJson>,
    /// Some of those that would go.
    pub sample: Vec<SampleJson>,
    /// Values that conditions of `where` could not read as the number or the date that they compare
    /// with, and that matched nothing therefore.
    pub unreadable_values: i64,
    /// Rows of the uploaded file of documents that have no readable one: they name nobody.
    pub unreadable: i64,
    /// What looks wrong in that file, by line: `suspicious_quote` is a quoted cell that holds lines of
    /// the header's shape.
    #[schema(value_type = Vec<Object>)]
    pub warnings: Vec<WarningJson>,
    /// `unreadable`: where those rows can be downloaded.
    pub links: BTreeMap<Cow<'static, str>, String>,
}

/// Contacts that the same reasons hold for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OverlapJson {
    /// All reasons, the one that counts first.
    pub reasons: Vec<Cow<'static, str>>,
    /// Contacts.
    pub count: i64,
}

/// A contact that would go.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SampleJson {
    /// Its last characters.
    #[schema(example = "********900")]
    pub document: String,
    /// All reasons, the one that counts first.
    pub reasons: Vec<Cow<'static, str>>,
}

crate::redacted!(RulesBody, KeepBody, SampleJson);
