//! Counting lines, and quotes that swallow them.

use memchr::memchr2_iter;

/// Counts the ends of lines: CR, LF and CR LF alike.
#[derive(Default)]
pub(crate) struct Lines {
    ended: u64,
    after_cr: bool,
}

impl Lines {
    /// Takes the bytes that come next.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for at in memchr2_iter(b'\n', b'\r', bytes) {
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            let after_cr = before.map_or(self.after_cr, |before| *before == b'\r');
            let second_of_pair = after_cr && bytes.get(at) == Some(&b'\n');
            self.ended += u64::from(!second_of_pair);
        }
        if let Some(last) = bytes.last() {
            self.after_cr = *last == b'\r';
        }
    }

    /// Lines that have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.ended
    }
}

/// Ends of lines in a text.
pub(crate) fn line_ends(bytes: &[u8]) -> u64 {
    let mut lines = Lines::default();
    lines.add(bytes);
    lines.ended()
}

/// The line where a quoted cell begins that seems to have swallowed the lines after it: part of a
/// line in it, or all, has the shape of the header.
///
/// `line`: where the record begins; `delimiters`: how many the header has.
pub(crate) fn suspicious_quote(
    cells: &[String],
    line: u64,
    delimiters: usize,
    delimiter: char,
) -> Option<u64> {
    let count = |text: &str| text.matches(delimiter).count();
    let mut line = line;
    for (at, cell) in cells.iter().enumerate() {
        let mut pieces = split_lines(cell).skip(1).peekable();
        while let Some(piece) = pieces.next() {
            let inside = count(piece);
            let beside = match pieces.peek() {
                Some(_) => 0,
                None => rest_of_line(cells.get(at + 1..).unwrap_or_default(), count),
            };
            if inside > 0 && inside + beside == delimiters {
                return Some(line);
            }
        }
        line += line_ends(cell.as_bytes());
    }
    None
}

/// Delimiters after a cell up to the end of its line.
fn rest_of_line(after: &[String], count: impl Fn(&str) -> usize) -> usize {
    let mut delimiters = 0;
    for cell in after {
        delimiters += 1;
        if cell.contains(['\n', '\r']) {
            return delimiters + split_lines(cell).next().map_or(0, count);
        }
    }
    delimiters
}

fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    // The empty text between CR and LF has no delimiter, which is all that is asked.
    text.split(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_counts_once_wherever_it_is_cut() {
        let text = b"a\r\nb\rc\n\n\r\r\nd";
        for cut in 0..=text.len() {
            let mut lines = Lines::default();
            lines.add(&text[..cut]);
            lines.add(&[]);
            lines.add(&text[cut..]);
            assert_eq!(lines.ended(), 6, "{cut}");
        }
    }

    #[test]
    fn a_quote_that_swallowed_rows_is_told_from_a_cell_of_several_lines() {
        let found = |cells: &[&str], delimiters| {
            let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
            suspicious_quote(&cells, 7, delimiters, ';')
        };
        assert_eq!(found(&["1", "Ana\n2;Bia\n3;Caio"], 1), Some(7));
        assert_eq!(found(&["1", "Ana;x\r2;Bia", "y"], 2), Some(7));
        assert_eq!(found(&["a\nb", "Ana\n2;Bia"], 1), Some(8));
        assert_eq!(found(&["1", "Rua A\nBairro B", "x"], 2), None);
        assert_eq!(found(&["Rua A\nBairro B", "x", "y"], 2), None);
        assert_eq!(found(&["1", "Rua A; 10\nBairro; Recife", "x"], 3), None);
    }
}
