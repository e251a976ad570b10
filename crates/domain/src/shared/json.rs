//! JSON text as programs in the field write it.

use serde::de::DeserializeOwned;
use serde_json::Number;

/// Above it a float is no exact integer any more.
const EXACT: f64 = 9_007_199_254_740_992.0;

use super::numbers::exact_numbers;

/// Bytes of an escape such as `\ud83d`.
const ESCAPE: usize = 6;
const REPLACEMENT: &[u8; ESCAPE] = b"\\ufffd";

/// Reads JSON; half a surrogate pair is read as U+FFFD, and a number that no number here holds as the
/// text of its digits.
///
/// JavaScript writes `"Ana \ud83d"` for a text that was cut inside an emoji. One such text must not
/// cost its whole document, and the document is not read twice where there is none.
///
/// # Errors
/// As `serde_json`.
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    let exact = exact_numbers(json);
    let json = exact.as_deref().unwrap_or(json);
    serde_json::from_slice(json).or_else(|error| match whole_surrogates(json) {
        Some(mended) => serde_json::from_slice(&mended),
        None => Err(error),
    })
}

/// The same JSON with `\ufffd` for each half of a surrogate pair; `None` where there is none.
pub fn whole_surrogates(json: &[u8]) -> Option<Vec<u8>> {
    let mut mended: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(backslash) {
        at += found;
        at += match surrogate(json, at) {
            None => 2,
            Some(Half::High) if surrogate(json, at + ESCAPE) == Some(Half::Low) => 2 * ESCAPE,
            Some(_) => {
                let mended = mended.get_or_insert_with(|| json.to_vec());
                if let Some(escape) = mended.get_mut(at..at + ESCAPE) {
                    escape.copy_from_slice(REPLACEMENT);
                }
                ESCAPE
            }
        };
    }
    mended
}

/// A number where a text is expected: its digits, `11987654321.0` and `1.1987654321e10` without the
/// fraction that is none.
pub fn number_text(number: &Number) -> String {
    let whole = |float: &f64| float.fract() == 0.0 && float.abs() < EXACT;
    match number.as_f64().filter(whole) {
        Some(float) if number.is_f64() => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

#[derive(PartialEq, Eq)]
enum Half {
    High,
    Low,
}

fn backslash(json: &[u8]) -> Option<usize> {
    json.iter().position(|byte| *byte == b'\\')
}

/// The half of a pair that is escaped at a place.
fn surrogate(json: &[u8], at: usize) -> Option<Half> {
    let escape = json.get(at..at + ESCAPE)?;
    let digits = std::str::from_utf8(escape.strip_prefix(b"\\u")?).ok()?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xD800..=0xDBFF => Some(Half::High),
        0xDC00..=0xDFFF => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_a_replacement_character() {
        for (text, read) in [
            (r#""Ana \ud83d""#, "Ana \u{FFFD}"),
            (r#""\udE00 Ana""#, "\u{FFFD} Ana"),
            (r#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
            (r#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\\\ud83d""#, "\\\u{FFFD}"),
            (r#""\ud83d\n""#, "\u{FFFD}\n"),
            (r#""\ud83d\u0041""#, "\u{FFFD}A"),
            (r#""😀 \ud83d\ude00""#, "😀 😀"),
        ] {
            assert_eq!(
                from_json::<Value>(text.as_bytes()).unwrap(),
                json!(read),
                "{text}"
            );
        }
        let member = from_json::<Value>(br#"{"a\ud800":1}"#).unwrap();
        assert_eq!(member, json!({"a\u{FFFD}": 1}));
    }

    #[test]
    fn a_number_as_text_is_its_digits() {
        for (number, text) in [
            ("5511987654321", "5511987654321"),
            ("11987654321.0", "11987654321"),
            ("1.1987654321e10", "11987654321"),
            ("-5", "-5"),
            ("0.5", "0.5"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            let read: Number = from_json(number.as_bytes()).unwrap();
            assert_eq!(number_text(&read), text);
        }
    }

    #[test]
    fn what_is_no_json_stays_refused() {
        for text in [
            r#""\ud83d"#,
            r#""\ud8""#,
            r#"{"a":"\ud83d"#,
            r#""\u+123""#,
            "\\",
        ] {
            from_json::<Value>(text.as_bytes()).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn whole_text_is_left_alone(text in any::<String>()) {
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            let json = format!("\"{escaped}\"");
            prop_assert_eq!(whole_surrogates(json.as_bytes()), None);
            prop_assert_eq!(from_json::<String>(json.as_bytes()).unwrap(), text);
        }
    }
}
