//! The page envelope, which varies; and what is no envelope is an error, never an empty page.

use std::collections::BTreeMap;

use domain::{importing::Totals, shared::whole_surrogates};
use serde_json::{Map, Value, value::RawValue};

use super::Malformed;

/// Members that may hold the rows.
const ROWS: [&str; 4] = ["data", "tickets", "messages", "contacts"];
/// Members that may hold the totals, beside the envelope itself.
const HOLDERS: [&str; 2] = ["meta", "pagination"];
const PAGES: [&str; 4] = ["totalPages", "last_page", "total_pages", "lastPage"];
const TOTAL: [&str; 3] = ["total", "totalCount", "total_count"];
const MORE: [&str; 2] = ["hasMore", "has_more"];

/// HTML, a cut-off document, nothing at all.
const NOT_JSON: Malformed = "body_not_json";
/// An error reported under a good status.
const ERROR_BODY: Malformed = "body_reports_error";
/// JSON, but no known envelope.
const UNKNOWN: Malformed = "unknown_envelope";

/// A page as it was delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Its rows, unread.
    pub rows: Vec<Value>,
    /// What it says about the list.
    pub totals: Totals,
}

impl Envelope {
    /// Reads a body. What is no text in it is U+FFFD, and a row that still cannot be read, such as one
    /// with a number beyond any type, is the text it came as: one row never ends a page.
    ///
    /// # Errors
    /// Whenever it is not certain which rows it delivers.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let body = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(_) => row_by_row(body).ok_or(NOT_JSON)?,
        };
        match body {
            Value::Array(rows) => Ok(Self {
                rows,
                totals: Totals::default(),
            }),
            Value::Object(envelope) => Self::wrapped(envelope),
            _ => Err(UNKNOWN),
        }
    }

    fn wrapped(mut envelope: Map<String, Value>) -> Result<Self, Malformed> {
        let reports = |member: &str| envelope.get(member).is_some_and(is_set);
        if reports("error") || reports("errors") || envelope.get("success") == Some(&false.into()) {
            return Err(ERROR_BODY);
        }
        let totals = totals(&envelope);
        let mut found = ROWS
            .iter()
            .filter_map(|name| envelope.remove(*name))
            .filter_map(|value| match value {
                Value::Array(rows) => Some(rows),
                _ => None,
            });
        match (found.next(), found.next()) {
            (Some(rows), None) => Ok(Self { rows, totals }),
            _ => Err(UNKNOWN),
        }
    }
}

/// Reads what is no JSON as a whole, each row by itself.
fn row_by_row(body: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(body);
    let mended = whole_surrogates(text.as_bytes());
    let text = mended.as_deref().unwrap_or_else(|| text.as_bytes());
    if let Some(rows) = each_row(text) {
        return Some(rows);
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(text).ok()?;
    let read = |(name, value): (String, &RawValue)| {
        let value = value.get().as_bytes();
        let value = each_row(value).or_else(|| serde_json::from_slice(value).ok())?;
        Some((name, value))
    };
    members
        .into_iter()
        .map(read)
        .collect::<Option<_>>()
        .map(Value::Object)
}

/// The rows of a list, those that cannot be read as the texts they are.
fn each_row(list: &[u8]) -> Option<Value> {
    let rows: Vec<&RawValue> = serde_json::from_slice(list).ok()?;
    let read =
        |row: &RawValue| serde_json::from_str(row.get()).unwrap_or_else(|_| row.get().into());
    Some(Value::Array(rows.into_iter().map(read).collect()))
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn totals(envelope: &Map<String, Value>) -> Totals {
    let held = HOLDERS
        .iter()
        .filter_map(|name| envelope.get(*name)?.as_object());
    let places: Vec<_> = std::iter::once(envelope).chain(held).collect();
    let find = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| places.iter().find_map(|place| place.get(*name)))
    };
    Totals {
        pages: find(&PAGES).and_then(number),
        rows: find(&TOTAL).and_then(number),
        more: find(&MORE).and_then(Value::as_bool),
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(n) => n.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_envelope_of_the_other_side_is_read() {
        let read = |body: &str| {
            let page = Envelope::parse(body.as_bytes()).unwrap();
            let Totals { pages, rows, more } = page.totals;
            (page.rows.len(), pages, rows, more)
        };
        assert_eq!(read("[{},{}]"), (2, None, None, None));
        assert_eq!(read("[]"), (0, None, None, None));
        assert_eq!(
            read(r#"{"data":[{}],"meta":{"totalPages":3,"total":7}}"#),
            (1, Some(3), Some(7), None)
        );
        assert_eq!(
            read(r#"{"contacts":[{}],"pagination":{"last_page":"4"}}"#),
            (1, Some(4), None, None)
        );
        assert_eq!(
            read(r#"{"messages":[],"total_pages":0,"hasMore":false,"error":null}"#),
            (0, Some(0), None, Some(false))
        );
    }

    #[test]
    fn one_row_that_cannot_be_read_is_no_end_of_the_page() {
        let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for (row, expected) in [
            (
                r#"{"name":"Ana \ud83d"}"#,
                r#"{"name":"Ana \ufffd"}"#.to_owned(),
            ),
            (r#"{"id":1e999}"#, r#""{\"id\":1e999}""#.to_owned()),
            (&nested, format!("\"{nested}\"")),
        ] {
            let expected: Value = serde_json::from_str(&expected).unwrap();
            for body in [
                format!(r#"[{{"id":1}},{row},{{"id":2}}]"#),
                format!(r#"{{"meta":{{"total":3}},"data":[{{"id":1}},{row},{{"id":2}}]}}"#),
            ] {
                let page = Envelope::parse(body.as_bytes()).unwrap();
                assert_eq!(page.rows.len(), 3, "{body}");
                assert_eq!(page.rows[1], expected, "{body}");
                assert_eq!(page.totals.rows, body.starts_with('{').then_some(3));
            }
        }
        let page = Envelope::parse(b"[{\"name\":\"Jos\xe9\"},{}]").unwrap();
        assert_eq!(page.rows[0]["name"], "Jos\u{fffd}");
    }

    #[test]
    fn what_is_no_page_is_never_an_empty_one() {
        for (body, why) in [
            ("", NOT_JSON),
            ("<html></html>", NOT_JSON),
            (r#"{"data":[{"id":1},{"#, NOT_JSON),
            (r#"{"data":[{"name":"\ud83d"},{"#, NOT_JSON),
            (r#"[{"name":"\ud83d"}] x"#, NOT_JSON),
            (r#"{"error":"maintenance"}"#, ERROR_BODY),
            (r#"{"error":{"code":1},"data":[]}"#, ERROR_BODY),
            (r#"{"success":false,"data":[]}"#, ERROR_BODY),
            ("{}", UNKNOWN),
            ("null", UNKNOWN),
            (r#"{"rows":[]}"#, UNKNOWN),
            (r#"{"data":{}}"#, UNKNOWN),
            (r#"{"data":[],"contacts":[]}"#, UNKNOWN),
        ] {
            assert_eq!(Envelope::parse(body.as_bytes()), Err(why), "{body}");
        }
    }
}
