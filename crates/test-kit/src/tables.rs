//! The same table as a file of every format.

use std::io::{Cursor, Write};

use ports::files::{guard_formula, push_csv_row};
use serde_json::{Map, Value};
use zip::write::SimpleFileOptions;

/// The files, by the name of their format. Fields of CSV are separated by semicolons.
pub fn in_every_format(columns: &[&str], rows: &[Vec<String>]) -> [(&'static str, Vec<u8>); 3] {
    [
        ("csv", csv(columns, rows)),
        ("ndjson", ndjson(columns, rows)),
        ("xlsx", xlsx(columns, rows)),
    ]
}

fn csv(columns: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    let mut text = String::new();
    push_csv_row(&mut text, ';', columns.iter().copied());
    for row in rows {
        push_csv_row(&mut text, ';', row.iter().map(String::as_str));
    }
    text.into_bytes()
}

/// What is empty in a table is not there in an object, and a blank row is a blank line.
fn ndjson(columns: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    let line = |row: &Vec<String>| {
        let cells = columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let members = cells.map(|(name, cell)| ((*name).to_owned(), Value::from(cell.as_str())));
        match members.collect::<Map<_, _>>() {
            none if none.is_empty() => "\n".to_owned(),
            object => format!("{}\n", Value::Object(object)),
        }
    };
    rows.iter().map(line).collect::<String>().into_bytes()
}

/// As a spreadsheet that opened the export saves it: with the quote before formula signs.
fn xlsx(columns: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    let header: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
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
            .expect("a new part");
        writer.write_all(content.as_bytes()).expect("memory");
    }
    writer.finish().expect("an archive").into_inner()
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
