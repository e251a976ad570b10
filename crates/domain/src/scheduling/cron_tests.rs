use std::time::{Duration, Instant as Stopwatch};

use chrono_tz::{
    America::{New_York, Sao_Paulo},
    Australia::Lord_Howe,
    Europe::Berlin,
    Pacific::Apia,
};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// The next runs after an instant, as local times with their offsets.
fn runs(expression: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
    let cron = Cron::parse(expression, zone).unwrap();
    let next = |last: &Instant| cron.next_after(*last);
    let runs = std::iter::successors(Some(at(after)), next).skip(1);
    let local = |run: Instant| run.with_timezone(&zone).format("%m-%d %H:%M%:z");
    runs.take(count).map(|run| local(run).to_string()).collect()
}

#[test]
fn the_next_run_is_strictly_later() {
    let nightly = Cron::parse(" 0  3 * * * ", Tz::UTC).unwrap();
    assert_eq!((nightly.as_str(), nightly.zone()), ("0 3 * * *", Tz::UTC));
    let next = |now| nightly.next_after(at(now)).unwrap();
    assert_eq!(next("2026-03-01T02:59:59Z"), at("2026-03-01T03:00:00Z"));
    assert_eq!(next("2026-03-01T03:00:00Z"), at("2026-03-02T03:00:00Z"));
    assert_eq!(next("2026-03-01T03:00:00.001Z"), at("2026-03-02T03:00:00Z"));
}

#[test]
fn what_a_gap_skips_runs_once_after_it() {
    let eve = "2026-03-28T12:00:00Z";
    let next_day = ["03-30 02:00+02:00", "03-30 02:30+02:00"];
    let both = ["03-29 03:00+02:00", next_day[0], next_day[1]];
    assert_eq!(runs("0,30 2 * * *", Berlin, eve, 3), both);
    let one = ["03-29 03:00+02:00", next_day[1]];
    assert_eq!(runs("30 2 * * *", Berlin, eve, 2), one);
    let with_three = ["03-29 03:00+02:00", "03-29 03:30+02:00", next_day[1]];
    assert_eq!(runs("30 2,3 * * *", Berlin, eve, 3), with_three);
    let new_york = [
        "03-07 02:30-05:00",
        "03-08 03:00-04:00",
        "03-09 02:30-04:00",
    ];
    assert_eq!(
        runs("30 2 * * *", New_York, "2026-03-07T00:00:00Z", 3),
        new_york
    );
}

#[test]
fn a_gap_may_begin_at_midnight_and_last_half_an_hour() {
    let sao_paulo = [
        "11-03 00:00-03:00",
        "11-04 01:00-02:00",
        "11-05 00:00-02:00",
    ];
    assert_eq!(
        runs("0 0 * * *", Sao_Paulo, "2018-11-02T12:00:00Z", 3),
        sao_paulo
    );
    let lord_howe = [
        "10-03 02:15+10:30",
        "10-04 02:30+11:00",
        "10-05 02:15+11:00",
    ];
    assert_eq!(
        runs("15 2 * * *", Lord_Howe, "2026-10-02T12:00:00Z", 3),
        lord_howe
    );
    // A day that a zone left out is a gap like any other.
    let apia = [
        "12-29 09:00-10:00",
        "12-31 00:00+14:00",
        "12-31 09:00+14:00",
    ];
    assert_eq!(runs("0 9 * * *", Apia, "2011-12-29T12:00:00Z", 3), apia);
}

#[test]
fn what_comes_twice_runs_the_first_time() {
    let berlin = [
        "10-25 02:00+02:00",
        "10-25 02:30+02:00",
        "10-26 02:00+01:00",
        "10-26 02:30+01:00",
    ];
    assert_eq!(
        runs("0,30 2 * * *", Berlin, "2026-10-24T12:00:00Z", 4),
        berlin
    );
    // Whoever looks between the two times is not too late for the first.
    let between = "2026-10-25T01:10:00Z";
    assert_eq!(runs("0,30 2 * * *", Berlin, between, 2), berlin[2..]);
    let lord_howe = ["04-05 01:45+11:00", "04-06 01:45+10:30"];
    assert_eq!(
        runs("45 1 * * *", Lord_Howe, "2026-04-04T12:00:00Z", 2),
        lord_howe
    );
    // At midnight the clock goes back to the day before.
    let sao_paulo = ["02-17 23:30-02:00", "02-18 23:30-03:00"];
    assert_eq!(
        runs("30 23 * * *", Sao_Paulo, "2018-02-17T12:00:00Z", 2),
        sao_paulo
    );
}

#[test]
fn every_hour_means_the_hours_that_pass() {
    let spring = [
        "03-29 01:40+01:00",
        "03-29 03:00+02:00",
        "03-29 03:20+02:00",
    ];
    assert_eq!(
        runs("*/20 * * * *", Berlin, "2026-03-29T00:20:00Z", 3),
        spring
    );
    let autumn = [
        "10-25 02:00+02:00",
        "10-25 02:30+02:00",
        "10-25 02:00+01:00",
        "10-25 02:30+01:00",
        "10-25 03:00+01:00",
    ];
    assert_eq!(
        runs("*/30 * * * *", Berlin, "2026-10-24T23:30:00Z", 5),
        autumn
    );
    let lord_howe = [
        "04-05 01:45+11:00",
        "04-05 01:45+10:30",
        "04-05 02:45+10:30",
    ];
    assert_eq!(
        runs("45 * * * *", Lord_Howe, "2026-04-04T14:00:00Z", 3),
        lord_howe
    );
    // The second time may be the last one of a date that then is a year away.
    let sao_paulo = [
        "02-17 22:00-02:00",
        "02-17 23:00-02:00",
        "02-17 23:00-03:00",
    ];
    assert_eq!(
        runs("0 * 17 2 *", Sao_Paulo, "2018-02-17T23:00:00Z", 3),
        sao_paulo
    );
}

#[test]
fn a_leap_day_runs_when_there_is_one() {
    let leap = Cron::parse("0 12 29 2 *", Sao_Paulo).unwrap();
    let first = leap.next_after(at("2026-01-01T00:00:00Z")).unwrap();
    assert_eq!(first, at("2028-02-29T15:00:00Z"));
    let beyond_a_century = leap.next_after(at("2096-03-01T00:00:00Z")).unwrap();
    assert_eq!(beyond_a_century, at("2104-02-29T15:00:00Z"));
}

#[test]
fn what_is_no_expression_of_five_fields_is_refused() {
    let long = format!("{} * * * *", ["1"; 70].join(","));
    for bad in [
        "",
        "* * * *",
        "* * * * * *",
        "0 0 1 1 * 2099",
        "61 * * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "@daily",
        "a b c d e",
        &long,
    ] {
        assert_eq!(Cron::parse(bad, Berlin), Err(CronError::Malformed), "{bad}");
    }
}

#[test]
fn what_never_runs_is_refused_quickly() {
    let begun = Stopwatch::now();
    for never in [
        "0 0 30 2 *",
        "0 0 31 2,4,6 *",
        "0 0 30-31 2 +MON",
        ", 0 * * *",
    ] {
        let refused = Cron::parse(never, Berlin);
        assert_eq!(refused, Err(CronError::NeverRuns), "{never}");
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
    for rare in ["0 0 31 4,5 *", "0 0 30 2 MON", "0 0 L 2 *", "0 0 * 2 MON#5"] {
        Cron::parse(rare, Berlin).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Beside a plain search minute by minute, around the changes of a year.
    #[test]
    fn runs_are_those_of_a_search_minute_by_minute(
        minute in 0_u32..60,
        hour in prop::option::of(0_u32..24),
        zone in prop::sample::select(vec![Berlin, New_York, Sao_Paulo, Lord_Howe]),
        (change, before) in (
            prop::sample::select(vec![
                "2018-11-04T03:00:00Z", "2018-02-18T02:00:00Z", "2026-03-29T01:00:00Z",
                "2026-10-25T01:00:00Z", "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z",
                "2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z",
            ]),
            0_i64..300,
        ),
    ) {
        let hours = hour.map_or_else(|| "*".to_owned(), |hour| hour.to_string());
        let cron = Cron::parse(&format!("{minute} {hours} * * *"), zone).unwrap();
        let from = at(change) - TimeDelta::minutes(before);
        let next = cron.next_after(from).unwrap();
        let searched = search(minute, hour, zone, from);
        prop_assert_eq!(next, searched, "{} {} after {}", cron, zone, from);
    }
}

/// The first whole minute after `from` at which a clock on the wall that is looked at every minute shows
/// the time, or has jumped over it.
fn search(minute: u32, hour: Option<u32>, zone: Tz, from: Instant) -> Instant {
    use chrono::Timelike as _;
    let local = |at: Instant| at.with_timezone(&zone).naive_local();
    let shows = |wall: NaiveDateTime| {
        wall.minute() == minute && hour.is_none_or(|hour| wall.hour() == hour)
    };
    let minutes = (1..).map(|n| from + TimeDelta::minutes(n));
    let is_run = |at: &Instant| {
        let (before, now) = (local(*at - TimeDelta::minutes(1)), local(*at));
        let step = (now - before).num_minutes();
        if hour.is_none() {
            return shows(now);
        }
        let skipped = (1..step).map(|n| before + TimeDelta::minutes(n)).any(shows);
        let shown = |n| local(*at - TimeDelta::minutes(n)) == now;
        skipped || (shows(now) && !(1..=180).any(shown))
    };
    minutes.into_iter().find(is_run).unwrap()
}
