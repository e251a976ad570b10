//! Rows of a sheet.

use ports::files::{FileError, FormatFault, ReadSeek, RecordLimits};
use quick_xml::events::BytesStart;

use super::archive::{Part, damaged};
use super::number::{self, Meaning};
use super::shared::SharedTexts;
use super::workbook;
use super::xml::{Node, Xml, attribute};
use crate::table::{Row, Rows};

/// Columns a sheet can have.
const MAX_COLUMNS: usize = 16_384;

/// Reads the rows of the first sheet.
pub(crate) struct SheetRows {
    xml: Xml<Part<Box<dyn ReadSeek>>>,
    cells: CellReader,
    record_bytes: usize,
    line: u64,
}

struct CellReader {
    shared: SharedTexts,
    styles: Vec<Meaning>,
    from_1904: bool,
}

/// What a cell says about its value.
#[derive(Default)]
struct Kind {
    code: String,
    style: usize,
}

impl SheetRows {
    /// Opens a workbook at any position of its source.
    pub(crate) fn open(
        source: Box<dyn ReadSeek>,
        limits: &RecordLimits,
    ) -> Result<Self, FileError> {
        let (source, workbook) = workbook::open(source, limits)?;
        let part = Part::open(source, workbook.sheet, limits.unpacked_bytes, workbook.used)?;
        Ok(Self {
            xml: Xml::new(part, limits.record_bytes),
            cells: CellReader {
                shared: workbook.shared,
                styles: workbook.styles,
                from_1904: workbook.from_1904,
            },
            record_bytes: limits.record_bytes,
            line: 0,
        })
    }

    fn start_row(&mut self) -> Result<bool, FileError> {
        loop {
            match self.xml.next(self.line)? {
                Node::Start(start) if start.local_name().as_ref() == b"row" => {
                    let given = attribute(&start, b"r").and_then(|number| number.parse().ok());
                    self.line = given.unwrap_or(self.line + 1);
                    return Ok(true);
                }
                Node::Eof => return Ok(false),
                _ => {}
            }
        }
    }

    fn read_cells(&mut self, row: &mut Row) -> Result<(), FileError> {
        let (mut bytes, mut next_column) = (0, 0);
        let mut value = String::new();
        loop {
            let (column, kind) = match self.xml.next(self.line)? {
                Node::Start(start) if start.local_name().as_ref() == b"c" => cell(&start),
                Node::End(name) if name == b"row" => return Ok(()),
                Node::Eof => return Ok(()),
                _ => continue,
            };
            let column = column.unwrap_or(next_column);
            if column >= MAX_COLUMNS || column < next_column {
                return Err(damaged(self.line, "a cell is out of place"));
            }
            next_column = column + 1;
            value.clear();
            self.read_value(&mut value)?;
            let text = self
                .cells
                .text(std::mem::take(&mut value), &kind, self.line)?;
            bytes += text.len();
            if bytes > self.record_bytes {
                return Err(self.too_large());
            }
            if !text.is_empty() {
                while row.len() < column {
                    row.push();
                }
                *row.push() = text;
            }
        }
    }

    /// Gathers the text of `<v>` or of the `<t>` of an inline text until the cell ends.
    fn read_value(&mut self, value: &mut String) -> Result<(), FileError> {
        let (mut in_value, mut in_pronunciation) = (false, false);
        loop {
            match self.xml.next(self.line)? {
                Node::Start(start) => match start.local_name().as_ref() {
                    b"v" | b"t" => in_value = true,
                    b"rPh" => in_pronunciation = true,
                    _ => {}
                },
                Node::End(name) => match name.as_slice() {
                    b"v" | b"t" => in_value = false,
                    b"rPh" => in_pronunciation = false,
                    b"c" => return Ok(()),
                    _ => {}
                },
                Node::Text(text) if in_value && !in_pronunciation => value.push_str(&text),
                Node::Text(_) | Node::Other => {}
                Node::Eof => return Ok(()),
            }
            if value.len() > self.record_bytes {
                return Err(self.too_large());
            }
        }
    }

    fn too_large(&self) -> FileError {
        let detail = format!("the row is larger than {} bytes", self.record_bytes);
        FileError::malformed_at(self.line, FormatFault::RecordTooLarge, detail)
    }
}

impl Rows for SheetRows {
    fn read(&mut self, row: &mut Row) -> Result<bool, FileError> {
        if !self.start_row()? {
            return Ok(false);
        }
        row.line = self.line;
        self.read_cells(row)?;
        Ok(true)
    }
}

impl CellReader {
    fn text(&self, value: String, kind: &Kind, line: u64) -> Result<String, FileError> {
        match kind.code.as_str() {
            "s" if value.is_empty() => Ok(value),
            "s" => {
                let index = value.trim().parse().ok();
                let text = index.and_then(|index| self.shared.get(index));
                let text = text.ok_or_else(|| damaged(line, "a cell refers to a missing text"))?;
                Ok(text.to_owned())
            }
            "b" => Ok(if value.trim() == "1" { "true" } else { "false" }.to_owned()),
            "" | "n" => {
                let meaning = self
                    .styles
                    .get(kind.style)
                    .copied()
                    .unwrap_or(Meaning::Number);
                Ok(number::text(&value, meaning, self.from_1904))
            }
            _ => Ok(value),
        }
    }
}

/// Column (0-based) and kind of a cell.
fn cell(start: &BytesStart<'_>) -> (Option<usize>, Kind) {
    let style = attribute(start, b"s")
        .and_then(|style| style.parse().ok())
        .unwrap_or(0);
    let code = attribute(start, b"t").unwrap_or_default();
    (
        attribute(start, b"r").and_then(|place| column(&place)),
        Kind { code, style },
    )
}

/// Column (0-based) of a place such as `AB12`.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    let number = letters.fold(0, |number, letter| {
        26 * number + usize::from(letter.to_ascii_uppercase() - b'A') + 1
    });
    number.checked_sub(1)
}
