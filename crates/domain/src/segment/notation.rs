//! How people of a workspace write numbers and dates.
//!
//! Every choice between two meanings of a text is made here:
//!
//! - What the locale writes comes before ISO: in pt-BR `1.234` is 1234, since its point can be one
//!   between groups of three digits. Where it cannot be, it is ISO's: `1.5`, `0.125`, `1234.5`.
//! - A comma is the decimal mark in pt-BR, always: `1,234` is less than two, and `1,234.56` is no number.
//! - `03/04/2026` is the third of April. Years have four digits: `31/01/26` is no date.
//! - A time without zone, and a day, are those of the workspace's zone. A time that a change of clocks
//!   skips is the first instant after the gap; of a time that is there twice, the first is meant.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    scheduling::local_instant,
    shared::{Decimal, Instant, text_enum},
};

text_enum!(
    /// Where a workspace writes as it does.
    #[derive(Default)]
    Locale {
        /// Portuguese of Brazil: `1.234,56`, `31/01/2026`.
        #[default]
        PtBr = "pt-BR",
    }
);

/// The locale and the time zone that texts are read by. Kept with what was asked for, so that a
/// change of the workspace's settings changes no operation that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notation {
    /// Of numbers and dates.
    pub locale: Locale,
    /// Of days, and of times without a zone.
    pub zone: Tz,
}

impl Default for Notation {
    fn default() -> Self {
        Self {
            locale: Locale::PtBr,
            zone: Tz::America__Sao_Paulo,
        }
    }
}

impl Locale {
    /// Between groups of three digits.
    const fn group_mark(self) -> char {
        match self {
            Self::PtBr => '.',
        }
    }

    const fn decimal_mark(self) -> char {
        match self {
            Self::PtBr => ',',
        }
    }

    const fn currency(self) -> &'static str {
        match self {
            Self::PtBr => "R$",
        }
    }

    /// Year, month and day of the three parts of a date, as they are written.
    fn date_of(self, parts: [&str; 3]) -> Option<NaiveDate> {
        let [day, month, year] = match self {
            Self::PtBr => parts,
        };
        let short = |part: &str| matches!(part.len(), 1 | 2);
        (short(day) && short(month) && year.len() == 4)
            .then(|| NaiveDate::from_ymd_opt(number(year)?, number(month)?, number(day)?))?
    }
}

impl Notation {
    /// A number as the locale or ISO writes it.
    pub(super) fn number(&self, text: &str) -> Option<Decimal> {
        let text = text.trim().replace('\u{2212}', "-");
        let (sign, unsigned) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.get(..1)?, rest),
            None => ("", text.as_str()),
        };
        let unsigned = match unsigned.strip_prefix(self.locale.currency()) {
            Some(amount) => amount.trim_start(),
            None => unsigned,
        };
        let (group, decimal) = (self.locale.group_mark(), self.locale.decimal_mark());
        let (whole, fraction) = match unsigned.split_once(decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (unsigned, None),
        };
        let whole = match (is_grouped(whole, group), fraction) {
            (true, _) => whole.replace(group, ""),
            // A point that separates no groups is ISO's, unless there is another mark.
            (false, Some(fraction)) if whole.contains(group) || fraction.contains(group) => {
                return None;
            }
            (false, _) => whole.to_owned(),
        };
        match fraction {
            Some(fraction) => Decimal::parse(&format!("{sign}{whole}.{fraction}")),
            None => Decimal::parse(&format!("{sign}{whole}")),
        }
    }

    /// The first and the last instant of a day, or one instant twice.
    pub(super) fn date(&self, text: &str) -> Option<(Instant, Instant)> {
        let text = text.trim();
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some((at.to_utc(), at.to_utc()));
        }
        let Some((day, time)) = text.split_once(['T', ' ']) else {
            let day = self.day(text)?;
            let next = self.local(day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN))?;
            let first = self.local(day.and_time(NaiveTime::MIN))?;
            return Some((first, next - TimeDelta::nanoseconds(1)));
        };
        let form = |form| NaiveTime::parse_from_str(time.trim_start(), form).ok();
        let time = form("%H:%M:%S%.f").or_else(|| form("%H:%M"))?;
        let at = self.local(self.day(day)?.and_time(time))?;
        Some((at, at))
    }

    /// The first instant of a date.
    pub(super) fn instant(&self, text: &str) -> Option<Instant> {
        self.date(text).map(|(first, _)| first)
    }

    fn day(&self, text: &str) -> Option<NaiveDate> {
        let iso = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        if let Some(day) = iso(text).filter(|_| text.len() == 10) {
            return Some(day);
        }
        ['/', '-', '.'].into_iter().find_map(|mark| {
            let parts: Vec<&str> = text.split(mark).collect();
            self.locale.date_of(parts.try_into().ok()?)
        })
    }

    fn local(&self, time: NaiveDateTime) -> Option<Instant> {
        local_instant(self.zone, time)
    }
}

/// Whether the digits are in groups of three, as in `1.234` and `12.345.678`. No group begins a
/// number with zero.
fn is_grouped(text: &str, mark: char) -> bool {
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let mut groups = text.split(mark);
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    matches!(first.len(), 1..=3)
        && digits(first)
        && !first.starts_with('0')
        && rest.peek().is_some()
        && rest.all(|group| group.len() == 3 && digits(group))
}

/// Digits and nothing else.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number_of(text: &str) -> Option<Decimal> {
        Notation::default().number(text)
    }

    fn first(text: &str) -> Option<String> {
        let at = Notation::default().instant(text)?;
        Some(at.format("%Y-%m-%dT%H:%M:%S").to_string())
    }

    #[test]
    fn numbers_are_read_as_brazilians_and_iso_write_them() {
        for (text, value) in [
            ("10,50", "10.5"),
            ("1.234,56", "1234.56"),
            ("1.234", "1234"),
            ("12.345.678", "12345678"),
            ("-1.234", "-1234"),
            ("\u{2212}1,5", "-1.5"),
            ("1,234", "1.234"),
            ("0,001", "0.001"),
            (",5", "0.5"),
            ("R$ 1.234,56", "1234.56"),
            ("-R$\u{a0}10,00", "-10"),
            ("1.5", "1.5"),
            ("1.50", "1.5"),
            ("0.125", "0.125"),
            ("1234.567", "1234.567"),
            ("1234,567", "1234.567"),
            ("1.2345", "1.2345"),
            (" 42 ", "42"),
            ("+7", "7"),
            ("1e3", "1000"),
            ("1.234e3", "1234"),
            ("1,23457E+10", "12345700000"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("0.1000000000000000055", "0.1000000000000000055"),
        ] {
            assert!(number_of(text) == Decimal::parse(value), "{text}");
        }
        for text in [
            "",
            "-",
            "dez",
            "1,234.56",
            "1.23.456",
            "1.234.56",
            "0.123.456",
            "1,2,3",
            "1.2,5",
            "10,",
            "10.",
            "R$",
            "1 234",
            "31/01/2026",
            "10%",
            "0x10",
            "NaN",
            "inf",
        ] {
            assert!(number_of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn dates_are_read_as_brazilians_and_iso_write_them() {
        for (text, at) in [
            ("31/01/2026", "2026-01-31T03:00:00"),
            ("1/2/2026", "2026-02-01T03:00:00"),
            ("31-01-2026", "2026-01-31T03:00:00"),
            ("31.01.2026", "2026-01-31T03:00:00"),
            ("31/01/2026 14:00", "2026-01-31T17:00:00"),
            ("31/01/2026 14:00:05", "2026-01-31T17:00:05"),
            ("31/01/2026  9:05", "2026-01-31T12:05:00"),
            ("2026-01-31", "2026-01-31T03:00:00"),
            ("2026-01-31T12:00:00", "2026-01-31T15:00:00"),
            ("2026-01-31T12:00:00.250", "2026-01-31T15:00:00"),
            ("2026-01-31 12:00", "2026-01-31T15:00:00"),
            (" 2026-01-31T12:00:00Z ", "2026-01-31T12:00:00"),
            ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00"),
            ("2026-01-31 12:00:00-03:00", "2026-01-31T15:00:00"),
        ] {
            assert_eq!(first(text).as_deref(), Some(at), "{text}");
        }
        for text in [
            "",
            "ontem",
            "31/02/2026",
            "01/31/2026",
            "31/01/26",
            "2026-1-31",
            "2026/01/31",
            "31/01-2026",
            "31/01/2026 25:00",
            "31/01/2026 14",
            "+1/01/2026",
            "20260131",
            "1.234",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }

    #[test]
    fn days_last_from_midnight_to_midnight_of_the_zone() {
        let day = |text| Notation::default().date(text).unwrap();
        let (first, last) = day("31/01/2026");
        assert_eq!(first.to_rfc3339(), "2026-01-31T03:00:00+00:00");
        assert_eq!(last.to_rfc3339(), "2026-02-01T02:59:59.999999999+00:00");
    }

    #[test]
    fn times_that_clocks_skip_or_repeat_have_one_meaning() {
        // Clocks went from 23:59:59 to 01:00 on 2018-11-04, and from 23:59:59 back to 23:00 on 2018-02-17.
        assert_eq!(first("04/11/2018").unwrap(), "2018-11-04T03:00:00");
        assert_eq!(first("04/11/2018 00:30").unwrap(), "2018-11-04T03:00:00");
        assert_eq!(first("17/02/2018 23:30").unwrap(), "2018-02-18T01:30:00");
        let (first, last) = Notation::default().date("2018-02-17").unwrap();
        assert_eq!((last - first).num_minutes(), 25 * 60 - 1);
    }

    #[test]
    fn the_stored_form_names_locale_and_zone() {
        let stored = serde_json::to_string(&Notation::default()).unwrap();
        assert_eq!(stored, r#"{"locale":"pt-BR","zone":"America/Sao_Paulo"}"#);
        assert_eq!(
            serde_json::from_str::<Notation>(&stored).unwrap(),
            Notation::default()
        );
    }
}
