//! When and how often a workspace may write to people.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::holidays::is_holiday;
use crate::{
    customer::Channel,
    scheduling::local_instant,
    shared::{Instant, Violation, text_enum},
};

/// Most windows of a workspace.
pub const MAX_WINDOWS: usize = 50;
/// Most days that a frequency cap looks back.
const MAX_DAYS: u32 = 90;
/// Days within which each channel has to be open at some time.
const WEEKS: u64 = 21;

text_enum!(
    /// A day on which quiet hours begin.
    QuietDay {
        /// Monday.
        Mon = "mon",
        /// Tuesday.
        Tue = "tue",
        /// Wednesday.
        Wed = "wed",
        /// Thursday.
        Thu = "thu",
        /// Friday.
        Fri = "fri",
        /// Saturday.
        Sat = "sat",
        /// Sunday.
        Sun = "sun",
        /// A national holiday of Brazil.
        Holiday = "holiday",
    }
);

/// Hours of the day, on the recipient's clock, in which nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietWindow {
    /// On this channel; on all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// When it begins.
    pub from: NaiveTime,
    /// When it ends: on the next day where that is not later than `from`.
    pub to: NaiveTime,
    /// Days on which it begins; every day where there are none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub days: BTreeSet<QuietDay>,
}

impl QuietWindow {
    fn begins_on(&self, day: NaiveDate) -> bool {
        let name = match day.weekday() {
            Weekday::Mon => QuietDay::Mon,
            Weekday::Tue => QuietDay::Tue,
            Weekday::Wed => QuietDay::Wed,
            Weekday::Thu => QuietDay::Thu,
            Weekday::Fri => QuietDay::Fri,
            Weekday::Sat => QuietDay::Sat,
            Weekday::Sun => QuietDay::Sun,
        };
        let holiday = self.days.contains(&QuietDay::Holiday) && is_holiday(day);
        self.days.is_empty() || self.days.contains(&name) || holiday
    }

    /// The end of the window that a local time is in, if it is in one.
    fn end_after(&self, at: NaiveDateTime) -> Option<NaiveDateTime> {
        let today = at.date();
        let days = [today.checked_sub_days(Days::new(1)), Some(today)];
        let ends = days.into_iter().flatten().filter_map(|day| {
            let last = match self.to > self.from {
                true => day,
                false => day.checked_add_days(Days::new(1))?,
            };
            let (from, to) = (day.and_time(self.from), last.and_time(self.to));
            (self.begins_on(day) && from <= at && at < to).then_some(to)
        });
        ends.max()
    }
}

/// The most that one person is sent within some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrequencyCap {
    /// Dispatches, on whatever channel.
    pub count: u32,
    /// Days of 24 hours, back from the dispatch.
    pub days: u32,
}

/// When and how often a workspace may write to people; whatever is transactional is not bound by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendingRules {
    /// When nothing is sent.
    #[serde(default)]
    pub quiet_hours: Vec<QuietWindow>,
    /// How often at most.
    #[serde(default)]
    pub frequency_cap: Option<FrequencyCap>,
}

impl SendingRules {
    /// When something may be sent on a channel to somebody in a zone; `None` where it may be now.
    pub fn held_until(&self, channel: Channel, zone: Tz, now: Instant) -> Option<Instant> {
        let mine = |window: &&QuietWindow| window.channel.is_none_or(|only| only == channel);
        let windows: Vec<&QuietWindow> = self.quiet_hours.iter().filter(mine).collect();
        let mut at = now.with_timezone(&zone).naive_local();
        let last = at.checked_add_days(Days::new(WEEKS))?;
        let mut held = None;
        // One window may end within another.
        while let Some(end) = windows.iter().filter_map(|w| w.end_after(at)).max() {
            held = local_instant(zone, end);
            at = end;
            if at > last {
                break;
            }
        }
        held.filter(|until| *until > now)
    }

    /// What is wrong with them.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        if self.quiet_hours.len() > MAX_WINDOWS {
            let detail = "at most 50 windows";
            found.push(Violation::new("/quiet_hours", "too_many", detail));
        } else if Channel::ALL.iter().any(|channel| self.is_shut(*channel)) {
            let detail = "leave no time in which something can be sent";
            found.push(Violation::new("/quiet_hours", "never_open", detail));
        }
        if let Some(FrequencyCap { count, days }) = self.frequency_cap {
            for (member, value, most) in [("count", count, 1_000), ("days", days, MAX_DAYS)] {
                if value == 0 || value > most {
                    let pointer = format!("/frequency_cap/{member}");
                    let detail = format!("must be 1 to {most}");
                    found.push(Violation::new(pointer, "out_of_range", detail));
                }
            }
        }
        found
    }

    /// Whether a channel is never open in three weeks.
    fn is_shut(&self, channel: Channel) -> bool {
        let start = Instant::UNIX_EPOCH;
        let open = self.held_until(channel, Tz::UTC, start);
        open.is_some_and(|until| until - start >= chrono::TimeDelta::days(14))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(windows: serde_json::Value) -> SendingRules {
        serde_json::from_value(json!({"quiet_hours": windows})).unwrap()
    }

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn held(rules: &SendingRules, zone: Tz, now: &str) -> Option<String> {
        let until = rules.held_until(Channel::Sms, zone, at(now))?;
        Some(until.with_timezone(&zone).naive_local().to_string())
    }

    #[test]
    fn nights_hold_until_the_morning_of_the_recipient() {
        let night = rules(json!([{"from": "21:00:00", "to": "08:00:00"}]));
        let (sp, acre) = (Tz::America__Sao_Paulo, Tz::America__Rio_Branco);
        // 23:30 UTC is 20:30 in São Paulo and 18:30 in Rio Branco.
        assert_eq!(held(&night, sp, "2026-12-01T23:30:00Z"), None);
        let morning = Some("2026-12-02 08:00:00".to_owned());
        assert_eq!(held(&night, sp, "2026-12-02T00:00:00Z"), morning);
        assert_eq!(held(&night, acre, "2026-12-02T00:00:00Z"), None);
        assert_eq!(held(&night, sp, "2026-12-02T10:59:59Z"), morning);
        assert_eq!(held(&night, sp, "2026-12-02T11:00:00Z"), None);
    }

    #[test]
    fn windows_that_touch_are_one() {
        let weekend = rules(json!([
            {"from": "20:00:00", "to": "08:00:00"},
            {"from": "00:00:00", "to": "00:00:00", "days": ["sat", "sun", "holiday"]},
        ]));
        let zone = Tz::America__Sao_Paulo;
        // Friday evening, until Monday morning.
        let monday = Some("2026-12-07 08:00:00".to_owned());
        assert_eq!(held(&weekend, zone, "2026-12-04T23:30:00Z"), monday);
        // Christmas is a Friday.
        let monday = Some("2026-12-28 08:00:00".to_owned());
        assert_eq!(held(&weekend, zone, "2026-12-25T15:00:00Z"), monday);
    }

    #[test]
    fn only_the_named_channel_is_quiet() {
        let email = rules(json!([{"channel": "email", "from": "00:00:00", "to": "23:00:00"}]));
        let now = at("2026-12-01T12:00:00Z");
        assert_eq!(email.held_until(Channel::Sms, Tz::UTC, now), None);
        let eleven = Some(at("2026-12-01T23:00:00Z"));
        assert_eq!(email.held_until(Channel::Email, Tz::UTC, now), eleven);
    }

    #[test]
    fn a_window_that_daylight_saving_ends_within_holds_to_the_first_instant_after() {
        let night = rules(json!([{"from": "22:00:00", "to": "02:30:00"}]));
        let zone = Tz::Europe__Berlin;
        // On 28 March 2027 there is no 02:30 in Berlin.
        let until = night.held_until(Channel::Sms, zone, at("2027-03-28T00:30:00Z"));
        assert_eq!(until, Some(at("2027-03-28T01:00:00Z")));
    }

    #[test]
    fn rules_that_never_let_anything_out_are_refused() {
        let codes = |rules: &SendingRules| -> Vec<String> {
            let found = rules.violations().into_iter();
            found.map(|v| format!("{} {}", v.pointer, v.code)).collect()
        };
        let shut = rules(json!([{"from": "08:00:00", "to": "08:00:00"}]));
        assert_eq!(codes(&shut), ["/quiet_hours never_open"]);
        let open = rules(json!([{"from": "08:00:00", "to": "07:59:00"}]));
        assert_eq!(codes(&open), [""; 0]);
        let none = SendingRules {
            frequency_cap: Some(FrequencyCap { count: 0, days: 91 }),
            ..SendingRules::default()
        };
        let both = [
            "/frequency_cap/count out_of_range",
            "/frequency_cap/days out_of_range",
        ];
        assert_eq!(codes(&none), both);
    }
}
