//! NDJSON: objects or the line as it came; what was read is read again as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plateia_fuzz::{Content, LIMITS, Row, check_lines, format, inspect, read};
use ports::files::{RecordLimits, RowFault};
use serde_json::Value;

fuzz_target!(|content: &[u8]| {
    inspect(content, LIMITS);
    let ndjson = format("ndjson", None, None);
    let Some(table) = read(content, &ndjson, LIMITS) else {
        return;
    };
    check_lines(content, &table.rows);
    for row in &table.rows {
        check(row);
    }
    let objects = table.rows.iter().filter(|row| row.fault.is_none());
    let objects: Vec<&Content> = objects.map(|row| &row.content).collect();
    let lines = objects.iter().map(|content| match content {
        Content::Json(json) => format!("{json}\n"),
        other => panic!("no object: {other:?}"),
    });
    let exported: String = lines.collect();
    let Some(imported) = read(exported.as_bytes(), &ndjson, RecordLimits::default()) else {
        panic!("the export cannot be read");
    };
    assert_eq!(imported.rows.len(), objects.len());
    for (row, content) in imported.rows.iter().zip(objects) {
        assert_eq!(row.fault, None);
        match (&row.content, content) {
            // The last binary digit of a fraction is not kept.
            (Content::Json(read), Content::Json(given)) if has_fraction(given) => {
                assert!(has_fraction(read));
            }
            (read, given) => assert_eq!(read, given),
        }
    }
});

fn check(row: &Row) {
    match (&row.content, row.fault) {
        (Content::Json(json), fault) => {
            assert!(json.is_object());
            let has_nul = has_nul(json);
            match fault {
                None => assert!(!has_nul, "NUL is a fault"),
                Some(RowFault::NulCharacter) => assert!(has_nul),
                Some(fault) => assert_eq!(fault, RowFault::InvalidEncoding),
            }
        }
        (Content::Raw(text), Some(_)) => {
            assert!(!text.trim().is_empty(), "a blank line is no record");
            assert!(text.len() <= 3 * LIMITS.record_bytes);
        }
        (content, fault) => panic!("{content:?} with {fault:?}"),
    }
}

fn has_nul(json: &Value) -> bool {
    match json {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

fn has_fraction(json: &Value) -> bool {
    match json {
        Value::Number(number) => !number.is_i64() && !number.is_u64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(fields) => fields.values().any(has_fraction),
        _ => false,
    }
}
