//! What CSV and XLSX share: a header, numbered records, one cell per column.

use std::collections::HashSet;

use ports::files::{
    Cells, FileError, FormatFault, Record, RecordLimits, RecordReader, RowFault,
    strip_formula_guard,
};

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
}

impl Row {
    pub(crate) fn clear(&mut self) {
        self.used = 0;
        self.fault = None;
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
        self.cells().iter().all(String::is_empty)
    }

    /// Drops empty cells at the end, down to `least` cells.
    fn trim_end(&mut self, least: usize) {
        while self.used > least && self.cells().last().is_some_and(String::is_empty) {
            self.used -= 1;
        }
    }

    fn resize(&mut self, columns: usize) {
        self.trim_end(columns);
        if self.used > columns {
            self.fault.get_or_insert(RowFault::TooManyColumns);
        }
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
}

/// Gives rows their column names and numbers.
pub(crate) struct TableReader<R> {
    rows: R,
    row: Row,
    headers: Vec<String>,
    has_header: bool,
    number: u64,
    /// The row that was read to count the columns is itself the first record.
    pending: bool,
}

impl<R: Rows> TableReader<R> {
    /// Reads the header; whether there is one is guessed when `header` does not say it.
    pub(crate) fn open(
        mut rows: R,
        header: Option<bool>,
        limits: &RecordLimits,
    ) -> Result<Self, FileError> {
        let mut row = Row::default();
        while row.is_blank() {
            if !read_clean(&mut rows, &mut row)? {
                let detail = "the file has no content";
                return Err(FileError::malformed(FormatFault::EmptyFile, detail));
            }
        }
        row.trim_end(1);
        if row.len() > limits.columns {
            let detail = format!("more than {} columns", limits.columns);
            let code = FormatFault::TooManyColumns;
            return Err(FileError::malformed_at(row.line, code, detail));
        }
        let has_header = header.unwrap_or_else(|| !row.cells().iter().any(|cell| is_data(cell)));
        let headers = column_names(row.cells(), has_header);
        let pending = !has_header;
        Ok(Self {
            rows,
            row,
            headers,
            has_header,
            number: 0,
            pending,
        })
    }

    pub(crate) fn has_header(&self) -> bool {
        self.has_header
    }
}

impl<R: Rows> RecordReader for TableReader<R> {
    fn headers(&self) -> &[String] {
        &self.headers
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, FileError> {
        let mut found = std::mem::take(&mut self.pending);
        while !found {
            if !read_clean(&mut self.rows, &mut self.row)? {
                return Ok(None);
            }
            found = !self.row.is_blank();
        }
        self.row.resize(self.headers.len());
        self.number += 1;
        Ok(Some(Record {
            number: self.number,
            line: self.row.line,
            fault: self.row.fault,
            cells: Cells::Fields(self.row.cells()),
        }))
    }
}

fn read_clean(rows: &mut impl Rows, row: &mut Row) -> Result<bool, FileError> {
    row.clear();
    let found = rows.read(row)?;
    row.clean();
    Ok(found)
}

/// Whether a cell of the first row is the data of somebody: an e-mail address, a phone number or a
/// document, which no column is called.
fn is_data(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let email = cell.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !cell.contains(char::is_whitespace)
    });
    email || (digits >= 10 && !cell.contains(char::is_alphabetic))
}

fn column_names(cells: &[String], has_header: bool) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut names = Vec::with_capacity(cells.len());
    for (index, cell) in cells.iter().enumerate() {
        let name = match cell.trim() {
            name if has_header && !name.is_empty() => name.to_owned(),
            _ => format!("column_{}", index + 1),
        };
        let name = std::iter::once(name.clone())
            .chain((2_usize..).map(|count| format!("{name}_{count}")))
            .find(|name| !taken.contains(name))
            .unwrap_or_default();
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names_are_unique_and_not_empty() {
        let cells = ["a", "", " b ", "a", "a_2", "a", "column_2"].map(str::to_owned);
        let names = column_names(&cells, true);
        assert_eq!(
            names,
            ["a", "column_2", "b", "a_2", "a_2_2", "a_3", "column_2_2"]
        );
        assert_eq!(column_names(&cells[..2], false), ["column_1", "column_2"]);
    }

    #[test]
    fn data_is_told_from_a_header() {
        for data in [
            "x@y.example",
            "123.456.789-09",
            "+55 (11) 99999-0000",
            "11999990000",
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
        ] {
            assert!(!is_data(header), "{header}");
        }
    }
}
