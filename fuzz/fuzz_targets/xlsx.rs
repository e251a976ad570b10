//! Workbooks: any archive, or one packed from parts that NUL separates, so that the fuzzer need not
//! find out about checksums.

#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use plateia_fuzz::{Content, LIMITS, Row, format, inspect, read};
use ports::files::FileFormat;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const PARTS: [&str; 6] = [
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
    "xl/sharedStrings.xml",
    "xl/worksheets/sheet1.xml",
    "xl/worksheets/sheet2.xml",
];
/// Columns a sheet can have.
const MAX_COLUMNS: usize = 16_384;

fuzz_target!(|data: &[u8]| {
    if data.starts_with(b"PK") {
        check(data);
    } else if let Some(workbook) = packed(data) {
        check(&workbook);
    }
});

fn packed(parts: &[u8]) -> Option<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in PARTS.iter().zip(parts.split(|byte| *byte == 0)) {
        if !content.is_empty() {
            writer.start_file(*name, options).ok()?;
            writer.write_all(content).ok()?;
        }
    }
    Some(writer.finish().ok()?.into_inner())
}

fn check(workbook: &[u8]) {
    let unnamed = format("xlsx", None, None);
    let table = read(workbook, &unnamed, LIMITS);
    for Row { content, .. } in table.iter().flat_map(|table| &table.rows) {
        let Content::Fields(fields) = content else {
            panic!("no row of cells");
        };
        let bytes: usize = fields.iter().map(String::len).sum();
        assert!(fields.len() <= MAX_COLUMNS && bytes <= LIMITS.record_bytes);
    }
    // Once a sheet was chosen, its name finds it again.
    let Some(found) = inspect(workbook, LIMITS) else {
        return;
    };
    if found.format != FileFormat::Xlsx {
        return;
    }
    let named = format("xlsx", None, found.sheet.as_deref());
    let (table, named) = (table.expect("opened"), read(workbook, &named, LIMITS));
    let named = named.expect("the chosen sheet is found again");
    assert!(table.headers == named.headers && table.rows == named.rows);
}
