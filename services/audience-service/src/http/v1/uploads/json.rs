//! Uploaded files as V1 writes them.

use http_kit::timestamp;
use std::collections::BTreeMap;

use ports::files::{DetectedFormat, Encoding, FileFormat, Header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::upload::StoredUpload;

/// An uploaded file.
#[derive(Debug, Serialize, ToSchema)]
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
#[derive(Debug, Serialize, ToSchema)]
pub struct DetectedJson {
    /// `csv`, `ndjson` or `xlsx`.
    #[schema(value_type = String, example = "csv")]
    pub format: FileFormat,
    /// Of CSV.
    #[schema(example = ";")]
    pub delimiter: Option<char>,
    /// `utf-8`, `windows-1252`, `utf-16le` or `utf-16be`.
    #[schema(value_type = String, example = "utf-8")]
    pub encoding: Encoding,
    /// Whether the first row names the columns, or the number of the row that does.
    #[schema(value_type = serde_json::Value, example = true)]
    pub header: Header,
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

impl From<StoredUpload> for UploadJson {
    fn from(StoredUpload { upload, detected }: StoredUpload) -> Self {
        let DetectedFormat {
            format,
            delimiter,
            encoding,
            header,
            columns,
            sample,
            sheet,
        } = detected.format;
        let targets = detected.mapping.targets().iter();
        let targets = targets.map(|target| target.as_str().to_owned());
        Self {
            id: upload.id.to_string(),
            file_name: upload.file_name,
            bytes: upload.bytes,
            sha256: upload.sha256,
            created_at: timestamp(upload.created_at),
            detected: DetectedJson {
                format,
                delimiter: delimiter.map(char::from),
                encoding,
                header,
                mapping: columns.iter().cloned().zip(targets).collect(),
                columns,
                sample,
                sheet,
            },
        }
    }
}
