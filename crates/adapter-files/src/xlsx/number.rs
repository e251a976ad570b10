//! Numbers and dates of cells as text.

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};

/// What a number of a cell means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Number,
    Date,
}

/// Text of a number as it is stored in a cell.
///
/// Whole numbers keep all their digits without exponent and without `.0`; others are rounded to 15
/// significant digits, as spreadsheets show them. Dates become `YYYY-MM-DD`, with `THH:MM:SS` when
/// there is a time, and times of day `HH:MM:SS`. What is no number stays as it is.
pub(super) fn text(stored: &str, meaning: Meaning, from_1904: bool) -> String {
    let stored = stored.trim();
    let whole = !stored.is_empty() && stored.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = stored
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
    else {
        return stored.to_owned();
    };
    if meaning == Meaning::Date
        && let Some(date) = date(number, from_1904)
    {
        return date;
    }
    if whole {
        return stored.to_owned();
    }
    if number.fract() == 0.0 {
        return format!("{number}");
    }
    let rounded = format!("{number:.14e}").parse::<f64>().unwrap_or(number);
    format!("{rounded}")
}

fn date(serial: f64, from_1904: bool) -> Option<String> {
    // 9999-12-31 is the last day a spreadsheet knows.
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let seconds = (serial * 86_400.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked above"
    )]
    let seconds = seconds as i64;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let time = NaiveTime::MIN + TimeDelta::seconds(rest);
    if days == 0 && !from_1904 {
        return Some(time.format("%H:%M:%S").to_string());
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
        date.and_time(time).format("%Y-%m-%dT%H:%M:%S").to_string()
    })
}

/// Meaning of a built-in number format.
pub(super) fn built_in(format: u32) -> Meaning {
    match format {
        14..=22 | 27..=36 | 45..=47 | 50..=58 => Meaning::Date,
        _ => Meaning::Number,
    }
}

/// Meaning of a custom number format such as `dd/mm/yyyy;@` or `0.00 "m"`.
pub(super) fn custom(code: &str) -> Meaning {
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    for character in code.chars() {
        match character {
            _ if escaped => escaped = false,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '\\' | '_' | '*' => escaped = true,
            '[' => bracketed = true,
            ']' => bracketed = false,
            _ if bracketed => {}
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return Meaning::Date,
            _ => {}
        }
    }
    Meaning::Number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for (stored, shown) in [
            ("12345678909", "12345678909"),
            ("1.2345678909E10", "12345678909"),
            ("12345678909.0", "12345678909"),
            ("5.511999990000E+12", "5511999990000"),
            ("00123", "00123"),
            ("0.30000000000000004", "0.3"),
            ("-1.5", "-1.5"),
            ("1E-3", "0.001"),
            ("#N/A", "#N/A"),
            ("inf", "inf"),
            ("", ""),
        ] {
            assert_eq!(text(stored, Meaning::Number, false), shown, "{stored}");
        }
    }

    #[test]
    fn dates_are_iso() {
        for (stored, from_1904, shown) in [
            ("45352", false, "2024-03-01"),
            ("45352.5", false, "2024-03-01T12:00:00"),
            ("0.25", false, "06:00:00"),
            ("1", false, "1900-01-01"),
            ("61", false, "1900-03-01"),
            ("0", true, "1904-01-01"),
            ("43890", true, "2024-03-01"),
            ("-1", false, "-1"),
            ("99999999", false, "99999999"),
        ] {
            assert_eq!(text(stored, Meaning::Date, from_1904), shown, "{stored}");
        }
    }

    #[test]
    fn format_codes_tell_dates() {
        for code in ["dd/mm/yyyy", "[$-416]d mmm yy", "h:mm AM/PM", "yyyy\\-mm"] {
            assert_eq!(custom(code), Meaning::Date, "{code}");
        }
        for code in [
            "0.00",
            "General",
            "0 \"days\"",
            "[Red]0",
            "#,##0_s",
            "0\\d",
            "@",
        ] {
            assert_eq!(custom(code), Meaning::Number, "{code}");
        }
        assert_eq!(built_in(14), Meaning::Date);
        assert_eq!(built_in(1), Meaning::Number);
    }
}
