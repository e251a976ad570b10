//! The same rows in every format are the same records.

use std::io::{Cursor, Write};

use ports::files::{Cells, FileHint, RecordFormats, RecordLimits, guard_formula, push_csv_row};
use proptest::prelude::*;
use serde_json::{Map, Value};
use zip::write::SimpleFileOptions;

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
    assert_eq!(detected.columns, COLUMNS);
    let mut reader = TabularFormats.open(source(), &detected, limits).unwrap();
    let mut rows = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        assert_eq!(record.fault, None);
        assert_eq!(record.number, rows.len() as u64 + 1);
        rows.push(match record.cells {
            Cells::Fields(fields) => fields.to_vec(),
            Cells::Json(json) => {
                let cell = |name| json[name].as_str().unwrap().to_owned();
                COLUMNS.into_iter().map(cell).collect()
            }
            Cells::Raw(_) => panic!("a record with a fault"),
        });
    }
    rows
}

fn csv(rows: &[Vec<String>]) -> Vec<u8> {
    let mut text = String::new();
    push_csv_row(&mut text, ';', COLUMNS);
    for row in rows {
        push_csv_row(&mut text, ';', row.iter().map(String::as_str));
    }
    text.into_bytes()
}

fn ndjson(rows: &[Vec<String>]) -> Vec<u8> {
    let line = |row: &Vec<String>| {
        let cells = row.iter().map(|cell| Value::from(cell.as_str()));
        let names = COLUMNS.into_iter().map(str::to_owned);
        format!(
            "{}\n",
            Value::Object(names.zip(cells).collect::<Map<_, _>>())
        )
    };
    rows.iter().map(line).collect::<String>().into_bytes()
}

/// As a spreadsheet that opened the export saves it: with the quote before formula signs.
fn xlsx(rows: &[Vec<String>]) -> Vec<u8> {
    let header = COLUMNS.map(str::to_owned).to_vec();
    let row = |row: &Vec<String>| {
        let cell = |cell: &String| {
            let text = xml_text(&guard_formula(cell));
            format!("<c t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>")
        };
        format!("<row>{}</row>", row.iter().map(cell).collect::<String>())
    };
    let rows: String = std::iter::once(&header).chain(rows).map(row).collect();
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("xl/workbook.xml", "<workbook/>"),
        ("xl/worksheets/sheet1.xml", &sheet),
    ] {
        writer
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn xml_text(text: &str) -> String {
    let text = text.replace("_x", "_x005F_x");
    let escaped = text.chars().map(|character| match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '\0'..='\u{1F}' => format!("_x{:04X}_", u32::from(character)),
        other => other.to_string(),
    });
    escaped.collect()
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
        for (format, content) in [("csv", csv(&rows)), ("ndjson", ndjson(&rows)), ("xlsx", xlsx(&rows))] {
            prop_assert_eq!(&read(content), &rows, "{}", format);
        }
    }
}
