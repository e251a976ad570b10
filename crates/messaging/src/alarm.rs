//! Alarms that repeat once a minute, not with every failure.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use chrono::TimeDelta;
use domain::shared::Instant;

const EVERY: TimeDelta = TimeDelta::minutes(1);

/// When each alarm was last raised.
#[derive(Default)]
pub struct Alarms(Mutex<BTreeMap<String, Instant>>);

impl Alarms {
    /// Whether the alarm is to be raised now; if so, not again for a minute.
    pub fn due(&self, key: &str, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last
            .get(key)
            .is_some_and(|at| now.signed_duration_since(at) < EVERY)
        {
            return false;
        }
        last.insert(key.to_owned(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_silent_for_a_minute() {
        let alarms = Alarms::default();
        let start = Instant::UNIX_EPOCH;
        assert!(alarms.due("a", start));
        assert!(alarms.due("b", start));
        assert!(!alarms.due("a", start + TimeDelta::milliseconds(59_999)));
        assert!(alarms.due("a", start + EVERY));
    }
}
