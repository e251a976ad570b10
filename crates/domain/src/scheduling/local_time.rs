//! Times of a wall clock.

use chrono::{NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use crate::shared::Instant;

/// The instant of a time in a zone. One that a change of clocks skips is the first instant after the gap; of one
/// that is there twice, the first is meant. `None` outside the calendar.
pub fn local_instant(zone: Tz, time: NaiveDateTime) -> Option<Instant> {
    let find = |time: NaiveDateTime| zone.from_local_datetime(&time).earliest();
    let found = find(time).or_else(|| {
        let minute = time.with_second(0)?.with_nanosecond(0)?;
        // The longest gap was a day: islands that crossed the date line.
        (1..=24 * 60).find_map(|n| find(minute.checked_add_signed(TimeDelta::minutes(n))?))
    });
    found.map(|at| at.with_timezone(&Utc))
}
