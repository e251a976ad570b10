//! CSV text that spreadsheets cannot mistake for formulas.

use std::borrow::Cow;

const FORMULA_SIGNS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Puts a `'` before a cell that a spreadsheet would run as a formula: one that starts with
/// `= + - @ TAB CR`.
///
/// A cell with quotes before such a sign gets one more, which makes [`strip_formula_guard`] the
/// exact inverse.
#[must_use]
pub fn guard_formula(cell: &str) -> Cow<'_, str> {
    if cell.trim_start_matches('\'').starts_with(FORMULA_SIGNS) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// Takes away the `'` that [`guard_formula`] put; other cells stay as they are.
#[must_use]
pub fn strip_formula_guard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA_SIGNS) => rest,
        _ => cell,
    }
}

/// Appends one CSV record to `out`: cells guarded by [`guard_formula`], quoted where needed, ended
/// by CR LF.
///
/// A record of one empty cell is written as `""`, because an empty line is no record.
pub fn push_csv_row<'a>(
    out: &mut String,
    delimiter: char,
    cells: impl IntoIterator<Item = &'a str>,
) {
    let start = out.len();
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(delimiter);
        }
        push_cell(out, delimiter, &guard_formula(cell));
    }
    if out.len() == start {
        out.push_str("\"\"");
    }
    out.push_str("\r\n");
}

fn push_cell(out: &mut String, delimiter: char, cell: &str) {
    let special = |c: char| c == delimiter || matches!(c, '"' | '\r' | '\n');
    if cell.contains(special) || cell != cell.trim() {
        out.push('"');
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_what_a_spreadsheet_would_run() {
        for (cell, guarded) in [
            ("=1+1", "'=1+1"),
            ("+5511999990000", "'+5511999990000"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("'=1", "''=1"),
            ("'tis", "'tis"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(guard_formula(cell), guarded);
            assert_eq!(strip_formula_guard(guarded), cell);
        }
        assert_eq!(strip_formula_guard("''"), "''");
    }

    #[test]
    fn rows_are_quoted_where_needed() {
        let mut out = String::new();
        push_csv_row(&mut out, ';', ["a;b", "c\"d", "e\nf", "=1", "", " g"]);
        push_csv_row(&mut out, ';', [""]);
        assert_eq!(out, "\"a;b\";\"c\"\"d\";\"e\nf\";'=1;;\" g\"\r\n\"\"\r\n");
    }
}
