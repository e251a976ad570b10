//! Who is not to be written to.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::customers::RefusalJson;

/// Somebody, by exactly one of `phone`, `email` and `document`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = SuppressionItem)]
pub struct SuppressionItemJson {
    /// Without a country code it is Brazilian.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// In any form that normalises to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// `unsubscribed`, `complaint`, `bounce` or `manual`, which it is where it is missing. Passed over where
    /// people are removed or looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whom nobody is to write to: `suppressions`, or a file.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSuppressions)]
pub struct NewSuppressionsBody {
    /// At most 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<SuppressionItemJson>>)]
    pub suppressions: Option<Vec<Value>>,
    /// An uploaded file: a row may name somebody by phone, e-mail and document, and all of them are suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
    /// Column of the file to `phone`, `email` or `document`, where its guess is to be corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<BTreeMap<String, String>>,
    /// Why the people of the file are suppressed; as of an item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// People who are not to be written to, or of whom that is asked.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Suppressions)]
pub struct SuppressionsBody {
    /// At most 10,000.
    #[schema(value_type = Vec<SuppressionItemJson>)]
    pub suppressions: Vec<Value>,
}

/// What became of the items: `received = added + unchanged + removed + absent + rejected`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuppressedJson {
    /// Items received.
    pub received: usize,
    /// Suppressed from now on.
    pub added: usize,
    /// Suppressed before.
    pub unchanged: usize,
    /// Suppressed no more.
    pub removed: usize,
    /// Of those to be removed, those who were not suppressed.
    pub absent: usize,
    /// Items refused.
    pub rejected: usize,
    /// One for each item, in order.
    pub results: Vec<SuppressResultJson>,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuppressResultJson {
    /// Its index in the request.
    pub index: usize,
    /// `added`, `unchanged`, `removed`, `absent` or `rejected`.
    pub result: Cow<'static, str>,
    /// The suppression, where it was added or is unchanged.
    pub id: Option<String>,
    /// Why it was rejected; `erased` where somebody who was erased was to be removed.
    pub error: Option<RefusalJson>,
}

/// A suppression. Whom it is about is kept as a hash, which nobody is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuppressionJson {
    /// `sup_<decimal>`.
    pub id: String,
    /// `phone`, `email` or `document`.
    pub kind: Cow<'static, str>,
    /// `unsubscribed`, `complaint`, `bounce`, `manual` or `erasure`.
    pub reason: Cow<'static, str>,
    /// Who said so.
    pub created_by: String,
    /// When it was said.
    pub created_at: String,
}

/// Who is suppressed of those who were asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuppressionsFoundJson {
    /// One for each item, in order.
    pub results: Vec<SuppressionFoundJson>,
}

/// Whether somebody is suppressed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuppressionFoundJson {
    /// The item's index in the request.
    pub index: usize,
    /// The suppression, null where there is none.
    pub suppression: Option<SuppressionJson>,
    /// What is wrong with the item.
    pub error: Option<RefusalJson>,
}

crate::redacted!(SuppressionItemJson, SuppressionsBody, NewSuppressionsBody);
