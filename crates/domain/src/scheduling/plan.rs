//! When what is sent to whom.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Cron, Message};
use crate::{
    customer::Channel,
    shared::{AudienceId, Instant, Violation, text_enum},
};

/// Most customers that one communication names.
pub const MAX_CUSTOMERS: usize = 100_000;
/// Most dispatches that a rate lets leave in a minute.
const MAX_RATE: u32 = 1_000_000;
/// Most minutes that members may be old: ten years.
const MAX_FRESHNESS: u32 = 5_256_000;
/// How far ahead a communication may be.
const HORIZON: TimeDelta = TimeDelta::days(3_660);
/// What is later than this is late: less is how long a claim may take.
const GRACE: TimeDelta = TimeDelta::seconds(60);
/// Channels that a dispatch can go to.
const CHANNELS: [Channel; 4] = [
    Channel::Email,
    Channel::Sms,
    Channel::Whatsapp,
    Channel::Push,
];

/// When something is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// Once.
    At(Instant),
    /// Again and again.
    Recurring {
        /// A cron expression of five fields.
        cron: String,
        /// The zone whose clock it is read on.
        timezone: Tz,
        /// The last instant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Instant>,
    },
}

impl Timing {
    /// The first time strictly after an instant; `None` where there is none any more.
    pub fn next_after(&self, at: Instant) -> Option<Instant> {
        match self {
            Self::At(once) => (*once > at).then_some(*once),
            Self::Recurring {
                cron,
                timezone,
                until,
            } => {
                let next = Cron::parse(cron, *timezone).ok()?.next_after(at)?;
                until.is_none_or(|until| next <= until).then_some(next)
            }
        }
    }
}

/// Who gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipients {
    /// Customers by number, in the order in which they were named, each once.
    Customers(Vec<i64>),
    /// The members of an audience at the due time.
    Audience(AudienceId),
    /// Everybody who receives pushes.
    Broadcast,
}

/// What happens to what could not leave in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misfire {
    /// It leaves late.
    #[default]
    Send,
    /// It does not leave.
    Skip,
    /// It leaves where it is late by no more than so many seconds.
    SendIfLateBy(u32),
}

impl Misfire {
    /// Whether something leaves that is late by so much.
    pub fn sends(self, lateness: TimeDelta) -> bool {
        match self {
            Self::Send => true,
            Self::Skip => lateness <= GRACE,
            Self::SendIfLateBy(seconds) => lateness <= TimeDelta::seconds(seconds.into()),
        }
    }
}

text_enum!(
    /// Whether quiet hours of the workspace hold for it.
    #[derive(Default)]
    QuietHours {
        /// They do.
        #[default]
        Respect = "respect",
        /// They do not.
        Ignore = "ignore",
    }
);

/// When what is sent to whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// When.
    pub timing: Timing,
    /// Who.
    pub recipients: Recipients,
    /// Where.
    pub channels: BTreeSet<Channel>,
    /// What.
    pub message: Message,
    /// What happens to it where it is late.
    pub misfire: Misfire,
    /// Whether it waits for quiet hours to end.
    pub quiet_hours: QuietHours,
    /// Whether it is something that people need, whatever they said about marketing.
    pub transactional: bool,
    /// Dispatches that leave in a minute at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<u32>,
    /// Minutes that the members of a segment may be old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness_minutes: Option<u32>,
    /// By which rules its audience is recycled once everything has left: the body of a recycling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recycle: Option<serde_json::Value>,
}

impl Plan {
    /// What is wrong with it, now: pointers begin at the body of V1.
    pub fn violations(&self, now: Instant) -> Vec<Violation> {
        let mut found = Vec::new();
        found.extend(self.timing_violation(now));
        found.extend(self.recipients_violation());
        if self.channels.is_empty() {
            found.push(Violation::new("/channels", "required", "name at least one"));
        }
        for channel in &self.channels {
            if !CHANNELS.contains(channel) {
                found.push(Violation::not_one_of("/channels", CHANNELS));
            }
        }
        found.extend(self.limit_violations());
        let message = self.message.violations(&self.channels).into_iter();
        found.extend(message.map(|violation| Violation {
            pointer: format!("/message{}", violation.pointer),
            ..violation
        }));
        found
    }

    fn limit_violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        let limits = [
            ("/rate_per_minute", self.rate_per_minute, MAX_RATE),
            ("/freshness_minutes", self.freshness_minutes, MAX_FRESHNESS),
        ];
        for (pointer, value, most) in limits {
            if value.is_some_and(|value| value == 0 || value > most) {
                let detail = format!("must be 1 to {most}");
                found.push(Violation::new(pointer, "out_of_range", detail));
            }
        }
        let audience = matches!(self.recipients, Recipients::Audience(_));
        let of_audiences = [
            ("/freshness_minutes", self.freshness_minutes.is_some()),
            ("/on_completion", self.recycle.is_some()),
        ];
        for (pointer, is_there) in of_audiences {
            if is_there && !audience {
                let detail = "only of an audience";
                found.push(Violation::new(pointer, "not_allowed", detail));
            }
        }
        found
    }

    /// Whether quiet hours and frequency caps of the workspace hold for it.
    pub const fn is_bound(&self) -> bool {
        !self.transactional
    }

    fn timing_violation(&self, now: Instant) -> Option<Violation> {
        let (pointer, cron) = match &self.timing {
            Timing::At(_) => ("/send_at", None),
            Timing::Recurring { cron, timezone, .. } => {
                ("/recurrence", Some(Cron::parse(cron, *timezone)))
            }
        };
        if let Some(Err(error)) = cron {
            let pointer = format!("{pointer}/cron");
            return Some(Violation::new(pointer, error.code(), error.to_string()));
        }
        match self.timing.next_after(now) {
            None if pointer == "/send_at" => Some(Violation::new(
                pointer,
                "in_the_past",
                "must be later than now",
            )),
            None => Some(Violation::new(
                pointer,
                "never_runs",
                "ends before it begins",
            )),
            Some(next) if next - now > HORIZON => {
                let detail = "must be within ten years";
                Some(Violation::new(pointer, "too_far", detail))
            }
            Some(_) => None,
        }
    }

    fn recipients_violation(&self) -> Option<Violation> {
        let violation = |code, detail| Some(Violation::new("/recipients", code, detail));
        let pushes = self.channels.contains(&Channel::Push);
        match &self.recipients {
            Recipients::Broadcast if !pushes || self.channels.len() > 1 => {
                violation("broadcast_is_push", "only push goes to everybody")
            }
            Recipients::Broadcast => None,
            _ if pushes => violation("push_is_broadcast", "push has no recipients"),
            Recipients::Customers(ids) if ids.is_empty() => violation("required", "names nobody"),
            Recipients::Customers(ids) if ids.len() > MAX_CUSTOMERS => {
                violation("too_many", "at most 100000 customers")
            }
            Recipients::Customers(_) | Recipients::Audience(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn plan() -> Plan {
        Plan {
            timing: Timing::At(at("2026-12-01T12:00:00Z")),
            recipients: Recipients::Customers(vec![1]),
            channels: BTreeSet::from([Channel::Sms]),
            message: Message {
                text: Some("Hi".to_owned()),
                ..Message::default()
            },
            misfire: Misfire::Send,
            quiet_hours: QuietHours::Respect,
            transactional: false,
            rate_per_minute: None,
            freshness_minutes: None,
            recycle: None,
        }
    }

    fn codes(change: impl FnOnce(&mut Plan)) -> Vec<String> {
        let mut plan = plan();
        change(&mut plan);
        let found = plan.violations(at("2026-11-30T12:00:00Z"));
        let code = |violation: Violation| format!("{} {}", violation.pointer, violation.code);
        found.into_iter().map(code).collect()
    }

    fn recurring(cron: &str, until: Option<&str>) -> Timing {
        Timing::Recurring {
            cron: cron.to_owned(),
            timezone: Tz::America__Sao_Paulo,
            until: until.map(at),
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_its_member() {
        assert_eq!(codes(|_| {}), [""; 0]);
        type Change = fn(&mut Plan);
        let all: &[(&str, Change)] = &[
            ("/send_at in_the_past", |p| {
                p.timing = Timing::At(at("2026-11-30T12:00:00Z"));
            }),
            ("/send_at too_far", |p| {
                p.timing = Timing::At(at("9999-01-01T00:00:00Z"));
            }),
            ("/recurrence/cron invalid_cron", |p| {
                p.timing = recurring("every day", None);
            }),
            ("/recurrence/cron cron_never_runs", |p| {
                p.timing = recurring("0 0 30 2 *", None);
            }),
            ("/recurrence never_runs", |p| {
                p.timing = recurring("0 9 * * *", Some("2026-11-30T12:00:00Z"));
            }),
            ("/recipients required", |p| {
                p.recipients = Recipients::Customers(Vec::new());
            }),
            ("/recipients too_many", |p| {
                p.recipients = Recipients::Customers((0..=100_000).collect());
            }),
            ("/recipients broadcast_is_push", |p| {
                p.recipients = Recipients::Broadcast;
            }),
            ("/recipients push_is_broadcast", |p| {
                p.channels = BTreeSet::from([Channel::Push]);
            }),
            ("/rate_per_minute out_of_range", |p| {
                p.rate_per_minute = Some(0)
            }),
            ("/freshness_minutes not_allowed", |p| {
                p.freshness_minutes = Some(5)
            }),
            ("/channels required", |p| p.channels.clear()),
            ("/channels unknown_value", |p| {
                p.channels.insert(Channel::Voice);
            }),
            ("/message/text no_content", |p| {
                p.message.text = Some(" ".to_owned());
            }),
        ];
        for (code, change) in all {
            assert_eq!(codes(change), [*code]);
        }
        let broadcast = codes(|p| {
            p.recipients = Recipients::Broadcast;
            p.channels = BTreeSet::from([Channel::Push]);
        });
        assert_eq!(broadcast, [""; 0]);
    }

    #[test]
    fn recurring_times_end() {
        let timing = recurring("0 9 * * *", Some("2026-12-02T12:00:00Z"));
        let first = timing.next_after(at("2026-12-01T00:00:00Z")).unwrap();
        assert_eq!(first, at("2026-12-01T12:00:00Z"));
        let second = timing.next_after(first).unwrap();
        assert_eq!(second, at("2026-12-02T12:00:00Z"));
        assert_eq!(timing.next_after(second), None);
    }

    #[test]
    fn what_is_late_leaves_as_its_policy_says() {
        let sends = |misfire: Misfire| {
            [0, 60, 61, 600, 601].map(|seconds| misfire.sends(TimeDelta::seconds(seconds)))
        };
        assert_eq!(sends(Misfire::Send), [true; 5]);
        assert_eq!(sends(Misfire::Skip), [true, true, false, false, false]);
        let within = sends(Misfire::SendIfLateBy(600));
        assert_eq!(within, [true, true, true, true, false]);
    }
}
