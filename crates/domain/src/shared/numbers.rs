//! JSON numbers that no reader keeps as they are written.

use serde_json::Number;

use super::Decimal;

/// The only text of a JSON document that a number may not stand for.
const DOCUMENT: &[u8] = b"document";

/// The same JSON with a text of its digits for every number that neither 64 bits nor a binary fraction
/// hold exactly: what was sent as `123456789012345678901234567890` is kept, instead of a number near
/// it. `None` where there is none. The number of a `document` stays one, to be refused as such.
pub fn exact_numbers(json: &[u8]) -> Option<Vec<u8>> {
    let mut exact: Option<Vec<u8>> = None;
    let (mut copied, mut at, mut member) = (0, 0, 0..0);
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                let end = end_of_text(json, at + 1);
                member = at + 1..end;
                at = end + 1;
            }
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(json, at);
                let number = json.get(at..end).unwrap_or_default();
                if !is_exact(number) && json.get(member.clone()) != Some(DOCUMENT) {
                    let copy = exact.get_or_insert_with(|| Vec::with_capacity(json.len() + 16));
                    copy.extend_from_slice(json.get(copied..at).unwrap_or_default());
                    copy.push(b'"');
                    copy.extend_from_slice(number);
                    copy.push(b'"');
                    copied = end;
                }
                at = end;
            }
            b',' | b'{' | b'[' => {
                member = 0..0;
                at += 1;
            }
            _ => at += 1,
        }
    }
    if let Some(copy) = &mut exact {
        copy.extend_from_slice(json.get(copied..).unwrap_or_default());
    }
    exact
}

/// Where the quote is that ends a text.
fn end_of_text(json: &[u8], mut at: usize) -> usize {
    loop {
        let rest = json.get(at..).unwrap_or_default();
        let Some(found) = rest.iter().position(|b| matches!(b, b'"' | b'\\')) else {
            return json.len();
        };
        at += found;
        if json.get(at) == Some(&b'"') {
            return at;
        }
        at += 2;
    }
}

fn end_of_number(json: &[u8], at: usize) -> usize {
    let part = |b: &u8| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    let rest = json.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| !part(b)).unwrap_or(rest.len())
}

/// Whether the number that is read is the one that is written. What is no number is left to the reader.
fn is_exact(number: &[u8]) -> bool {
    /// Significant digits that a binary fraction holds, whatever they are.
    const SAFE: usize = 15;
    if number.len() <= SAFE && !number.iter().any(|b| matches!(b, b'e' | b'E')) {
        return true;
    }
    let Some(written) = std::str::from_utf8(number).ok().and_then(Decimal::parse) else {
        return true;
    };
    match serde_json::from_slice::<Number>(number) {
        Ok(read) => Decimal::of(&read) == Some(written),
        // Out of range is a number all the same.
        Err(_) => !is_json(number),
    }
}

/// Whether a decimal is one that JSON allows: no zeros before it, digits before a point.
fn is_json(number: &[u8]) -> bool {
    let unsigned = number.strip_prefix(b"-").unwrap_or(number);
    match unsigned {
        [b'0', rest @ ..] => !rest.first().is_some_and(u8::is_ascii_digit),
        [b'1'..=b'9', ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn of(json: &str) -> String {
        let exact = exact_numbers(json.as_bytes());
        exact.map_or_else(|| json.to_owned(), |json| String::from_utf8(json).unwrap())
    }

    #[test]
    fn long_numbers_become_their_digits_and_others_stay() {
        for (json, expected) in [
            (
                r#"{"n":123456789012345678901234567890,"m":1}"#,
                r#"{"n":"123456789012345678901234567890","m":1}"#,
            ),
            (
                "[0.1000000000000000055, -1e400]",
                r#"["0.1000000000000000055", "-1e400"]"#,
            ),
            ("1e-400", r#""1e-400""#),
            ("18446744073709551616", r#""18446744073709551616""#),
            ("9007199254740993.0", r#""9007199254740993.0""#),
        ] {
            assert_eq!(of(json), expected);
        }
        for json in [
            "[0, -1, 7.50, 0.1, 1e3, 1.5E+10, 18446744073709551615, -9223372036854775808]",
            "9007199254740993",
            "0.30000000000000004",
            "100000000000000000000",
            r#"{"a":"123456789012345678901234567890","b\"":"\\","c":[]}"#,
            r#"{"document":123456789012345678901234567890}"#,
            "",
            "\"open 123456789012345678901234567890",
            "00000000000000000001",
            "01e400",
            "-.5e400",
            "1.2.3.4.5.6.7.8.9.10.11",
            "12345678901234567890123.",
            "-",
        ] {
            assert_eq!(of(json), json);
        }
        let other = r#"{"document":"1","n":[123456789012345678901]}"#;
        assert_eq!(
            of(other),
            r#"{"document":"1","n":["123456789012345678901"]}"#
        );
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_is_written(json in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,25})?(e[+-]?[0-9]{1,3})?") {
            let read: Value = serde_json::from_str(&of(&json)).unwrap();
            let shown = match &read {
                Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            prop_assert!(Decimal::parse(&shown) == Decimal::parse(&json), "{} {}", json, shown);
        }

        #[test]
        fn any_bytes_are_taken(json in prop::collection::vec(any::<u8>(), 0..64), more in "[\\[\\]{}\",:0-9eE.+\\\\ -]{0,64}") {
            let _ = exact_numbers(&json);
            let _ = exact_numbers(more.as_bytes());
        }
    }
}
