//! Reading records one by one.

use std::fmt;

use serde_json::Value;

use super::FileError;

/// Reads the records of a file in order.
///
/// Memory is bounded by one record (and the distinct texts of a workbook). The same file always
/// gives the same records with the same numbers: a reader that resumes starts again from the
/// beginning and skips to the number it left at.
pub trait RecordReader: Send {
    /// Column names as far as records were read, unique and not empty; empty for NDJSON.
    fn headers(&self) -> &[String];

    /// The next record, or `None` at the end. Blank lines and rows without any content are skipped.
    ///
    /// A record with a [`fault`](Record::fault) is to be rejected, and reading goes on.
    ///
    /// # Errors
    /// [`FileError::Malformed`] or [`FileError::TooLarge`] where the rest of the file cannot be
    /// read, [`FileError::Io`].
    fn next(&mut self) -> Result<Option<Record<'_>>, FileError>;
}

/// One record. Its text is borrowed from a buffer that the next record reuses.
#[derive(Debug)]
pub struct Record<'a> {
    /// Position among the records, 1-based, the header and blank lines not counted.
    pub number: u64,
    /// Line where the record starts (CSV, NDJSON) or sheet row (XLSX), 1-based.
    pub line: u64,
    /// The content.
    pub cells: Cells<'a>,
    /// The line as it came (NDJSON); empty for CSV and XLSX.
    pub raw: &'a [u8],
    /// Names of the columns, one per cell; empty for NDJSON.
    pub columns: &'a [String],
    /// Why the record cannot be used, if so.
    pub fault: Option<RowFault>,
    /// Line of a quoted cell that holds lines of the header's shape: a quote may have been forgotten.
    pub suspicious_quote: Option<u64>,
}

/// Content of a record.
pub enum Cells<'a> {
    /// CSV and XLSX: one text per column, missing ones empty. The quote that an export puts before
    /// a formula sign is already taken away. A record with [`RowFault::TooManyColumns`] has more
    /// texts than there can be columns.
    Fields(&'a [String]),
    /// NDJSON: an object, as far as it can be read where there is a fault.
    Json(Value),
    /// NDJSON: the text of a line that is no object.
    Raw(&'a str),
}

/// Shows no content: it is personal data.
impl fmt::Debug for Cells<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(fields) => write!(f, "Fields({})", fields.len()),
            Self::Json(_) => f.write_str("Json(_)"),
            Self::Raw(text) => write!(f, "Raw({} bytes)", text.len()),
        }
    }
}

/// Why one record is rejected before its meaning is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RowFault {
    /// There is text beyond the last column that there can be.
    TooManyColumns,
    /// Bytes that the encoding of the file does not have; shown as U+FFFD in the cells.
    InvalidEncoding,
    /// A NUL character.
    NulCharacter,
    /// The line is not JSON.
    InvalidJson,
    /// The line is JSON but not an object.
    NotAnObject,
}

impl RowFault {
    /// The snake_case code, such as `too_many_columns`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooManyColumns => "too_many_columns",
            Self::InvalidEncoding => "invalid_encoding",
            Self::NulCharacter => "nul_character",
            Self::InvalidJson => "invalid_json",
            Self::NotAnObject => "not_an_object",
        }
    }
}
