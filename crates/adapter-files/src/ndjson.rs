//! Records of one JSON object per line.

use std::io::{BufRead, Read};

use ports::files::{Cells, FileError, FormatFault, Record, RecordLimits, RecordReader, RowFault};
use serde_json::Value;

/// Reads NDJSON from UTF-8 text in memory bounded by one line.
pub(crate) struct NdjsonReader<R> {
    input: R,
    buffer: Vec<u8>,
    text: String,
    record_bytes: usize,
    line: u64,
    number: u64,
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
        }
    }

    /// Reads the next line that is not blank, `false` at the end.
    fn read_line(&mut self) -> Result<bool, FileError> {
        // One line of the largest size, with its CR LF.
        let most = self.record_bytes as u64 + 2;
        loop {
            self.buffer.clear();
            if (&mut self.input)
                .take(most)
                .read_until(b'\n', &mut self.buffer)?
                == 0
            {
                return Ok(false);
            }
            self.line += 1;
            let content = self.buffer.trim_ascii();
            if content.len() > self.record_bytes || self.is_cut(most) {
                let detail = format!("the line is larger than {} bytes", self.record_bytes);
                let code = FormatFault::RecordTooLarge;
                return Err(FileError::malformed_at(self.line, code, detail));
            }
            if !content.is_empty() {
                return Ok(true);
            }
        }
    }

    fn is_cut(&self, most: u64) -> bool {
        self.buffer.len() as u64 == most && !self.buffer.ends_with(b"\n")
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
        let fault = match parse(content) {
            Ok(json) => {
                let cells = Cells::Json(json);
                return Ok(Some(Record {
                    number,
                    line,
                    cells,
                    fault: None,
                }));
            }
            Err(fault) => Some(fault),
        };
        self.text = String::from_utf8_lossy(content).into_owned();
        let cells = Cells::Raw(&self.text);
        Ok(Some(Record {
            number,
            line,
            cells,
            fault,
        }))
    }
}

fn parse(line: &[u8]) -> Result<Value, RowFault> {
    let text = std::str::from_utf8(line).map_err(|_| RowFault::InvalidEncoding)?;
    let json: Value = serde_json::from_str(text).map_err(|_| RowFault::InvalidJson)?;
    if !json.is_object() {
        return Err(RowFault::NotAnObject);
    }
    if text.contains("\\u0000") && has_nul(&json) {
        return Err(RowFault::NulCharacter);
    }
    Ok(json)
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
