//! Rows of delimited text.

use std::io::BufRead;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use ports::files::{FileError, FormatFault, RecordLimits, RowFault};

use crate::table::{Row, Rows};

const FIRST_BYTES: usize = 4 << 10;
const FIRST_FIELDS: usize = 64;

/// Reads CSV from UTF-8 text in constant memory.
///
/// Quotes are `"`, doubled inside a quoted cell; lines end with LF, CR LF or CR. A line `sep=;` at
/// the very beginning, which spreadsheets write for themselves, is skipped.
pub(crate) struct CsvRows<R> {
    input: R,
    parser: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    record_bytes: usize,
    first: bool,
    ended: bool,
    /// Whether the last byte taken was a line feed.
    after_line_feed: bool,
}

/// How much of a record has been parsed.
#[derive(Default, Clone, Copy)]
struct Progress {
    bytes: usize,
    fields: usize,
}

impl<R: BufRead> CsvRows<R> {
    pub(crate) fn new(input: R, delimiter: u8, limits: &RecordLimits) -> Self {
        Self {
            input,
            parser: ReaderBuilder::new().delimiter(delimiter).build(),
            text: vec![0; FIRST_BYTES.min(limits.record_bytes)],
            ends: vec![0; FIRST_FIELDS],
            record_bytes: limits.record_bytes,
            first: true,
            ended: false,
            after_line_feed: false,
        }
    }

    /// Parses one record into `text` and `ends`.
    fn parse(&mut self) -> Result<Option<Progress>, FileError> {
        let mut progress = Progress::default();
        loop {
            let input = self.input.fill_buf()?;
            // A line break after the last byte ends every record, except one whose quote is open.
            let at_end = input.is_empty();
            if at_end && self.ended {
                return self.finish(progress);
            }
            let input = if at_end { b"\n" } else { input };
            let text = self.text.get_mut(progress.bytes..).unwrap_or_default();
            let ends = self.ends.get_mut(progress.fields..).unwrap_or_default();
            let (result, read, written, ended) = self.parser.read_record(input, text, ends);
            if let Some(last) = read.checked_sub(1).and_then(|index| input.get(index)) {
                self.after_line_feed = *last == b'\n';
                self.ended = at_end;
            }
            if !at_end {
                self.input.consume(read);
            }
            progress.bytes += written;
            progress.fields += ended;
            match result {
                ReadRecordResult::Record => return Ok(Some(progress)),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.grow(progress)?,
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
            }
        }
    }

    fn finish(&self, progress: Progress) -> Result<Option<Progress>, FileError> {
        if progress.bytes == 0 && progress.fields == 0 {
            return Ok(None);
        }
        let line = self.parser.line() - line_feeds(self.open_field(progress));
        Err(open_quote(line))
    }

    fn grow(&mut self, progress: Progress) -> Result<(), FileError> {
        if self.text.len() < self.record_bytes {
            self.text
                .resize((2 * self.text.len()).min(self.record_bytes), 0);
            return Ok(());
        }
        let field = self.open_field(progress);
        let line = self.parser.line() - line_feeds(field);
        // Only a quoted field has line breaks.
        if field.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            return Err(open_quote(line));
        }
        let detail = format!("the record is larger than {} bytes", self.record_bytes);
        Err(FileError::malformed_at(
            line,
            FormatFault::RecordTooLarge,
            detail,
        ))
    }

    /// The field that is being parsed.
    fn open_field(&self, progress: Progress) -> &[u8] {
        let start = progress
            .fields
            .checked_sub(1)
            .and_then(|last| self.ends.get(last));
        self.text
            .get(start.copied().unwrap_or(0)..progress.bytes)
            .unwrap_or_default()
    }

    fn fill(&self, progress: Progress, line_before: u64, row: &mut Row) {
        let bytes = self.text.get(..progress.bytes).unwrap_or_default();
        let line = self.parser.line() - u64::from(self.after_line_feed);
        let inside = if line > line_before {
            line_feeds(bytes)
        } else {
            0
        };
        row.line = line - inside;
        let text = std::str::from_utf8(bytes).ok();
        let mut start = 0;
        for &end in self.ends.get(..progress.fields).unwrap_or_default() {
            let cell = row.push();
            match text.and_then(|text| text.get(start..end)) {
                Some(text) => cell.push_str(text),
                None => {
                    let lossy = String::from_utf8_lossy(bytes.get(start..end).unwrap_or_default());
                    cell.push_str(&lossy);
                    if lossy.contains(char::REPLACEMENT_CHARACTER) {
                        row.fault = Some(RowFault::InvalidEncoding);
                    }
                }
            }
            start = end;
        }
    }
}

impl<R: BufRead + Send> Rows for CsvRows<R> {
    fn read(&mut self, row: &mut Row) -> Result<bool, FileError> {
        loop {
            let line_before = self.parser.line();
            let Some(progress) = self.parse()? else {
                return Ok(false);
            };
            self.fill(progress, line_before, row);
            if !std::mem::take(&mut self.first) || !is_separator_line(row.cells()) {
                return Ok(true);
            }
            row.clear();
        }
    }
}

fn is_separator_line(cells: &[String]) -> bool {
    let mut cells = cells.iter();
    cells
        .next()
        .is_some_and(|cell| cell.strip_prefix("sep=").is_some_and(|sep| sep.len() <= 1))
        && cells.all(String::is_empty)
}

fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn open_quote(line: u64) -> FileError {
    let detail = "a quote is opened here and never closed";
    FileError::malformed_at(line, FormatFault::OpenQuote, detail)
}
