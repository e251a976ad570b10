//! Records of one JSON object per line.

use std::{borrow::Cow, io::BufRead};

use domain::shared::from_json;
use memchr::memchr2;
use ports::files::{Cells, FileError, FormatFault, Record, RecordLimits, RecordReader, RowFault};
use serde_json::Value;

/// Reads NDJSON from UTF-8 text in memory bounded by one line, which ends with LF, CR LF or CR.
pub(crate) struct NdjsonReader<R> {
    input: R,
    buffer: Vec<u8>,
    text: String,
    record_bytes: usize,
    line: u64,
    number: u64,
    after_cr: bool,
}

impl<R: BufRead + Send> NdjsonReader<R> {
    pub(crate) fn new(input: R, limits: &RecordLimits) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            text: String::new(),
            record_bytes: limits.record_bytes,
            line: 0,
            number: 0,
            after_cr: false,
        }
    }

    /// Reads the next line that is not blank, `false` at the end.
    fn read_line(&mut self) -> Result<bool, FileError> {
        while self.take_line()? {
            if !is_blank(&self.buffer) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a line without its end, `false` at the end of the file.
    fn take_line(&mut self) -> Result<bool, FileError> {
        self.buffer.clear();
        let mut begun = false;
        loop {
            let input = self.input.fill_buf()?;
            let Some(first) = input.first() else {
                return Ok(begun);
            };
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                self.input.consume(1);
                continue;
            }
            if !std::mem::replace(&mut begun, true) {
                self.line += 1;
            }
            let end = memchr2(b'\n', b'\r', input);
            let piece = input.get(..end.unwrap_or(input.len())).unwrap_or_default();
            if self.buffer.len() + piece.len() > self.record_bytes {
                let detail = format!("the line is larger than {} bytes", self.record_bytes);
                let code = FormatFault::RecordTooLarge;
                return Err(FileError::malformed_at(self.line, code, detail));
            }
            self.buffer.extend_from_slice(piece);
            match end {
                Some(end) => {
                    self.after_cr = input.get(end) == Some(&b'\r');
                    self.input.consume(end + 1);
                    return Ok(true);
                }
                None => {
                    let taken = piece.len();
                    self.input.consume(taken);
                }
            }
        }
    }
}

fn is_blank(line: &[u8]) -> bool {
    match line.trim_ascii_start() {
        [] => true,
        // The other blanks of Unicode; no JSON begins with one.
        rest @ [0x0B | 0x80..=0xFF, ..] => {
            std::str::from_utf8(rest).is_ok_and(|text| text.trim().is_empty())
        }
        _ => false,
    }
}

impl<R: BufRead + Send> RecordReader for NdjsonReader<R> {
    fn headers(&self) -> &[String] {
        &[]
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, FileError> {
        if !self.read_line()? {
            return Ok(None);
        }
        self.number += 1;
        let (number, line) = (self.number, self.line);
        let content = self.buffer.trim_ascii();
        let (cells, fault) = match parse(content) {
            Ok((json, fault)) => (Cells::Json(json), fault),
            Err(fault) => {
                self.text = String::from_utf8_lossy(content).into_owned();
                (Cells::Raw(&self.text), Some(fault))
            }
        };
        Ok(Some(Record {
            number,
            line,
            raw: content,
            columns: &[],
            cells,
            fault,
            suspicious_quote: None,
        }))
    }
}

/// An object, and what is wrong with its text.
fn parse(line: &[u8]) -> Result<(Value, Option<RowFault>), RowFault> {
    let text = String::from_utf8_lossy(line);
    let damaged = matches!(text, Cow::Owned(_)).then_some(RowFault::InvalidEncoding);
    let json = from_json::<Value>(text.as_bytes());
    let json = json.map_err(|_| damaged.unwrap_or(RowFault::InvalidJson))?;
    if !json.is_object() {
        return Err(RowFault::NotAnObject);
    }
    let nul = || text.contains("\\u0000") && has_nul(&json);
    let fault = damaged.or_else(|| nul().then_some(RowFault::NulCharacter));
    Ok((json, fault))
}

/// Depth is bounded by the parser.
fn has_nul(json: &Value) -> bool {
    match json {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}
