//! From a cell to what is dialled.
//!
//! As libphonenumber reads: text before the number and after it is left out, an extension is cut off,
//! letters are those of a keypad. Of our own: `ramal`, a cell with two numbers is none, `.0` of a
//! spreadsheet is no digit, and no invisible character counts wherever it stands.

use super::{brazil, unicode::decimal};
use crate::shared::{is_dash, is_ignorable};

/// Longest text that is looked at, in bytes: libphonenumber's 250 characters.
const LONGEST: usize = 250;
/// Letters from which on they stand for digits.
const VANITY: usize = 3;
/// Digits without which there is no number.
const FEWEST: usize = 3;

/// What announces an extension, with the most digits that it has there.
const LABELS: [(&str, usize); 14] = [
    ("extension", 20),
    ("extensión", 20),
    ("extn", 20),
    ("ext", 20),
    ("xtn", 20),
    ("xt", 20),
    ("anexo", 20),
    ("доб", 20),
    ("int", 9),
    ("x", 9),
    ("#", 9),
    ("~", 9),
    ("ramal", 9),
    ("r", 9),
];

/// Digits, and whether `+` stands before them.
pub(super) struct Dialled {
    pub plus: bool,
    pub digits: String,
}

/// Reads a cell.
pub(super) fn read(text: &str) -> Option<Dialled> {
    if let Some(dialled) = plain(text) {
        return Some(dialled);
    }
    let folded = folded(text)?;
    let (number, context) = without_parameters(&folded)?;
    let number = trimmed(number);
    let number = without_extension(number);
    let mut dialled = written(number)?;
    if let Some(context) = context.filter(|_| !dialled.plus) {
        dialled.plus = true;
        dialled.digits.insert_str(0, context);
    }
    Some(dialled)
}

/// Most numbers are digits with the usual punctuation between.
fn plain(text: &str) -> Option<Dialled> {
    let (plus, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let rest = match rest.strip_suffix(".0") {
        Some(whole) if whole.len() >= 8 && whole.bytes().all(|b| b.is_ascii_digit()) => whole,
        _ => rest,
    };
    let mut digits = String::with_capacity(16);
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => digits.push(char::from(byte)),
            b' ' | b')' | b'-' | b'.' => {}
            // Before a number that is whole already, it is the start of another one.
            b'(' if at == 0 || !is_whole(&digits) => {}
            _ => return None,
        }
    }
    (digits.len() >= FEWEST).then_some(Dialled { plus, digits })
}

/// The same in ASCII as far as it can be: digits of every script, full-width forms, dashes, spaces;
/// without what is not seen.
fn folded(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let fold = |c: char| match c {
        '\t' => ' ',
        '\u{2053}' | '\u{223C}' => '~',
        '\u{30FC}' => '-',
        c if c.is_ascii() => c,
        '\u{FF01}'..='\u{FF5E}' => u32::from(c)
            .checked_sub(0xFEE0)
            .and_then(char::from_u32)
            .unwrap_or(c),
        c if is_dash(c) => '-',
        // A line break separates two numbers.
        '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        c if c.is_whitespace() => ' ',
        c => decimal(c).unwrap_or(c),
    };
    let seen = text.chars().filter(|c| !is_ignorable(*c));
    Some(seen.map(fold).collect())
}

/// The number of a `tel:` URI (RFC 3966), and the country code of its `phone-context`.
fn without_parameters(text: &str) -> Option<(&str, Option<&str>)> {
    let lower = text.to_ascii_lowercase();
    let begin = lower.find("tel:").map_or(0, |at| at + 4);
    let rest = text.get(begin..)?;
    let is_parameter = |part: &str| part.contains('=');
    let Some((number, parameters)) = rest.split_once(';').filter(|(_, p)| is_parameter(p)) else {
        return Some((rest, None));
    };
    let context = parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("phone-context"))
        .map(|(_, context)| context);
    let all = |text: &str, of: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|b| of(&b));
    match context.map(|context| (context.strip_prefix('+'), context)) {
        None => Some((number, None)),
        Some((Some(code), _)) => all(code, u8::is_ascii_digit).then_some((number, Some(code))),
        // A domain says nothing of a country.
        Some((None, domain)) => {
            let is_domain = all(domain, |b| b.is_ascii_alphanumeric() || b".-".contains(b));
            is_domain.then_some((number, None))
        }
    }
}

/// From the first digit or `+` to the last letter, digit or `#`, or to where another number begins.
fn trimmed(text: &str) -> &str {
    let begin = text.find(|c: char| c == '+' || c.is_ascii_digit());
    let number = text.get(begin.unwrap_or(text.len())..).unwrap_or_default();
    let number = number.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '#');
    let second = number.match_indices(['/', '\\']).find(|(at, _)| {
        let after = number.get(at + 1..).unwrap_or_default();
        after.trim_start_matches(' ').starts_with(['x', 'X'])
    });
    second.map_or(number, |(at, _)| number.get(..at).unwrap_or_default())
}

/// Without an extension at the end.
fn without_extension(number: &str) -> &str {
    let cut = |head: &str| number.get(..head.trim_end_matches([' ', ',', '-']).len());
    let (body, hash) = match number.strip_suffix('#') {
        Some(body) => (body, true),
        None => (number, false),
    };
    let head = body.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = body.get(head.len()..).unwrap_or_default();
    let length = digits.len();
    // Digits that are a number by themselves are another number, and no extension.
    if length == 0 || is_whole(digits) {
        return number;
    }
    let before = head.trim_end_matches([' ', ',', '-']);
    let before = before.strip_suffix([':', '.']).unwrap_or(before);
    let lower = before.to_lowercase();
    let label = LABELS
        .iter()
        .find(|(label, most)| length <= *most && lower.ends_with(label));
    let main = if let Some((label, _)) = label {
        before.get(..before.len().saturating_sub(label.len()))
    } else if let Some(at) = pause(head, length) {
        head.get(..at)
    } else {
        (hash && length <= 6 && head.ends_with([' ', '-'])).then_some(head)
    };
    let has_number = |main: &&str| main.bytes().filter(u8::is_ascii_digit).count() >= FEWEST;
    main.filter(has_number).and_then(cut).unwrap_or(number)
}

/// Where the pause before an extension begins, of commas or a semicolon.
fn pause(head: &str, length: usize) -> Option<usize> {
    let main = head.trim_end_matches([' ', ',', '-', ':', '.', ';']);
    let pause = head.get(main.len()..)?.trim_start();
    let most = match pause {
        pause if pause.starts_with(";") || pause.starts_with(",,") => 15,
        pause if pause.starts_with(',') => 9,
        _ => 0,
    };
    (length <= most).then_some(main.len())
}

/// The digits of what is left, if it is nothing but one number.
fn written(number: &str) -> Option<Dialled> {
    let rest = number.trim_start_matches('+');
    let letters = rest.bytes().filter(u8::is_ascii_alphabetic).count();
    let mut digits = String::with_capacity(16);
    let mut ended = false;
    for c in rest.chars() {
        match c {
            '0'..='9' if ended => return None,
            '0'..='9' => digits.push(c),
            ' ' | '-' | ')' | '.' | '[' | ']' | '~' | '*' => {}
            'x' | 'X' if letters < VANITY => {}
            'a'..='z' | 'A'..='Z' if letters >= VANITY && digits.len() >= FEWEST => {
                digits.push(keypad(c));
            }
            '/' | '(' => ended |= is_whole(&digits),
            'a'..='z' | 'A'..='Z' if digits.len() >= FEWEST => ended |= is_whole(&digits),
            _ => return None,
        }
    }
    (digits.len() >= FEWEST).then_some(Dialled {
        plus: rest.len() < number.len(),
        digits,
    })
}

/// Whether digits are a number by themselves, or one of a place: what comes after a slash, a bracket
/// or a word is then another number, or an alternative for its last digits.
fn is_whole(digits: &str) -> bool {
    let local = matches!(
        (digits.len(), digits.as_bytes().first()),
        (8, Some(b'2'..=b'9')) | (9, Some(b'9'))
    );
    local || digits.len() >= 10 && brazil::national(digits).is_some()
}

/// The key of a letter.
const fn keypad(letter: char) -> char {
    match letter.to_ascii_lowercase() {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        _ => '9',
    }
}
