//! Audiences.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{contacts::WrittenJson, is_default};

/// An audience.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudienceJson {
    /// `aud_` and a decimal.
    #[schema(example = "aud_104629547441512448")]
    pub id: String,
    /// Name, unique among those not deleted.
    pub name: String,
    /// Labels.
    pub tags: Vec<String>,
    /// `draft`, `active`, and of a segment `in_progress` while its members are resolved for the first time, or
    /// `failed`.
    pub status: Cow<'static, str>,
    /// `static` or `dynamic`.
    pub kind: Cow<'static, str>,
    /// Exact number of visible contacts.
    pub contacts: i64,
    /// What made it.
    pub source_id: Cow<'static, str>,
    /// Where its contacts are stored.
    pub collection: Cow<'static, str>,
    /// Version of the metadata: the `ETag`.
    pub version: i64,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: String,
    /// Last change of metadata or contacts.
    pub updated_at: String,
    /// When it was deleted, if it is.
    pub deleted_at: Option<String>,
}

/// A new audience.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAudience {
    /// 1 to 255 characters, unique among those not deleted. A sample has one where none is given, parts have
    /// their own.
    #[serde(default)]
    pub name: String,
    /// Labels.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
    /// `active` (as a rule) or `draft`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// First contacts, at most 100,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub data: Option<Vec<Value>>,
    /// Write nothing unless every contact is valid.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strict: bool,
    /// Reject contacts whose check digits are wrong.
    #[serde(default, skip_serializing_if = "is_default")]
    pub require_valid_document: bool,
    /// An uploaded file to take the contacts from, instead of `data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
    /// Other audiences to make it of, instead of `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<FromBody>,
    /// Column name to target, where the guess is to be corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<BTreeMap<String, String>>,
}

/// What an audience is made of: one of these. Where two lists have a person, the contact of the first that is
/// named is taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FromBody {
    /// Ids of 1 to 20 audiences: whoever is in one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub union: Option<Vec<String>>,
    /// Whoever is in all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intersection: Option<Vec<String>>,
    /// Whoever is in the first and in none of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Vec<String>>,
    /// A part of one audience.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleBody>,
    /// Parts of one audience that share nobody; each is an audience.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitBody>,
}

/// A part of an audience: the same people whenever it is drawn with the same seed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleBody {
    /// The audience.
    pub of: String,
    /// So many people; or `percent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Above 0 and at most 100, with up to six decimal places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 10)]
    pub percent: Option<Value>,
    /// A text of 1 to 128 characters, or a whole number, which is the text of its digits.
    #[schema(value_type = String, example = "2026-12")]
    pub seed: Value,
}

/// Parts of an audience: a person is in the same part whenever it is split with the same seed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitBody {
    /// The audience.
    pub of: String,
    /// 1 to 20 parts, which come to no more than 100 percent. Who is left is in none.
    pub parts: Vec<PartBody>,
    /// A text of 1 to 128 characters, or a whole number, which is the text of its digits.
    #[schema(value_type = String, example = "2026-12")]
    pub seed: Value,
}

/// A part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartBody {
    /// Name of its audience.
    pub name: String,
    /// Above 0 and at most 100, with up to six decimal places.
    #[schema(value_type = f64, example = 50)]
    pub percent: Value,
}

/// A created audience and what became of its first contacts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedJson {
    #[serde(flatten)]
    pub audience: AudienceJson,
    #[serde(flatten)]
    pub written: WrittenJson,
}

/// New values. Absent members stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Change)]
pub struct AudienceChange {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// `active` or `draft`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// A copy to be made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Copy)]
pub struct AudienceCopy {
    /// Name of the copy; the source's name with ` (copy)` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An emptied audience.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClearedJson {
    #[serde(flatten)]
    pub audience: AudienceJson,
    /// The operation by which it can be undone.
    pub operation_id: String,
}

crate::redacted!(NewAudience);
