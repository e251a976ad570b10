//! Cron expressions in a time zone.

use std::fmt;

use chrono::{LocalResult, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::{GapInfo, Tz};
use croner::parser::{CronParser, Seconds, Year};

use crate::shared::Instant;

/// Longest expression in bytes.
const MAX_BYTES: usize = 128;
/// Most that a clock is turned back by.
const TURNED_BACK: TimeDelta = TimeDelta::hours(3);
/// Most wall-clock times that are passed over before one is a run: a skipped day has 1,440.
const MAX_PASSED: usize = 2_000;

/// Not an expression that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Another form.
    #[error("must be a cron expression: minute, hour, day of month, month, day of week")]
    Malformed,
    /// Its days are in no month that it names.
    #[error("names a day that never comes")]
    NeverRuns,
}

impl CronError {
    /// Stable machine-readable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "invalid_cron",
            Self::NeverRuns => "cron_never_runs",
        }
    }
}

/// A cron expression of five fields, and the zone whose clock it is read on. A run at a time that daylight
/// saving skips happens once, at the first instant after the gap; one at a time that comes twice happens the
/// first time. With `*` as the hour it runs by the hours that pass: not in a gap, and both times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    expression: String,
    zone: Tz,
    pattern: croner::Cron,
    every_hour: bool,
}

impl Cron {
    /// Parses an expression such as `0 3 * * *`, every night at three.
    ///
    /// # Errors
    /// When it is none, has another number of fields, or never runs.
    pub fn parse(expression: &str, zone: Tz) -> Result<Self, CronError> {
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let [_, hour, ..] = fields.as_slice() else {
            return Err(CronError::Malformed);
        };
        let expression = fields.join(" ");
        if fields.len() != 5 || expression.len() > MAX_BYTES {
            return Err(CronError::Malformed);
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let pattern = parser.parse(&expression);
        let pattern = pattern.map_err(|_| CronError::Malformed)?;
        let parsed = Self {
            every_hour: *hour == "*",
            expression,
            zone,
            pattern,
        };
        // The calculation goes thousands of years ahead before it gives up: only where there is hope.
        let runs = may_run(&parsed.pattern);
        match runs.then(|| parsed.next_after(Instant::UNIX_EPOCH)) {
            Some(Some(_)) => Ok(parsed),
            _ => Err(CronError::NeverRuns),
        }
    }

    /// As [`Cron::parse`], in UTC.
    ///
    /// # Errors
    /// As there.
    pub fn in_utc(expression: &str) -> Result<Self, CronError> {
        Self::parse(expression, Tz::UTC)
    }

    /// The first run strictly after an instant; none beyond the year 5000.
    pub fn next_after(&self, at: Instant) -> Option<Instant> {
        let local = |at: Instant| at.with_timezone(&self.zone).naive_local();
        // Where the clock is turned back soon, times come again that have passed.
        let from = local(at).min(local(at + TURNED_BACK) - TURNED_BACK);
        let mut wall = from.and_utc();
        let mut again: Option<Instant> = None;
        for _ in 0..MAX_PASSED {
            let Ok(next) = self.pattern.find_next_occurrence(&wall, false) else {
                break;
            };
            wall = next;
            let (first, second) = self.instants(wall.naive_utc());
            let second = second.filter(|second| *second > at);
            again = again.into_iter().chain(second).min();
            // First times are in the order of the wall clock, so no later one is earlier.
            if let Some(first) = first.filter(|first| *first > at) {
                return again.into_iter().chain([first]).min();
            }
        }
        again
    }

    /// When a time of the wall clock is: where it comes twice and both count, twice.
    fn instants(&self, wall: NaiveDateTime) -> (Option<Instant>, Option<Instant>) {
        match self.zone.from_local_datetime(&wall) {
            LocalResult::Single(at) => (Some(at.to_utc()), None),
            LocalResult::Ambiguous(first, second) => {
                let second = self.every_hour.then(|| second.to_utc());
                (Some(first.to_utc()), second)
            }
            LocalResult::None if self.every_hour => (None, None),
            LocalResult::None => {
                let end = GapInfo::new(&wall, &self.zone).and_then(|gap| gap.end);
                (end.map(|end| end.to_utc()), None)
            }
        }
    }

    /// The expression, with single spaces.
    pub fn as_str(&self) -> &str {
        &self.expression
    }

    /// The zone.
    pub const fn zone(&self) -> Tz {
        self.zone
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

/// Whether a time and a day can be found: `false` where no month that is named is long enough.
fn may_run(cron: &croner::Cron) -> bool {
    let pattern = &cron.pattern;
    let (days, months) = (pattern.days.values(), pattern.months.values());
    let time = !pattern.minutes.values().is_empty() && !pattern.hours.values().is_empty();
    let days_of_week = !pattern.is_dow_wildcard() && !pattern.matches_dom_and_dow();
    let of_month = pattern.days.has_modifiers()
        || months
            .iter()
            .any(|month| days.iter().any(|day| *day <= longest(*month)));
    time && !months.is_empty() && (days_of_week || of_month)
}

/// Most days that a month has.
const fn longest(month: u16) -> u16 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
#[path = "cron_tests.rs"]
mod tests;
