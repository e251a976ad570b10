//! Recognising a format from its first bytes.

use std::io::Read;

use domain::{contact::FieldTarget, shared::from_json};
use ports::files::{
    DetectedFormat, Encoding, FileError, FileFormat, FileHint, FormatFault, Header, RecordLimits,
};

use crate::csv::CsvRows;
use crate::table::{Row, Rows, is_shortened};
use crate::transcode::utf8_reader;

const DELIMITERS: [u8; 4] = *b",;\t|";
/// Rows that are compared to tell the delimiter.
const COMPARED_ROWS: usize = 100;
const LINE_ENDS: [char; 2] = ['\n', '\r'];

/// How the content of other formats starts, with what to call them.
const BINARY_STARTS: [(&[u8], &str); 9] = [
    (b"\x89PNG", "a PNG image"),
    (b"\xFF\xD8\xFF", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\x1F\x8B", "a gzip archive"),
    (b"7z\xBC\xAF", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"SQLite format 3", "a database"),
];

/// Everything but columns and sample.
pub(super) fn sniff(bytes: &[u8], hint: &FileHint<'_>) -> Result<DetectedFormat, FileError> {
    if bytes.trim_ascii().is_empty() {
        return Err(refused(FormatFault::EmptyFile, "the file has no content"));
    }
    refuse_binary(bytes)?;
    let mut detected = DetectedFormat {
        format: FileFormat::Xlsx,
        delimiter: None,
        encoding: Encoding::Utf8,
        header: Header::Present(true),
        columns: Vec::new(),
        sample: Vec::new(),
        sheet: None,
    };
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok(detected);
    }
    if claims(hint, &["xlsx"], &["spreadsheetml"]) {
        return Err(refused(
            FormatFault::NotXlsx,
            "the content is not an XLSX workbook",
        ));
    }
    detected.encoding = hint.encoding.unwrap_or_else(|| encoding(bytes));
    let text = decode(bytes, detected.encoding);
    if text.contains('\0') {
        return Err(refused(
            FormatFault::BinaryContent,
            "the content is not text",
        ));
    }
    refuse_markup(&text)?;
    detected.format = text_format(&text, hint)?;
    if detected.format == FileFormat::Csv {
        let delimiter = hint
            .delimiter
            .unwrap_or_else(|| delimiter(&text, hint.header));
        detected.delimiter = Some(check_delimiter(delimiter)?);
    }
    Ok(detected)
}

pub(super) fn check_delimiter(delimiter: u8) -> Result<u8, FileError> {
    let usable = delimiter.is_ascii() && !matches!(delimiter, b'"' | b'\r' | b'\n' | 0);
    let detail = "the delimiter is a single ASCII character, no quote and no line break";
    usable
        .then_some(delimiter)
        .ok_or_else(|| refused(FormatFault::InvalidDelimiter, detail))
}

/// The beginning of a file up to its last line break, or all of it when there is none.
pub(super) fn whole_lines(bytes: &[u8], encoding: Encoding) -> &[u8] {
    if matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
        return bytes;
    }
    let end = bytes
        .iter()
        .rposition(|byte| matches!(byte, b'\n' | b'\r'))
        .map(|index| index + 1);
    end.and_then(|end| bytes.get(..end)).unwrap_or(bytes)
}

fn refused(code: FormatFault, detail: impl Into<String>) -> FileError {
    FileError::malformed(code, detail)
}

fn refuse_binary(bytes: &[u8]) -> Result<(), FileError> {
    if bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        let detail = "old or password-protected Excel workbook: save it as XLSX without password";
        return Err(refused(FormatFault::LegacyExcel, detail));
    }
    match BINARY_STARTS
        .iter()
        .find(|(start, _)| bytes.starts_with(start))
    {
        Some((_, name)) => Err(refused(
            FormatFault::BinaryContent,
            format!("the content is {name}"),
        )),
        None => Ok(()),
    }
}

fn refuse_markup(text: &str) -> Result<(), FileError> {
    let start: String = text
        .trim_start()
        .chars()
        .take(16)
        .collect::<String>()
        .to_lowercase();
    let markup = [
        "<!doctype",
        "<html",
        "<?xml",
        "<table",
        "<meta",
        "<head",
        "<body",
    ];
    if markup.iter().any(|tag| start.starts_with(tag)) {
        return Err(refused(
            FormatFault::MarkupContent,
            "the content is HTML or XML",
        ));
    }
    Ok(())
}

fn claims(hint: &FileHint<'_>, extensions: &[&str], types: &[&str]) -> bool {
    let extension = hint
        .file_name
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, end)| end);
    extension.is_some_and(|end| {
        extensions
            .iter()
            .any(|known| end.eq_ignore_ascii_case(known))
    }) || hint
        .content_type
        .is_some_and(|given| types.iter().any(|known| given.contains(known)))
}

fn text_format(text: &str, hint: &FileHint<'_>) -> Result<FileFormat, FileError> {
    let start = text.trim_start();
    let json_claimed = claims(hint, &["json", "ndjson", "jsonl"], &["json"]);
    let array = start.strip_prefix('[').map(str::trim_start);
    if array.is_some_and(|rest| json_claimed || rest.starts_with(['{', '[', ']'])) {
        let detail = "the content is a JSON array: write one object per line instead";
        return Err(refused(FormatFault::NotNdjson, detail));
    }
    if !start.starts_with('{') && !json_claimed {
        return Ok(FileFormat::Csv);
    }
    if claims(hint, &["csv", "tsv", "txt"], &["csv"]) {
        return Ok(FileFormat::Csv);
    }
    let mut lines = start
        .split(LINE_ENDS)
        .filter(|line| !line.trim().is_empty());
    let is_object = |line: &str| {
        from_json::<serde_json::Value>(line.as_bytes()).is_ok_and(|json| json.is_object())
    };
    let one_long_line = start.starts_with('{') && !start.contains(LINE_ENDS);
    if one_long_line || lines.any(is_object) {
        return Ok(FileFormat::Ndjson);
    }
    let detail = "each line of NDJSON is one whole JSON object";
    Err(refused(FormatFault::NotNdjson, detail))
}

fn encoding(bytes: &[u8]) -> Encoding {
    match bytes {
        [0xFF, 0xFE, ..] => Encoding::Utf16Le,
        [0xFE, 0xFF, ..] => Encoding::Utf16Be,
        _ => {
            let mut scan = EncodingScan::default();
            scan.add(bytes);
            scan.encoding()
        }
    }
}

fn decode(bytes: &[u8], encoding: Encoding) -> String {
    let mut text = Vec::new();
    // A reader of memory does not fail.
    let _ = utf8_reader(std::io::Cursor::new(bytes.to_vec()), encoding).read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Tells UTF-8, where some records may be damaged, from Windows-1252.
#[derive(Default)]
pub(super) struct EncodingScan {
    valid: u64,
    invalid: u64,
    /// Start of a character whose end is in the next piece.
    rest: Vec<u8>,
    started: bool,
    /// Whether there is a byte order mark, which decides.
    marked: bool,
}

impl EncodingScan {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if !std::mem::replace(&mut self.started, true) {
            self.marked = bytes.starts_with(b"\xEF\xBB\xBF");
        }
        let joined;
        let mut bytes = bytes;
        if !self.rest.is_empty() {
            self.rest.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.rest);
            bytes = &joined;
        }
        loop {
            let error = match std::str::from_utf8(bytes) {
                Ok(text) => {
                    self.valid += u64::from(!text.is_ascii());
                    return;
                }
                Err(error) => error,
            };
            let (text, rest) = bytes.split_at(error.valid_up_to());
            self.valid += u64::from(!text.is_ascii());
            let Some(length) = error.error_len() else {
                self.rest = rest.to_vec();
                return;
            };
            self.invalid += 1;
            bytes = rest.get(length..).unwrap_or_default();
        }
    }

    /// Text with more valid than invalid stretches outside ASCII is UTF-8: Windows-1252 text is
    /// hardly ever valid UTF-8 by chance.
    pub(super) fn encoding(&self) -> Encoding {
        if !self.marked && self.invalid > 0 && self.invalid >= self.valid {
            Encoding::Windows1252
        } else {
            Encoding::Utf8
        }
    }
}

/// The delimiter under which the header names a document; then the one that gives most rows as many
/// columns as the header, then the most columns.
fn delimiter(text: &str, header: Option<Header>) -> u8 {
    if let Some(given) = text
        .strip_prefix("sep=")
        .and_then(|rest| rest.bytes().next())
    {
        return given;
    }
    if has_decimal_commas(text) {
        return b';';
    }
    let best = DELIMITERS
        .iter()
        .rev()
        .max_by_key(|delimiter| score(text, **delimiter, header));
    best.copied().unwrap_or(b',')
}

/// Whether commas are in numbers such as `1,23457E+10` alone, which spreadsheets write where commas are
/// decimal: then there is one column. Under a header without comma any fraction is such a number; elsewhere
/// one at least has to be shortened, since `12,34` is two columns as well.
fn has_decimal_commas(text: &str) -> bool {
    let mut lines = text
        .split(LINE_ENDS)
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(COMPARED_ROWS)
        .peekable();
    let named = lines.peek().is_some_and(|header| !header.contains(','));
    let (mut any, mut shortened) = (false, false);
    for line in lines.filter(|line| line.contains(',')) {
        let Some(exponent) = fraction(line) else {
            return false;
        };
        (any, shortened) = (true, shortened || exponent);
    }
    shortened || any && named
}

/// Whether a number with a decimal comma is shortened to an exponent; `None` for anything else.
fn fraction(line: &str) -> Option<bool> {
    if is_shortened(line) {
        return Some(true);
    }
    let (whole, decimals) = line.split_once(',')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(decimals)).then_some(false)
}

fn score(text: &str, delimiter: u8, header: Option<Header>) -> (bool, usize, usize) {
    let text = whole_lines(text.as_bytes(), Encoding::Utf8);
    let mut rows = CsvRows::new(text, delimiter, &RecordLimits::default());
    let mut row = Row::default();
    let first_line = match header {
        Some(Header::Row(number)) => number.get(),
        _ => 0,
    };
    let (mut columns, mut alike, mut all, mut named) = (0, 0, 0, false);
    let mut begun = false;
    // An error is the cut at the end of the text.
    while all < COMPARED_ROWS && rows.read(&mut row).unwrap_or(false) {
        let is_header = !begun && row.line >= first_line && !row.is_blank();
        if is_header {
            begun = true;
            named = row.cells().iter().any(|cell| is_document(cell));
        }
        if is_header || all == 0 {
            (columns, alike, all) = (row.len(), 0, 0);
        }
        alike += usize::from(row.len() == columns);
        all += 1;
        row.clear();
    }
    if columns < 2 {
        (false, 0, 0)
    } else {
        (named, 1_000 * alike / all, columns)
    }
}

fn is_document(header: &str) -> bool {
    FieldTarget::known(header) == Some(FieldTarget::Document)
}
