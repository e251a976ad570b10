//! Recognising the format of a file.

use std::{fmt, num::NonZeroU64, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{FileError, ReadSeek, RecordReader};

/// Formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// Delimited text.
    Csv,
    /// One JSON object per line.
    Ndjson,
    /// Office Open XML workbook, of which one sheet is read.
    Xlsx,
}

/// Character encodings of text formats. A byte order mark is skipped when there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Windows-1252, of which ISO-8859-1 text is a part.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// UTF-16, little endian.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, big endian.
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

impl Encoding {
    /// As it is written in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }
}

/// By its name or a usual other one, without regard to case.
impl FromStr for Encoding {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name.trim().to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "utf-8-sig" => Ok(Self::Utf8),
            "windows-1252" | "cp1252" | "ansi" | "iso-8859-1" | "latin1" | "latin-1" => {
                Ok(Self::Windows1252)
            }
            "utf-16le" | "utf-16-le" => Ok(Self::Utf16Le),
            "utf-16be" | "utf-16-be" => Ok(Self::Utf16Be),
            _ => Err(()),
        }
    }
}

/// Where the names of the columns are: `true` in the first row that is not blank, `false` nowhere, or
/// in the row of this number (a line of text, a row of a sheet). Rows before it are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Header {
    /// Whether the first row holds them.
    Present(bool),
    /// The row that holds them, 1-based.
    Row(NonZeroU64),
}

/// `true`, `false`, or a number from 1.
impl FromStr for Header {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.trim() {
            "true" => Ok(Self::Present(true)),
            "false" => Ok(Self::Present(false)),
            number => number.parse().map(Self::Row).map_err(|_| ()),
        }
    }
}

/// How a client insists that its file be read; what is absent is found in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileOptions {
    /// Field delimiter of CSV, an ASCII byte.
    pub delimiter: Option<u8>,
    /// Character encoding of CSV and NDJSON.
    pub encoding: Option<Encoding>,
    /// Where the names of the columns of CSV and XLSX are.
    pub header: Option<Header>,
    /// Name of the sheet of XLSX.
    pub sheet: Option<String>,
}

/// What a client says about a file; the content decides where the two disagree.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileHint<'a> {
    /// Name given by the client.
    pub file_name: Option<&'a str>,
    /// Media type given by the client.
    pub content_type: Option<&'a str>,
    /// Delimiter the client insists on.
    pub delimiter: Option<u8>,
    /// Encoding the client insists on.
    pub encoding: Option<Encoding>,
    /// Where the names of the columns are, when the client insists.
    pub header: Option<Header>,
    /// Sheet of a workbook the client insists on.
    pub sheet: Option<&'a str>,
}

/// A recognised format, enough to open the file again later.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetectedFormat {
    /// The format.
    pub format: FileFormat,
    /// Field delimiter of CSV, an ASCII byte.
    pub delimiter: Option<u8>,
    /// Character encoding; UTF-8 for XLSX.
    pub encoding: Encoding,
    /// Where the names of the columns are (for NDJSON always `true`: keys are names).
    pub header: Header,
    /// Column names in order, unique and not empty: an empty header, and text right of the header,
    /// becomes `column_3` (its position), a repeated one `name_2`. Those that the first records show:
    /// later ones may have more.
    pub columns: Vec<String>,
    /// Up to five first records, each with one cell per column.
    pub sample: Vec<Vec<String>>,
    /// The sheet of XLSX that is read; without a name the first visible one that has rows. Filled in
    /// by [`RecordFormats::inspect`].
    pub sheet: Option<String>,
}

/// Shows no columns, no sample and no sheet: they hold personal data.
impl fmt::Debug for DetectedFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetectedFormat")
            .field("format", &self.format)
            .field("delimiter", &self.delimiter)
            .field("encoding", &self.encoding)
            .field("header", &self.header)
            .field("columns", &self.columns.len())
            .finish_non_exhaustive()
    }
}

/// Bounds of what a reader accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordLimits {
    /// Bytes of one record. Default: 1 MiB.
    pub record_bytes: usize,
    /// Columns of the header. Default: 1,000.
    pub columns: usize,
    /// Bytes of a packed workbook. Default: 200 MB.
    pub workbook_bytes: u64,
    /// Bytes a workbook may unpack to, all parts together. Default: 4 GiB.
    pub unpacked_bytes: u64,
    /// Bytes of the distinct texts of a workbook, which stay in memory. Default: 256 MiB.
    pub shared_text_bytes: usize,
}

impl Default for RecordLimits {
    fn default() -> Self {
        Self {
            record_bytes: 1 << 20,
            columns: 1_000,
            workbook_bytes: 200_000_000,
            unpacked_bytes: 4 << 30,
            shared_text_bytes: 256 << 20,
        }
    }
}

/// Recognises and opens files of records.
pub trait RecordFormats: Send + Sync + fmt::Debug {
    /// Recognises a format from the first bytes (64 KiB are enough), so that an unusable upload is
    /// refused before the rest of it arrives. Columns and sample are as far as they can be seen: of a
    /// workbook, or of a first record that goes on after these bytes, only
    /// [`inspect`](Self::inspect) shows them.
    ///
    /// # Errors
    /// [`FileError::Malformed`] with the reason why the content is of no known format.
    fn detect(&self, first_bytes: &[u8], hint: &FileHint<'_>) -> Result<DetectedFormat, FileError>;

    /// Recognises a format from a whole stored file. Blocking.
    ///
    /// # Errors
    /// As [`detect`](Self::detect) and [`open`](Self::open).
    fn inspect(
        &self,
        source: Box<dyn ReadSeek>,
        hint: &FileHint<'_>,
        limits: RecordLimits,
    ) -> Result<DetectedFormat, FileError>;

    /// Opens a stored file; `columns` and `sample` of `format` are not used. Blocking.
    ///
    /// # Errors
    /// [`FileError::Malformed`], [`FileError::TooLarge`], [`FileError::Io`].
    fn open(
        &self,
        source: Box<dyn ReadSeek>,
        format: &DetectedFormat,
        limits: RecordLimits,
    ) -> Result<Box<dyn RecordReader>, FileError>;
}
