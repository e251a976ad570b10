//! The form in which rejected rows are kept.

use std::collections::BTreeMap;

use domain::shared::ItemError;
use ports::files::{FileError, Record};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One rejected row as it is kept.
#[derive(Serialize, Deserialize)]
pub struct Rejected {
    /// Number of the row among the data rows, from 1.
    pub row: u64,
    /// Line or sheet row it starts at.
    pub line: u64,
    /// The field at fault, `""` for the row.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// For a person.
    pub detail: String,
    /// The row as it came: column to text.
    pub values: BTreeMap<String, Value>,
}

impl Rejected {
    /// A row and what is wrong with it.
    pub fn new(record: &Record<'_>, values: BTreeMap<String, Value>, error: &ItemError) -> Self {
        Self {
            row: record.number,
            line: record.line,
            field: error.field.to_string(),
            code: error.code.to_owned(),
            detail: error.detail.to_string(),
            values,
        }
    }

    /// One line of the file of rejected rows.
    pub fn line(&self) -> Result<Vec<u8>, FileError> {
        let mut line = serde_json::to_vec(self).map_err(|e| FileError::Io(e.into()))?;
        line.push(b'\n');
        Ok(line)
    }
}
