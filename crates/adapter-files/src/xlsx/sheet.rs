//! Rows of a sheet.

use std::borrow::Cow;

use ports::files::{FileError, FormatFault, ReadSeek, RecordLimits};
use quick_xml::events::BytesStart;

use super::archive::{Part, damaged};
use super::number;
use super::shared::SharedTexts;
use super::styles::Styles;
use super::workbook;
use super::xml::{Node, Xml, attribute};
use super::xstring;
use crate::table::{Row, Rows};

/// Columns a sheet can have.
const MAX_COLUMNS: usize = 16_384;

/// Reads the rows of a sheet.
pub(crate) struct SheetRows {
    xml: Xml<Part<Box<dyn ReadSeek>>>,
    cells: CellReader,
    record_bytes: usize,
    line: u64,
    name: String,
    /// The first row with content, until it is read.
    first: Option<Row>,
}

struct CellReader {
    shared: SharedTexts,
    styles: Styles,
    from_1904: bool,
}

/// A cell before its value.
#[derive(Default)]
struct Head {
    column: Option<usize>,
    kind: Kind,
    style: usize,
}

/// What the value of a cell is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[default]
    Number,
    /// The index of a shared text.
    Shared,
    Text,
    Boolean,
    /// Such as `#N/A`: a person sees that there is no value.
    Error,
}

impl SheetRows {
    /// Opens a workbook at any position of its source, at the sheet of this name or the first visible
    /// one that has rows.
    pub(crate) fn open(
        source: Box<dyn ReadSeek>,
        sheet: Option<&str>,
        limits: &RecordLimits,
    ) -> Result<Self, FileError> {
        let (mut source, mut workbook) = workbook::open(source, limits)?;
        let candidates = workbook.candidates(sheet)?;
        let mut cells = CellReader {
            shared: std::mem::take(&mut workbook.shared),
            styles: std::mem::take(&mut workbook.styles),
            from_1904: workbook.from_1904,
        };
        let mut used = workbook.used;
        for candidate in candidates {
            let part = Part::open(source, candidate.part, limits.unpacked_bytes, used)?;
            let mut rows = Self {
                xml: Xml::new(part, limits.record_bytes),
                cells,
                record_bytes: limits.record_bytes,
                line: 0,
                name: candidate.name,
                first: None,
            };
            rows.find_first()?;
            if rows.first.is_some() {
                return Ok(rows);
            }
            let part = rows.xml.into_part();
            used = part.used();
            (source, cells) = (part.into_source(), rows.cells);
        }
        Err(workbook.no_rows(sheet))
    }

    /// The name of the sheet that is read.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn find_first(&mut self) -> Result<(), FileError> {
        let mut row = Row::default();
        while self.read(&mut row)? {
            if !row.is_blank() {
                self.first = Some(row);
                break;
            }
            row.clear();
        }
        Ok(())
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
            let head = match self.xml.next(self.line)? {
                Node::Start(start) if start.local_name().as_ref() == b"c" => Head::of(&start),
                Node::End(end) if end.local_name().as_ref() == b"row" => return Ok(()),
                Node::Eof => return Ok(()),
                _ => continue,
            };
            let column = head.column.unwrap_or(next_column);
            if column >= MAX_COLUMNS || column < next_column {
                return Err(damaged(self.line, "a cell is out of place"));
            }
            next_column = column + 1;
            value.clear();
            self.read_value(&mut value)?;
            let text = self.cells.text(&value, &head, self.line)?;
            bytes += text.len();
            if bytes > self.record_bytes {
                return Err(self.too_large());
            }
            if !text.is_empty() {
                while row.len() < column {
                    row.push();
                }
                row.push().push_str(&text);
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
                Node::End(end) => match end.local_name().as_ref() {
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
        if let Some(first) = self.first.take() {
            *row = first;
            return Ok(true);
        }
        if !self.start_row()? {
            return Ok(false);
        }
        row.line = self.line;
        self.read_cells(row)?;
        Ok(true)
    }
}

impl CellReader {
    fn text<'a>(
        &'a self,
        value: &'a str,
        head: &Head,
        line: u64,
    ) -> Result<Cow<'a, str>, FileError> {
        Ok(match head.kind {
            Kind::Error => Cow::Borrowed(""),
            Kind::Text => xstring::decode(value),
            Kind::Shared if value.is_empty() => Cow::Borrowed(value),
            Kind::Shared => {
                let index = value.trim().parse().ok();
                let text = index.and_then(|index| self.shared.get(index));
                let text = text.ok_or_else(|| damaged(line, "a cell refers to a missing text"))?;
                Cow::Borrowed(text)
            }
            Kind::Boolean => Cow::Borrowed(match value.trim() {
                "1" | "true" => "true",
                _ => "false",
            }),
            Kind::Number => number::text(value, self.styles.format(head.style), self.from_1904),
        })
    }
}

impl Head {
    fn of(start: &BytesStart<'_>) -> Self {
        let mut head = Self::default();
        for attribute in start.attributes().with_checks(false).flatten() {
            let value = attribute.value.as_ref();
            match attribute.key.as_ref() {
                b"r" => head.column = column(value),
                b"s" => head.style = digits(value).unwrap_or(0),
                b"t" => {
                    head.kind = match value {
                        b"n" => Kind::Number,
                        b"s" => Kind::Shared,
                        b"b" => Kind::Boolean,
                        b"e" => Kind::Error,
                        _ => Kind::Text,
                    }
                }
                _ => {}
            }
        }
        head
    }
}

fn digits(value: &[u8]) -> Option<usize> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Column (0-based) of a place such as `AB12`.
fn column(place: &[u8]) -> Option<usize> {
    let letters = place.iter().take_while(|byte| byte.is_ascii_alphabetic());
    let letters = letters.take(4);
    let number = letters.fold(0, |number, letter| {
        26 * number + usize::from(letter.to_ascii_uppercase() - b'A') + 1
    });
    number.checked_sub(1)
}
