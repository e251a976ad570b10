//! The same rows in every format are the same records.

use std::io::Cursor;

use ports::files::{Cells, FileHint, RecordFormats, RecordLimits};
use proptest::prelude::*;
use test_kit::tables::in_every_format;

use crate::TabularFormats;

const COLUMNS: [&str; 4] = ["cpf", "fone", "nome", "obs"];

/// Without hints but the delimiter, which such rows may well hide.
fn read(content: Vec<u8>) -> Vec<Vec<String>> {
    let hint = FileHint {
        delimiter: Some(b';'),
        ..FileHint::default()
    };
    let limits = RecordLimits::default();
    let source = || Box::new(Cursor::new(content.clone()));
    let detected = TabularFormats.inspect(source(), &hint, limits).unwrap();
    // Objects have the columns that they name.
    let mut columns = detected.columns.iter().map(String::as_str);
    assert!(columns.all(|name| COLUMNS.contains(&name)), "{detected:?}");
    let mut reader = TabularFormats.open(source(), &detected, limits).unwrap();
    let mut rows = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        assert_eq!(record.fault, None);
        assert_eq!(record.number, rows.len() as u64 + 1);
        rows.push(match record.cells {
            Cells::Fields(fields) => fields.to_vec(),
            Cells::Json(json) => {
                let cell = |name| json[name].as_str().unwrap_or_default().to_owned();
                COLUMNS.into_iter().map(cell).collect()
            }
            Cells::Raw(_) => panic!("a record with a fault"),
        });
    }
    rows
}

proptest! {
    #[test]
    fn the_same_rows_in_every_format_are_the_same_records(
        rows in prop::collection::vec(
            ("[0-9./-]{1,14}[0-9]", prop::collection::vec(
                "[-=+@'\"\t\r\n;,&<>_x0-9A-Z a-céã\u{200B}\u{1F600}\u{1}]{0,12}",
                3..4,
            )),
            1..20,
        ),
    ) {
        let rows: Vec<Vec<String>> = rows
            .into_iter()
            .map(|(document, others)| std::iter::once(document).chain(others).collect())
            .collect();
        for (format, content) in in_every_format(&COLUMNS, &rows) {
            prop_assert_eq!(&read(content), &rows, "{}", format);
        }
    }
}
