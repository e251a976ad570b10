//! Uploaded files.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::is_default;

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UploadJson {
    /// `upl_` and a decimal.
    #[schema(example = "upl_104629547441512448")]
    pub id: String,
    /// As the client named it.
    pub file_name: Option<String>,
    /// Size.
    pub bytes: i64,
    /// SHA-256 of the content in hexadecimal digits.
    pub sha256: String,
    /// When it was received.
    pub created_at: String,
    /// What was found in it.
    pub detected: DetectedJson,
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DetectedJson {
    /// `csv`, `ndjson` or `xlsx`.
    #[schema(value_type = String, example = "csv")]
    pub format: Cow<'static, str>,
    /// Of CSV.
    #[schema(example = ";")]
    pub delimiter: Option<char>,
    /// `utf-8`, `windows-1252`, `utf-16le` or `utf-16be`.
    #[schema(value_type = String, example = "utf-8")]
    pub encoding: Cow<'static, str>,
    /// Whether the first row names the columns, or the number of the row that does.
    #[schema(value_type = serde_json::Value, example = true)]
    pub header: HeaderJson,
    /// Names of the columns, each once, as far as the first records show them.
    pub columns: Vec<String>,
    /// Column to `document`, `name`, `phone`, `email`, `attributes`, the name of an attribute, or
    /// nothing: what is done where a request does not say otherwise.
    pub mapping: BTreeMap<String, String>,
    /// The first records, a cell per column.
    pub sample: Vec<Vec<String>>,
    /// Of XLSX: the sheet that is read.
    #[schema(example = "Clientes")]
    pub sheet: Option<String>,
}

/// Which row of a file names its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum HeaderJson {
    /// Whether the first row does.
    Present(bool),
    /// The row that does, 1-based.
    Row(u64),
}

/// Something in a file that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WarningJson {
    /// Line or sheet row, 1-based.
    pub line: u64,
    /// Stable code in snake_case.
    pub code: String,
}

/// Which file, and what its columns mean.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileInto {
    /// As answered when it was received.
    #[schema(example = "upl_104629547441512448")]
    pub upload_id: String,
    /// Column to `document`, `name`, `phone`, `email`, `attributes`, the name of an attribute, or
    /// `""` to leave it out: corrections of what was detected. It may name a column that no record
    /// has shown yet: any key of NDJSON, `column_5` right of the header of CSV and XLSX.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<BTreeMap<String, String>>,
    /// Reject rows whose check digits are wrong.
    #[serde(default, skip_serializing_if = "is_default")]
    pub require_valid_document: bool,
}
