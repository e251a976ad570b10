//! Numbers, dates and durations of cells as text.

use std::borrow::Cow;

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};

use super::format::{Format, Shown};
use super::format_code::Token;

const DAY_SECONDS: i64 = 86_400;
/// 9999-12-31 is the last day a spreadsheet knows.
const END_OF_DAYS: f64 = 2_958_466.0;

/// Text of a number as it is stored in a cell.
///
/// Whole numbers keep all their digits without exponent and without `.0`; others are rounded to 15
/// significant digits, as spreadsheets show them. Dates become `YYYY-MM-DD`, with `THH:MM:SS` when
/// there is a time, and times of day `HH:MM:SS`; durations, percentages and formats that pad or
/// punctuate digits are as the format shows them. What is no number stays as it is.
pub(super) fn text<'a>(stored: &'a str, format: &Format, from_1904: bool) -> Cow<'a, str> {
    let stored = stored.trim();
    let whole = !stored.is_empty() && stored.bytes().all(|byte| byte.is_ascii_digit());
    if whole && *format == Format::GENERAL {
        return Cow::Borrowed(stored);
    }
    let number = stored.parse::<f64>().ok();
    let Some(number) = number.filter(|number| number.is_finite()) else {
        return Cow::Borrowed(stored);
    };
    let (shown, signed) = format.shown(number);
    let special = match shown {
        Shown::Number => None,
        Shown::Date => date(number, from_1904),
        Shown::Time => time(number),
        Shown::Duration(tokens) => duration(number, tokens, signed),
        Shown::Percent(least, most) => Some(percent(number, *least, *most)),
        Shown::Code(tokens) => Some(code(stored, number, tokens, signed)),
        Shown::Text(text) => Some(text.clone()),
    };
    match special {
        Some(special) => Cow::Owned(special),
        None if whole => Cow::Borrowed(stored),
        None if number.fract() == 0.0 => Cow::Owned(format!("{number}")),
        None => Cow::Owned(format!("{}", rounded(number))),
    }
}

/// To the 15 significant digits that spreadsheets calculate with.
fn rounded(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "callers have checked the range"
)]
fn seconds(days: f64) -> i64 {
    (days * 86_400.0).round() as i64
}

fn date(serial: f64, from_1904: bool) -> Option<String> {
    if !(0.0..END_OF_DAYS).contains(&serial) {
        return None;
    }
    let seconds = seconds(serial);
    let (days, rest) = (seconds / DAY_SECONDS, seconds % DAY_SECONDS);
    if days == 0 && !from_1904 {
        return time(serial);
    }
    let first = match (from_1904, days) {
        (true, _) => NaiveDate::from_ymd_opt(1904, 1, 1),
        // Spreadsheets count a 29 February 1900, which did not exist, as day 60.
        (false, ..60) => NaiveDate::from_ymd_opt(1899, 12, 31),
        (false, _) => NaiveDate::from_ymd_opt(1899, 12, 30),
    }?;
    let date = first.checked_add_days(Days::new(u64::try_from(days).ok()?))?;
    Some(if rest == 0 {
        date.format("%Y-%m-%d").to_string()
    } else {
        let time = NaiveTime::MIN + TimeDelta::seconds(rest);
        date.and_time(time).format("%Y-%m-%dT%H:%M:%S").to_string()
    })
}

fn time(serial: f64) -> Option<String> {
    if !(0.0..END_OF_DAYS).contains(&serial) {
        return None;
    }
    let rest = TimeDelta::seconds(seconds(serial) % DAY_SECONDS);
    Some((NaiveTime::MIN + rest).format("%H:%M:%S").to_string())
}

fn duration(days: f64, tokens: &[Token], signed: bool) -> Option<String> {
    if !(-END_OF_DAYS..END_OF_DAYS).contains(&days) {
        return None;
    }
    let total = seconds(days.abs());
    let mut text = String::new();
    for token in tokens {
        let (value, width) = match token {
            Token::Elapsed('h', width) => (total / 3_600, *width),
            Token::Elapsed('m', width) => (total / 60, *width),
            Token::Elapsed(_, width) => (total, *width),
            Token::Part('h', width) => (total / 3_600 % 24, *width),
            Token::Part('m', width) => (total / 60 % 60, *width),
            Token::Part('s', width) => (total % 60, *width),
            Token::Literal(character) => {
                text.push(*character);
                continue;
            }
            // Parts of seconds are rounded.
            _ => continue,
        };
        text.push_str(&format!("{value:0width$}", width = usize::from(width)));
    }
    let sign = if signed && total > 0 { "-" } else { "" };
    Some(format!("{sign}{}", text.trim()))
}

fn percent(number: f64, least: usize, most: usize) -> String {
    let number = rounded(100.0 * number);
    // Formatting rounds a half to the even digit, spreadsheets round it up.
    let scale = i32::try_from(most).map_or(1.0, |most| 10_f64.powi(most));
    let scaled = (number * scale).round() / scale;
    let number = if scaled.is_finite() { scaled } else { number };
    let mut text = format!("{number:.most$}");
    if let Some((_, decimals)) = text.split_once('.') {
        let needed = decimals.trim_end_matches('0').len().max(least);
        let cut = decimals.len() - needed;
        text.truncate(text.len() - cut);
        if needed == 0 {
            text.pop();
        }
    }
    let zero = !text.contains(|character| matches!(character, '1'..='9'));
    let shown = if zero {
        text.trim_start_matches('-')
    } else {
        &text
    };
    format!("{shown}%")
}

/// The digits of a whole number at the places of a format, from the right.
fn code(stored: &str, number: f64, tokens: &[Token], signed: bool) -> String {
    let digits = if stored.bytes().all(|byte| byte.is_ascii_digit()) {
        stored.to_owned()
    } else {
        format!("{:.0}", number.abs().round())
    };
    let digits = digits.trim_start_matches('0');
    let signed = signed && !digits.is_empty();
    let mut digits = digits.chars().rev();
    let is_place = |token: &&Token| matches!(token, Token::Digit(_));
    let mut places = tokens.iter().filter(is_place).count();
    let mut shown = Vec::new();
    for token in tokens.iter().rev() {
        match token {
            Token::Literal(character) => shown.push(*character),
            Token::Digit(place) => {
                places -= 1;
                shown.extend(digits.next().or(match place {
                    '0' => Some('0'),
                    '?' => Some(' '),
                    _ => None,
                }));
                if places == 0 {
                    shown.extend(digits.by_ref());
                }
            }
            _ => {}
        }
    }
    if signed {
        shown.push('-');
    }
    let text: String = shown.into_iter().rev().collect();
    text.trim().to_owned()
}
