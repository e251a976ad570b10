//! What every fuzz target of a file reader checks.

use std::io::Cursor;

use adapter_files::TabularFormats;
use ports::files::{
    Cells, DetectedFormat, FileError, FileHint, RecordFormats, RecordLimits, RowFault,
};
use serde_json::{Value, json};

/// Small, so that inputs of a fuzzer reach them.
pub const LIMITS: RecordLimits = RecordLimits {
    record_bytes: 2_000,
    columns: 100,
    workbook_bytes: 1 << 20,
    unpacked_bytes: 4 << 20,
    shared_text_bytes: 20_000,
};

/// The content of a record, owned.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Fields(Vec<String>),
    Json(Value),
    Raw(String),
}

/// A record, owned.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub line: u64,
    pub content: Content,
    pub fault: Option<RowFault>,
}

/// What a reader gave until the end or an error.
pub struct Table {
    pub headers: Vec<String>,
    pub rows: Vec<Row>,
    pub whole: bool,
}

/// A format whose first row is a header, in its stored form.
pub fn format(format: &str, delimiter: Option<u8>, sheet: Option<&str>) -> DetectedFormat {
    let format = json!({
        "format": format, "delimiter": delimiter, "encoding": "utf-8", "header": true,
        "columns": [], "sample": [], "sheet": sheet,
    });
    serde_json::from_value(format).expect("a format as it is stored")
}

/// Reads a file to its end; `None` where it cannot be opened.
///
/// Checks what holds for every format: records are numbered one by one, no failure is of the
/// operating system, and a record is not larger than the limit allows.
pub fn read(content: &[u8], format: &DetectedFormat, limits: RecordLimits) -> Option<Table> {
    let source = Box::new(Cursor::new(content.to_vec()));
    let mut reader = match TabularFormats.open(source, format, limits) {
        Ok(reader) => reader,
        Err(error) => {
            expected(&error);
            return None;
        }
    };
    let mut rows: Vec<Row> = Vec::new();
    let whole = loop {
        let record = match reader.next() {
            Ok(Some(record)) => record,
            Ok(None) => break true,
            Err(error) => {
                expected(&error);
                break false;
            }
        };
        assert_eq!(record.number, rows.len() as u64 + 1, "numbers have no gap");
        let content = match record.cells {
            Cells::Fields(fields) => Content::Fields(fields.to_vec()),
            Cells::Json(json) => Content::Json(json),
            Cells::Raw(text) => Content::Raw(text.to_owned()),
        };
        let (line, fault) = (record.line, record.fault);
        rows.push(Row {
            line,
            content,
            fault,
        });
    };
    let headers = reader.headers().to_vec();
    for row in &rows {
        if let Content::Fields(fields) = &row.content {
            assert!(fields.iter().any(|field| !field.is_empty()), "a blank row");
            let bytes: usize = fields.iter().map(String::len).sum();
            // A byte that is no UTF-8 is shown as a character of three.
            assert!(bytes <= 3 * limits.record_bytes, "a row beyond the limit");
            if row.fault.is_none() {
                assert!(fields.len() <= headers.len(), "a cell without a column");
                assert!(!fields.iter().any(|field| field.contains('\0')));
            }
        }
    }
    Some(Table {
        headers,
        rows,
        whole,
    })
}

/// What is found in a file without any hint, where something is.
pub fn inspect(content: &[u8], limits: RecordLimits) -> Option<DetectedFormat> {
    let first = content.get(..content.len().min(64 << 10))?;
    if let Err(error) = TabularFormats.detect(first, &FileHint::default()) {
        expected(&error);
    }
    let source = Box::new(Cursor::new(content.to_vec()));
    match TabularFormats.inspect(source, &FileHint::default(), limits) {
        Ok(found) => Some(found),
        Err(error) => {
            expected(&error);
            None
        }
    }
}

/// Lines and rows come in order, and none is beyond the end.
pub fn check_lines(content: &[u8], rows: &[Row]) {
    let breaks = content.iter().filter(|byte| matches!(byte, b'\n' | b'\r'));
    let lines = breaks.count() as u64 + 1;
    let mut last = 0;
    for row in rows {
        assert!(row.line > last && row.line <= lines, "line {}", row.line);
        last = row.line;
    }
}

fn expected(error: &FileError) {
    let expected = matches!(
        error,
        FileError::Malformed { .. } | FileError::TooLarge { .. }
    );
    assert!(expected, "{error:?}");
}
