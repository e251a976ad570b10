//! What CSV and XLSX share: a header, numbered records, one cell per column.

use std::collections::HashSet;

use domain::contact::{Document, DocumentError, FieldTarget};
use ports::files::{
    Cells, FileError, FormatFault, Header, Record, RecordLimits, RecordReader, RowFault,
    strip_formula_guard,
};

use crate::lines::suspicious_quote;

/// Cells with more room than this give it back before they are reused.
const KEPT_CELL_BYTES: usize = 4 << 10;

/// A buffer of one row.
#[derive(Default)]
pub(crate) struct Row {
    cells: Vec<String>,
    used: usize,
    /// 1-based line or sheet row where the row starts.
    pub(crate) line: u64,
    pub(crate) fault: Option<RowFault>,
    /// Whether a cell has more than one line.
    pub(crate) spans_lines: bool,
}

impl Row {
    pub(crate) fn clear(&mut self) {
        self.used = 0;
        self.fault = None;
        self.spans_lines = false;
    }

    /// Appends an empty cell.
    pub(crate) fn push(&mut self) -> &mut String {
        let index = self.used;
        if index == self.cells.len() {
            self.cells.push(String::new());
        }
        self.used += 1;
        #[expect(
            clippy::indexing_slicing,
            reason = "the cell was pushed if it was missing"
        )]
        let cell = &mut self.cells[index];
        cell.clear();
        if cell.capacity() > KEPT_CELL_BYTES {
            *cell = String::new();
        }
        cell
    }

    pub(crate) fn len(&self) -> usize {
        self.used
    }

    pub(crate) fn cells(&self) -> &[String] {
        self.cells.get(..self.used).unwrap_or_default()
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.cells().iter().all(|cell| is_blank(cell))
    }

    /// Drops blank cells at the end, down to `least` cells.
    fn trim_end(&mut self, least: usize) {
        while self.used > least && self.cells().last().is_some_and(|cell| is_blank(cell)) {
            self.used -= 1;
        }
    }

    fn fill_up(&mut self, columns: usize) {
        while self.used < columns {
            self.push();
        }
    }

    fn clean(&mut self) {
        for cell in self.cells.iter_mut().take(self.used) {
            if strip_formula_guard(cell).len() < cell.len() {
                cell.remove(0);
            }
            if cell.contains('\0') {
                self.fault.get_or_insert(RowFault::NulCharacter);
            }
        }
    }
}

/// A source of rows.
pub(crate) trait Rows: Send {
    /// Reads the next row, `false` at the end. Blank rows may be given, with no or empty cells.
    fn read(&mut self, row: &mut Row) -> Result<bool, FileError>;

    /// What separates the cells, where they are text.
    fn delimiter(&self) -> Option<char> {
        None
    }
}

/// Names of columns, unique and not empty.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    taken: HashSet<String>,
}

impl Columns {
    /// Adds a column; one without a name is called by its place.
    fn add(&mut self, name: &str) {
        let name = match name.trim() {
            "" => format!("column_{}", self.names.len() + 1),
            name => name.to_owned(),
        };
        let free = std::iter::once(name.clone())
            .chain((2_usize..).map(|count| format!("{name}_{count}")))
            .find(|name| !self.taken.contains(name))
            .unwrap_or_default();
        self.taken.insert(free.clone());
        self.names.push(free);
    }
}

/// Gives rows their column names and numbers.
pub(crate) struct TableReader<R> {
    rows: R,
    row: Row,
    columns: Columns,
    most_columns: usize,
    /// Delimiters in the header, or in the first row where there is none.
    delimiters: usize,
    header: Header,
    number: u64,
    /// The row that was read to count the columns is itself the first record.
    pending: bool,
}

impl<R: Rows> TableReader<R> {
    /// Reads the header; whether there is one is guessed when `header` does not say it.
    pub(crate) fn open(
        mut rows: R,
        header: Option<Header>,
        limits: &RecordLimits,
    ) -> Result<Self, FileError> {
        let mut row = Row::default();
        first_row(&mut rows, &mut row, header)?;
        let delimiters = row.len().saturating_sub(1);
        row.trim_end(1);
        if row.len() > limits.columns {
            let detail = format!("more than {} columns", limits.columns);
            let code = FormatFault::TooManyColumns;
            return Err(FileError::malformed_at(row.line, code, detail));
        }
        let header = header.unwrap_or_else(|| Header::Present(is_header(row.cells())));
        let pending = header == Header::Present(false);
        let mut columns = Columns::default();
        for cell in row.cells() {
            columns.add(if pending { "" } else { cell });
        }
        Ok(Self {
            rows,
            row,
            columns,
            most_columns: limits.columns,
            delimiters,
            header,
            number: 0,
            pending,
        })
    }

    pub(crate) fn header(&self) -> Header {
        self.header
    }

    /// The line of a quote in this row that seems to have swallowed others.
    fn suspicious_quote(&self) -> Option<u64> {
        let delimiter = self.rows.delimiter().filter(|_| self.row.spans_lines)?;
        let row = &self.row;
        suspicious_quote(row.cells(), row.line, self.delimiters, delimiter)
    }

    /// As many cells as columns. Text right of them makes a column.
    fn fit(&mut self) {
        self.row.trim_end(self.columns.names.len());
        if self.row.len() > self.most_columns {
            self.row.fault.get_or_insert(RowFault::TooManyColumns);
        }
        while self.columns.names.len() < self.row.len().min(self.most_columns) {
            self.columns.add("");
        }
        self.row.fill_up(self.columns.names.len());
    }
}

impl<R: Rows> RecordReader for TableReader<R> {
    fn headers(&self) -> &[String] {
        &self.columns.names
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, FileError> {
        let mut found = std::mem::take(&mut self.pending);
        while !found {
            if !read_clean(&mut self.rows, &mut self.row)? {
                return Ok(None);
            }
            found = !self.row.is_blank();
        }
        let suspicious_quote = self.suspicious_quote();
        self.fit();
        self.number += 1;
        Ok(Some(Record {
            number: self.number,
            line: self.row.line,
            fault: self.row.fault,
            suspicious_quote,
            raw: &[],
            columns: &self.columns.names,
            cells: Cells::Fields(self.row.cells()),
        }))
    }
}

/// Reads the row of the column names: the one that is asked for, or the first that is not blank.
fn first_row(rows: &mut impl Rows, row: &mut Row, header: Option<Header>) -> Result<(), FileError> {
    let Some(Header::Row(number)) = header else {
        while read_clean(rows, row)? {
            if !row.is_blank() {
                return Ok(());
            }
        }
        let detail = "the file has no content";
        return Err(FileError::malformed(FormatFault::EmptyFile, detail));
    };
    let number = number.get();
    let detail = loop {
        if !read_clean(rows, row)? {
            break format!("the file ends before row {number}");
        }
        if row.line == number && !row.is_blank() {
            return Ok(());
        }
        if row.line >= number {
            break format!("row {number} is blank, or inside a quoted cell");
        }
    };
    Err(FileError::malformed(FormatFault::NoSuchHeader, detail))
}

fn read_clean(rows: &mut impl Rows, row: &mut Row) -> Result<bool, FileError> {
    row.clear();
    let found = rows.read(row)?;
    row.clean();
    Ok(found)
}

fn is_blank(cell: &str) -> bool {
    cell.trim().is_empty()
}

/// Whether the first row names the columns: it calls one of them the document or two of them
/// something known, or nothing in it is the data of somebody.
pub(crate) fn is_header(cells: &[String]) -> bool {
    let known: Vec<FieldTarget> = cells
        .iter()
        .filter_map(|cell| FieldTarget::known(cell))
        .collect();
    known.len() > 1
        || known.contains(&FieldTarget::Document)
        || !cells.iter().any(|cell| is_data(cell))
}

/// Whether a cell of the first row is the data of somebody: an e-mail address, a phone number or a
/// document, which no column is called.
fn is_data(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let email = cell.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !cell.contains(char::is_whitespace)
    });
    let number = digits >= 10 && !cell.contains(char::is_alphabetic) && !is_date(cell);
    email || number || is_shortened(cell)
}

/// Whether a cell is a long number that a spreadsheet shortened, such as `1,23457E+10`.
pub(crate) fn is_shortened(cell: &str) -> bool {
    matches!(Document::parse(cell), Err(DocumentError::Shortened))
}

/// Whether a cell begins with a date: columns of counts by day are called so.
fn is_date(cell: &str) -> bool {
    let date = cell.split_whitespace().next().unwrap_or_default();
    ['/', '-', '.'].into_iter().any(|separator| {
        let parts: Vec<&str> = date.split(separator).collect();
        let digits = parts
            .iter()
            .all(|part| part.bytes().all(|b| b.is_ascii_digit()));
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        digits && matches!(lengths.as_slice(), [1..=2, 1..=2, 4] | [4, 1..=2, 1..=2])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names_are_unique_and_not_empty() {
        let mut columns = Columns::default();
        for name in ["a", "", " b ", "a", "a_2", "a", "column_2", ""] {
            columns.add(name);
        }
        assert_eq!(
            columns.names,
            [
                "a",
                "column_2",
                "b",
                "a_2",
                "a_2_2",
                "a_3",
                "column_2_2",
                "column_8"
            ]
        );
    }

    #[test]
    fn names_of_columns_are_told_from_data() {
        let header = |row: &str| {
            let cells: Vec<String> = row.split(';').map(str::to_owned).collect();
            is_header(&cells)
        };
        for row in [
            "cpf;nome;01/01/2024 00:00",
            "codigo;01/01/2024 00:00;2024-01-31 12:30:00",
            "nome;telefone;5511999990000",
            "CPF/CNPJ;x@y.example",
            "a;b",
        ] {
            assert!(header(row), "{row}");
        }
        for row in [
            "11144477735;Ana;01/01/2024 00:00",
            "11144477735;Cliente;10",
            "x@y.example;b",
        ] {
            assert!(!header(row), "{row}");
        }
    }

    #[test]
    fn data_is_told_from_a_header() {
        for data in [
            "x@y.example",
            "123.456.789-09",
            "+55 (11) 99999-0000",
            "11999990000",
            "55/11/99999.0000",
            "1,23457E+10",
        ] {
            assert!(is_data(data), "{data}");
        }
        for header in [
            "",
            "e-mail",
            "nome",
            "2024",
            "phone 1",
            "@",
            "CPF/CNPJ",
            "2024-01-01",
            "01/01/2024 00:00",
            "2024-01-01 00:00:00",
        ] {
            assert!(!is_data(header), "{header}");
        }
    }
}
