//! National holidays of Brazil.

use chrono::{Datelike, Days, NaiveDate};

/// Month and day, and the first year.
const FIXED: [(u32, u32, i32); 9] = [
    (1, 1, 1935),
    (4, 21, 1965),
    (5, 1, 1925),
    (9, 7, 1949),
    (10, 12, 1980),
    (11, 2, 1949),
    (11, 15, 1949),
    // Law 14.759 of 2023.
    (11, 20, 2024),
    (12, 25, 1922),
];

/// Whether a day is a national holiday. Carnival and Corpus Christi are none by law.
pub fn is_holiday(day: NaiveDate) -> bool {
    let fixed = FIXED.iter().any(|(month, date, since)| {
        (day.month(), day.day()) == (*month, *date) && day.year() >= *since
    });
    let friday = easter(day.year()).and_then(|easter| easter.checked_sub_days(Days::new(2)));
    fixed || friday == Some(day)
}

/// Easter Sunday, by the Gregorian calendar (Oudin).
fn easter(year: i32) -> Option<NaiveDate> {
    let (golden, century) = (year % 19, year / 100);
    let lunar = (century - century / 4 - (8 * century + 13) / 25 + 19 * golden + 15) % 30;
    let epact = lunar - (lunar / 28) * (1 - (29 / (lunar + 1)) * ((21 - golden) / 11));
    let weekday = (year + year / 4 + epact + 2 - century + century / 4) % 7;
    let offset = epact - weekday;
    let month = 3 + (offset + 40) / 44;
    let day = offset + 28 - 31 * (month / 4);
    NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn easter_is_where_the_calendar_has_it() {
        for (year, sunday) in [
            (2000, "2000-04-23"),
            (2008, "2008-03-23"),
            (2019, "2019-04-21"),
            (2026, "2026-04-05"),
            (2027, "2027-03-28"),
            (2038, "2038-04-25"),
        ] {
            assert_eq!(easter(year), Some(day(sunday)), "{year}");
        }
    }

    #[test]
    fn holidays_are_those_of_the_law() {
        for holiday in [
            "2026-01-01",
            "2026-04-03",
            "2026-04-21",
            "2026-11-20",
            "2026-12-25",
        ] {
            assert!(is_holiday(day(holiday)), "{holiday}");
        }
        for work in ["2026-02-17", "2026-06-04", "2023-11-20", "2026-12-24"] {
            assert!(!is_holiday(day(work)), "{work}");
        }
    }
}
