//! Cron expressions.

use std::fmt;

use croner::Cron;

use crate::shared::Instant;

/// Not a cron expression of five fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a cron expression: minute, hour, day of month, month, day of week, in UTC")]
pub struct ScheduleError;

/// A cron expression of five fields, read in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    cron: Cron,
}

impl Schedule {
    /// Longest expression in bytes.
    const MAX: usize = 128;

    /// Parses an expression such as `0 3 * * *`, every night at three.
    ///
    /// # Errors
    /// When it is none, or has another number of fields.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let text = text.split_whitespace().collect::<Vec<_>>();
        let fields = text.len();
        let text = text.join(" ");
        if fields != 5 || text.len() > Self::MAX {
            return Err(ScheduleError);
        }
        let cron = text.parse::<Cron>().map_err(|_| ScheduleError)?;
        Ok(Self { text, cron })
    }

    /// The first time after an instant; none for a date that no calendar has.
    pub fn next_after(&self, at: Instant) -> Option<Instant> {
        self.cron.find_next_occurrence(&at, false).ok()
    }

    /// The expression, with single spaces.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_time_is_strictly_later_and_in_utc() {
        let nightly = Schedule::parse(" 0  3 * * * ").unwrap();
        assert_eq!(nightly.as_str(), "0 3 * * *");
        let next = |now| nightly.next_after(at(now));
        assert_eq!(
            next("2026-03-01T02:59:59Z"),
            Some(at("2026-03-01T03:00:00Z"))
        );
        assert_eq!(
            next("2026-03-01T03:00:00Z"),
            Some(at("2026-03-02T03:00:00Z"))
        );
    }

    #[test]
    fn what_is_no_expression_of_five_fields_is_refused() {
        for bad in [
            "",
            "* * * *",
            "* * * * * *",
            "61 * * * *",
            "@daily",
            "a b c d e",
        ] {
            assert_eq!(Schedule::parse(bad), Err(ScheduleError), "{bad}");
        }
        let never = Schedule::parse("0 0 30 2 *").unwrap();
        assert_eq!(never.next_after(at("2026-01-01T00:00:00Z")), None);
    }
}
