//! Characters that XML cannot hold, as workbooks write them.

use std::borrow::Cow;

/// Bytes of `_xHHHH_`.
const ESCAPE_BYTES: usize = 7;

/// Resolves `_xHHHH_`, a UTF-16 unit in hexadecimal digits; `_x005F_` is the underscore of a text that
/// only looks like this. Half a character is U+FFFD.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    let mut rest = text;
    let mut decoded = String::new();
    // A place where `_x` is no escape is not looked at again.
    let mut from = 0;
    while let Some(found) = rest.get(from..).and_then(|text| text.find("_x")) {
        let at = from + found;
        let Some((character, bytes)) = rest.get(at..).and_then(character) else {
            from = at + 1;
            continue;
        };
        decoded.push_str(rest.get(..at).unwrap_or_default());
        decoded.push(character);
        rest = rest.get(at + bytes..).unwrap_or_default();
        from = 0;
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The character that a text begins with in escaped form, and the bytes it takes.
fn character(text: &str) -> Option<(char, usize)> {
    let first = unit(text)?;
    let second = text.get(ESCAPE_BYTES..).and_then(unit);
    let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    match (pair, char::from_u32(u32::from(first))) {
        (_, Some(character)) => Some((character, ESCAPE_BYTES)),
        (Some(character), None) => Some((character, 2 * ESCAPE_BYTES)),
        (None, None) => Some((char::REPLACEMENT_CHARACTER, ESCAPE_BYTES)),
    }
}

fn unit(text: &str) -> Option<u16> {
    let digits = text.get(..ESCAPE_BYTES)?.strip_prefix("_x")?;
    let digits = digits.strip_suffix('_')?;
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_once() {
        for (written, meant) in [
            ("plain", "plain"),
            ("11144477735_x000D_", "11144477735\r"),
            ("l1_x000d_\nl2 _x005F_x0041_", "l1\r\nl2 _x0041_"),
            ("_x0041__x0042_", "AB"),
            ("_xD83D__xDE00_!", "\u{1F600}!"),
            ("_xD83D_!", "\u{FFFD}!"),
            ("_xD83D__x0041_", "\u{FFFD}A"),
            ("_x_x0041_", "_xA"),
            (
                "_X0041_ _x041_ _x00G1_ _x+041_ _x0041",
                "_X0041_ _x041_ _x00G1_ _x+041_ _x0041",
            ),
            ("é_x00e9_é", "ééé"),
            ("_x00é_", "_x00é_"),
            ("_x", "_x"),
        ] {
            assert_eq!(decode(written), meant, "{written}");
        }
    }
}
