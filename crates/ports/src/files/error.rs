//! What can go wrong with a file.

use std::io;

use crate::StoreError;

/// Why a stored file cannot be written, found or read.
///
/// No variant carries file content or names given by users, except the names of a workbook's sheets:
/// a message is safe to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The content is not readable as the format it claims; reading cannot go on.
    #[error("line {line}: {detail}")]
    Malformed {
        /// Physical line (CSV, NDJSON) or sheet row (XLSX), 1-based; 0 for the file as a whole.
        line: u64,
        /// Stable reason for programs.
        code: FormatFault,
        /// Explanation for people.
        detail: String,
    },
    /// A limit was reached.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What was measured, with its unit, such as `unpacked content (bytes)`.
        what: &'static str,
        /// The limit, in the unit named by `what`.
        limit: u64,
    },
    /// The disk or its quota is full.
    #[error("no space left on the disk")]
    DiskFull,
    /// No complete file has this name.
    #[error("file not found")]
    NotFound,
    /// The name breaks the rules of [`check_name`](super::check_name).
    #[error("invalid file name")]
    InvalidName,
    /// A sorted file is cut short, altered, or read from a place where no record starts.
    #[error("stored file is damaged: {0}")]
    Damaged(&'static str),
    /// The store that keeps the files failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Any other failure of the operating system.
    #[error("file operation failed")]
    Io(#[source] io::Error),
}

impl FileError {
    /// A [`FileError::Malformed`] about the file as a whole.
    pub fn malformed(code: FormatFault, detail: impl Into<String>) -> Self {
        Self::malformed_at(0, code, detail)
    }

    /// A [`FileError::Malformed`] at a 1-based line or sheet row.
    pub fn malformed_at(line: u64, code: FormatFault, detail: impl Into<String>) -> Self {
        Self::Malformed {
            line,
            code,
            detail: detail.into(),
        }
    }
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io(error) => error,
            error => Self::other(error),
        }
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::NotFound => Self::NotFound,
            // A reader that blocks has nothing else to tell its failure by.
            _ => match error.downcast::<Self>() {
                Ok(error) => error,
                Err(error) => Self::Io(error),
            },
        }
    }
}

/// Stable reasons why a whole file is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FormatFault {
    /// There is no content.
    EmptyFile,
    /// The content is an image, an archive, a document, or has NUL bytes: not a table.
    BinaryContent,
    /// The content is HTML or XML.
    MarkupContent,
    /// The content is one JSON array or one object over many lines instead of one object per line.
    NotNdjson,
    /// The content claims to be, or starts like, an XLSX workbook but is none.
    NotXlsx,
    /// The old binary Excel format, or a password-protected workbook.
    LegacyExcel,
    /// The delimiter cannot be used: a quote, a line break or a byte outside ASCII.
    InvalidDelimiter,
    /// A quote was opened and not closed.
    OpenQuote,
    /// One record is larger than the limit.
    RecordTooLarge,
    /// The header has more columns than the limit.
    TooManyColumns,
    /// A workbook part is cut short, altered or not well-formed.
    DamagedWorkbook,
    /// A workbook part declares a document type or an entity.
    XmlEntity,
    /// A workbook part expands far more than real data does.
    CompressionBomb,
    /// The workbook has more parts than the limit.
    TooManyEntries,
    /// The workbook has no sheet of the name that was asked for.
    UnknownSheet,
    /// The row that was said to hold the names of the columns is blank or not there.
    NoSuchHeader,
}

impl FormatFault {
    /// The snake_case code, such as `open_quote`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmptyFile => "empty_file",
            Self::BinaryContent => "binary_content",
            Self::MarkupContent => "markup_content",
            Self::NotNdjson => "not_ndjson",
            Self::NotXlsx => "not_xlsx",
            Self::LegacyExcel => "legacy_excel",
            Self::InvalidDelimiter => "invalid_delimiter",
            Self::OpenQuote => "open_quote",
            Self::RecordTooLarge => "record_too_large",
            Self::TooManyColumns => "too_many_columns",
            Self::DamagedWorkbook => "damaged_workbook",
            Self::XmlEntity => "xml_entity",
            Self::CompressionBomb => "compression_bomb",
            Self::TooManyEntries => "too_many_entries",
            Self::UnknownSheet => "unknown_sheet",
            Self::NoSuchHeader => "no_such_header",
        }
    }

    /// The option of the reader that is at fault, where one is.
    #[must_use]
    pub const fn option(self) -> Option<&'static str> {
        match self {
            Self::InvalidDelimiter => Some("delimiter"),
            Self::UnknownSheet => Some("sheet"),
            Self::NoSuchHeader => Some("header"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let from = |kind| FileError::from(io::Error::from(kind));
        assert!(matches!(
            from(io::ErrorKind::StorageFull),
            FileError::DiskFull
        ));
        assert!(matches!(
            from(io::ErrorKind::QuotaExceeded),
            FileError::DiskFull
        ));
        assert!(matches!(from(io::ErrorKind::NotFound), FileError::NotFound));
        assert!(matches!(
            from(io::ErrorKind::PermissionDenied),
            FileError::Io(_)
        ));
    }
}
