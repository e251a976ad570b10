//! A year of virtual time against a plain reference: changes of clocks both ways, quiet hours, pauses, restarts, and
//! times at which nobody is there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, TimeDelta, TimeZone as _, Timelike};
use domain::{
    customer::Channel,
    scheduling::{Message, Misfire, Plan, QuietHours, Recipients, Timing},
    shared::{CommunicationId, Instant},
    workspace::{SendingRules, TimeZone},
};
use serde_json::json;

use super::{Left, Rig, actor, zone_of};

/// What a clock shows: minute and hour of the day, the day of the week or every day, and its zone.
type Shown = (u32, u32, Option<u32>, TimeZone);

/// Numbers that look random, the same every time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A communication as the reference knows it.
struct Known {
    id: CommunicationId,
    plan: Plan,
    /// Minute and hour of the day, and the day of the week or every day; what is sent once has none.
    clock: Option<Shown>,
    due: Option<Instant>,
    paused: bool,
    occurrence: i64,
    /// Dispatches of its occurrence that are held: its next time counts from when they have left.
    held: usize,
    claimed: Instant,
}

/// The first time after an instant at which the clock of a zone shows it: minute by minute.
fn next((minute, hour, weekday, zone): Shown, after: Instant) -> Instant {
    let mut day = after.with_timezone(&zone).date_naive().pred_opt().unwrap();
    loop {
        day = day.succ_opt().unwrap();
        if weekday.is_some_and(|weekday| day.weekday().num_days_from_sunday() != weekday) {
            continue;
        }
        let mut shown = day.and_hms_opt(hour, minute, 0).unwrap();
        // What is skipped comes right after the gap, what is there twice the first time.
        let at = loop {
            match zone.from_local_datetime(&shown).earliest() {
                Some(at) => break at.to_utc(),
                None => shown += TimeDelta::minutes(1),
            }
        };
        if at > after {
            return at;
        }
    }
}

/// When a night ends that an instant is in: minute by minute.
fn morning(zone: TimeZone, now: Instant) -> Instant {
    let mut at = now;
    loop {
        let hour = at.with_timezone(&zone).hour();
        if (8..21).contains(&hour) {
            return at;
        }
        let rest = TimeDelta::seconds(i64::from(at.second()))
            + TimeDelta::nanoseconds(i64::from(at.nanosecond()));
        at = at - rest + TimeDelta::minutes(1);
    }
}

impl Known {
    /// Takes what is due at an instant at which somebody is there; what is held leaves in the morning.
    fn claim(&mut self, now: Instant, expected: &mut Left, held: &mut BTreeMap<String, Instant>) {
        while let Some(due) = self.due.filter(|due| !self.paused && *due <= now) {
            self.occurrence += 1;
            self.claimed = due;
            if self.plan.misfire.sends(now - due) {
                let Recipients::Customers(customers) = &self.plan.recipients else {
                    unreachable!("the test names customers")
                };
                for customer in customers {
                    let id = format!("dsp_{}.{}.sms.{customer}", self.id.raw(), self.occurrence);
                    let leaves = match self.plan.quiet_hours {
                        QuietHours::Respect => morning(zone_of(*customer), now),
                        QuietHours::Ignore => now,
                    };
                    if leaves == now {
                        expected.insert(id, now);
                    } else {
                        held.insert(id, leaves);
                        self.held += 1;
                    }
                }
            }
            self.due = None;
            self.end(now);
        }
    }

    fn end(&mut self, now: Instant) {
        if self.held == 0 {
            self.due = self.clock.map(|clock| next(clock, now.max(self.claimed)));
        }
    }
}

fn plan(dice: &mut Dice, now: Instant) -> (Plan, Option<Shown>) {
    let zone = zone_of(i64::try_from(dice.throw(3)).unwrap());
    let once = dice.throw(3) == 0;
    let number = |n: u64| u32::try_from(n).unwrap();
    // Around the hours at which clocks change, as well.
    let hour = [0, 1, 2, 3, number(dice.throw(24))][usize::try_from(dice.throw(5)).unwrap()];
    let minute = [0, 30][usize::try_from(dice.throw(2)).unwrap()];
    let weekday =
        [None, Some(0), Some(number(dice.throw(7)))][usize::try_from(dice.throw(3)).unwrap()];
    let clock = (minute, hour, weekday, zone);
    let timing = match once {
        true => {
            let wait = i64::try_from(dice.throw(60 * 24 * 60)).unwrap() + 1;
            Timing::At(now + TimeDelta::minutes(wait))
        }
        false => Timing::Recurring {
            cron: match weekday {
                None => format!("{minute} {hour} * * *"),
                Some(day) => format!("{minute} {hour} * * {day}"),
            },
            timezone: zone,
            until: None,
        },
    };
    let misfire = match dice.throw(3) {
        0 => Misfire::Send,
        1 => Misfire::Skip,
        _ => Misfire::SendIfLateBy(3_600),
    };
    let first = i64::try_from(dice.throw(900)).unwrap() + 1;
    let plan = Plan {
        timing,
        recipients: Recipients::Customers((first..first + 3).collect()),
        channels: BTreeSet::from([Channel::Sms]),
        message: Message {
            text: Some("Hi".to_owned()),
            ..Message::default()
        },
        misfire,
        quiet_hours: match dice.throw(3) {
            0 => QuietHours::Ignore,
            _ => QuietHours::Respect,
        },
        transactional: false,
        rate_per_minute: None,
        freshness_minutes: None,
        recycle: None,
    };
    (plan, (!once).then_some(clock))
}

#[tokio::test]
async fn a_year_goes_as_a_plain_reference_says() {
    let rules = json!({"quiet_hours": [{"from": "21:00:00", "to": "08:00:00"}]});
    let rules: SendingRules = serde_json::from_value(rules).unwrap();
    let mut rig = Rig::new(rules).await;
    let start: Instant = "2026-01-15T12:00:00Z".parse().unwrap();
    rig.set(start);
    let mut dice = Dice(20_261_201);
    let mut known: Vec<Known> = Vec::new();
    let (mut expected, mut held): (Left, BTreeMap<String, Instant>) = Default::default();
    let (mut restarts, mut gone) = (0, 0);
    while rig.now() < start + TimeDelta::days(366) {
        if known.len() < 14 {
            let (plan, clock) = plan(&mut dice, rig.now());
            let id = rig.create(plan.clone()).await;
            let due = match (&plan.timing, clock) {
                (Timing::At(at), _) => *at,
                (_, Some(clock)) => next(clock, rig.now()),
                (_, None) => unreachable!("what recurs has a clock"),
            };
            known.push(Known {
                id,
                plan,
                clock,
                due: Some(due),
                paused: false,
                occurrence: 0,
                held: 0,
                claimed: start,
            });
        }
        match dice.throw(8) {
            0 => {
                rig.restart();
                restarts += 1;
            }
            1 => turn(&rig, &mut known, &mut dice).await,
            _ => {}
        }
        // Mostly somebody is there all the time; sometimes nobody is, for up to four days.
        let wait = TimeDelta::seconds(i64::try_from(dice.throw(36 * 3_600)).unwrap() + 1);
        let until = rig.now() + wait;
        if dice.throw(6) == 0 {
            gone += 1;
            rig.set(until + TimeDelta::seconds(i64::try_from(dice.throw(60 * 3_600)).unwrap()));
            rig.settle().await;
            let now = rig.now();
            catch_up(&mut known, now, &mut expected, &mut held);
        } else {
            rig.run_until(until).await;
            loop {
                let due = known
                    .iter()
                    .filter(|one| !one.paused)
                    .filter_map(|one| one.due)
                    .min();
                let due = due.into_iter().chain(held.values().copied().min()).min();
                let Some(now) = due.filter(|due| *due <= until) else {
                    break;
                };
                catch_up(&mut known, now, &mut expected, &mut held);
            }
        }
        assert_eq!(rig.left, expected, "at {}", rig.now());
    }
    assert!(
        restarts > 20 && gone > 20 && expected.len() > 1_500,
        "{restarts} {gone} {}",
        expected.len()
    );
}

/// What happens at an instant at which somebody is there.
fn catch_up(
    known: &mut [Known],
    now: Instant,
    expected: &mut Left,
    held: &mut BTreeMap<String, Instant>,
) {
    for one in known.iter_mut() {
        one.claim(now, expected, held);
    }
    let ready: Vec<String> = held
        .iter()
        .filter(|(_, at)| **at <= now)
        .map(|(id, _)| id.clone())
        .collect();
    for id in ready {
        let customer: i64 = id.rsplit('.').next().unwrap().parse().unwrap();
        // It may be night again when somebody comes.
        let leaves = morning(zone_of(customer), now);
        if leaves == now {
            held.remove(&id);
            let of = |one: &&mut Known| id.starts_with(&format!("dsp_{}.", one.id.raw()));
            let one = known.iter_mut().find(of).unwrap();
            one.held -= 1;
            one.end(now);
            expected.insert(id, now);
        } else {
            held.insert(id, leaves);
        }
    }
}

/// Pauses or resumes one that recurs and of which nothing is held.
async fn turn(rig: &Rig, known: &mut [Known], dice: &mut Dice) {
    let at = usize::try_from(dice.throw(64)).unwrap() % known.len();
    let one = &mut known[at];
    let (Some(clock), false) = (one.clock, rig.get(one.id).await.0.in_flight) else {
        return;
    };
    let change = &rig.cases.change;
    if one.paused {
        change.resume(&actor(), one.id).await.unwrap();
        one.due = Some(next(clock, rig.now()));
    } else {
        change.pause(&actor(), one.id).await.unwrap();
    }
    one.paused = !one.paused;
}
