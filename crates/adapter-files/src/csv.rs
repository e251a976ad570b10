//! Rows of delimited text.

use std::io::BufRead;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use ports::files::{FileError, FormatFault, RecordLimits, RowFault};

use crate::{
    lines::{Lines, line_ends},
    table::{Row, Rows},
};

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
    delimiter: u8,
    first: bool,
    ended: bool,
    /// Of all that was taken.
    lines: Lines,
    /// Whether the last byte taken ended a line.
    at_line_end: bool,
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
            delimiter,
            first: true,
            ended: false,
            lines: Lines::default(),
            at_line_end: false,
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
            let taken = input.get(..read).unwrap_or_default();
            if let Some(last) = taken.last() {
                self.at_line_end = !at_end && matches!(last, b'\n' | b'\r');
                self.ended = at_end;
            }
            if !at_end {
                self.lines.add(taken);
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
        let field = self.open_field(progress);
        // Without the line break that was added at the end.
        let field = field.strip_suffix(b"\n").unwrap_or(field);
        Err(open_quote(self.line_of(field)))
    }

    fn grow(&mut self, progress: Progress) -> Result<(), FileError> {
        if self.text.len() < self.record_bytes {
            self.text
                .resize((2 * self.text.len()).min(self.record_bytes), 0);
            return Ok(());
        }
        let field = self.open_field(progress);
        let line = self.line_of(field);
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

    /// The line where a field starts that ends where the reader stands.
    fn line_of(&self, field: &[u8]) -> u64 {
        (self.lines.ended() + 1).saturating_sub(line_ends(field))
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

    fn fill(&self, progress: Progress, ended_before: u64, row: &mut Row) {
        let bytes = self.text.get(..progress.bytes).unwrap_or_default();
        let ended = self.lines.ended() - u64::from(self.at_line_end);
        let text = std::str::from_utf8(bytes).ok();
        let (mut start, mut inside) = (0, 0);
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
            if ended > ended_before {
                inside += line_ends(bytes.get(start..end).unwrap_or_default());
            }
            start = end;
        }
        row.line = (ended + 1).saturating_sub(inside);
        row.spans_lines = inside > 0;
    }
}

impl<R: BufRead + Send> Rows for CsvRows<R> {
    fn read(&mut self, row: &mut Row) -> Result<bool, FileError> {
        loop {
            let ended_before = self.lines.ended();
            let Some(progress) = self.parse()? else {
                return Ok(false);
            };
            self.fill(progress, ended_before, row);
            if !std::mem::take(&mut self.first) || !is_separator_line(row.cells()) {
                return Ok(true);
            }
            row.clear();
        }
    }

    fn delimiter(&self) -> Option<char> {
        Some(self.delimiter.into())
    }
}

fn is_separator_line(cells: &[String]) -> bool {
    let mut cells = cells.iter();
    cells
        .next()
        .is_some_and(|cell| cell.strip_prefix("sep=").is_some_and(|sep| sep.len() <= 1))
        && cells.all(String::is_empty)
}

fn open_quote(line: u64) -> FileError {
    let detail = "a quote is opened here and never closed";
    FileError::malformed_at(line, FormatFault::OpenQuote, detail)
}
