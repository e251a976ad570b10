//! Delimited text: rows in order and within the limits; what is exported is imported as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plateia_fuzz::{Content, LIMITS, Row, check_lines, format, inspect, read};
use ports::files::{RecordLimits, push_csv_row};

fuzz_target!(|data: &[u8]| {
    let Some((choice, content)) = data.split_first() else {
        return;
    };
    let delimiter = *b",;\t|".get(usize::from(choice % 4)).unwrap_or(&b',');
    inspect(content, LIMITS);
    let csv = format("csv", Some(delimiter), None);
    let Some(table) = read(content, &csv, LIMITS) else {
        return;
    };
    check_lines(content, &table.rows);
    // A first line `sep=;` and a last Ctrl-Z are signs of spreadsheets, not content.
    let is_sign = |name: &String| name.starts_with("sep=");
    if table.headers.first().is_some_and(is_sign) || content.contains(&0x1A) {
        return;
    }
    let whole = |row: &&Row| row.fault.is_none();
    let rows: Vec<&Row> = table.rows.iter().filter(whole).collect();
    let mut exported = String::from("\u{FEFF}");
    push_csv_row(&mut exported, ',', table.headers.iter().map(String::as_str));
    for row in &rows {
        if let Content::Fields(fields) = &row.content {
            push_csv_row(&mut exported, ',', fields.iter().map(String::as_str));
        }
    }
    let csv = format("csv", Some(b','), None);
    let imported = read(exported.as_bytes(), &csv, RecordLimits::default());
    let Some(imported) = imported else {
        panic!("the export cannot be read");
    };
    assert!(imported.whole);
    assert_eq!(imported.headers, table.headers);
    assert_eq!(rows.len(), imported.rows.len());
    for (before, after) in rows.into_iter().zip(&imported.rows) {
        let (Content::Fields(before), Content::Fields(after)) = (&before.content, &after.content)
        else {
            panic!("no row of cells");
        };
        // Later rows may have made more columns.
        let (same, more) = after.split_at(before.len());
        assert!(same == before && more.iter().all(String::is_empty));
    }
});
