use chrono::DateTime;

use super::*;

fn at(ms: i64) -> Instant {
    DateTime::from_timestamp_millis(1_780_000_000_000 + ms).unwrap()
}

fn limit(n: u32) -> RequestsPerMinute {
    RequestsPerMinute::new(i64::from(n)).unwrap()
}

fn ms(instant: Instant) -> i64 {
    (instant - at(0)).num_milliseconds()
}

/// Starts that `workers` make over `until` ms: each asks, starts what it got, and asks again when
/// the answer is there; who must wait comes back late by a latency that differs each time. Between
/// two questions the budget lives in its stored form only, as it does between replicas.
fn play(n: u32, workers: usize, batch: u32, until: i64) -> Vec<i64> {
    let mut stored = Pace::default().to_bytes();
    let mut due: Vec<i64> = (0..workers).map(|w| w as i64).collect();
    let mut starts = Vec::new();
    let mut noise = 7_u64;
    loop {
        let (worker, now) = due
            .iter()
            .copied()
            .enumerate()
            .min_by_key(|(_, at)| *at)
            .unwrap();
        if now >= until {
            return starts;
        }
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let jitter = (noise >> 33) as i64;
        let mut pace = Pace::from_bytes(&stored).unwrap();
        due[worker] = match pace.admit(at(now), limit(n), batch) {
            Admission::Granted(count) => {
                starts.extend((0..count).map(|_| now));
                now + 20 + jitter % 180
            }
            Admission::WaitUntil(then) => ms(then).max(now) + jitter % 20,
        };
        stored = pace.to_bytes();
    }
}

fn most_in(window: i64, starts: &[i64]) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (last, start) in starts.iter().enumerate() {
        while starts[first] + window <= *start {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

#[test]
fn ten_minutes_never_exceed_the_limit_and_use_95_percent_of_it() {
    for (n, workers, batch) in [
        (50, 2, 1),
        (1, 2, 1),
        (60, 7, 3),
        (1_000, 40, 10),
        (60_000, 64, 50),
    ] {
        let starts = play(n, workers, batch, 600_000);
        assert!(most_in(60_500, &starts) <= n as usize, "{n} a minute");
        let later = starts.iter().filter(|at| **at >= 60_000).count();
        assert!(later * 100 >= n as usize * 9 * 95, "{n} a minute: {later}");
    }
}

#[test]
fn arrivals_late_by_up_to_a_second_and_a_half_keep_the_limit() {
    let starts = play(50, 2, 1, 600_000);
    let mut arrivals: Vec<i64> = (0..)
        .zip(&starts)
        .map(|(i, at)| at + i * 7_919 % 1_500)
        .collect();
    arrivals.sort_unstable();
    assert!(most_in(60_500, &arrivals) <= 50);
}

#[test]
fn the_row_stays_small_at_any_rate() {
    let mut pace = Pace::default();
    for ms in (0..120_000).step_by(20) {
        pace.admit(at(ms), limit(60_000), 20);
    }
    assert!(pace.to_bytes().len() < 8_000);
}

#[test]
fn a_pause_holds_everybody_and_is_never_shortened() {
    let mut pace = Pace::default();
    pace.pause(at(30_000));
    pace.pause(at(10_000));
    assert_eq!(
        pace.admit(at(0), limit(5), 1),
        Admission::WaitUntil(at(30_000))
    );
    assert_eq!(pace.admit(at(30_000), limit(5), 9), Admission::Granted(5));
}

#[test]
fn a_lowered_limit_and_a_clock_set_back_are_waited_for_but_not_for_ever() {
    let mut pace = Pace::default();
    assert_eq!(pace.admit(at(0), limit(10), 4), Admission::Granted(4));
    assert_eq!(pace.admit(at(5_000), limit(10), 4), Admission::Granted(4));
    let wait = pace.admit(at(6_000), limit(3), 1);
    assert_eq!(wait, Admission::WaitUntil(at(67_000)), "until two are left");
    let back = at(-86_400_000);
    assert_eq!(
        pace.admit(back, limit(3), 1),
        Admission::WaitUntil(back + WINDOW)
    );
    assert_eq!(
        pace.admit(back + WINDOW, limit(3), 1),
        Admission::Granted(1)
    );
}

#[test]
fn damaged_bytes_are_noticed() {
    assert_eq!(Pace::from_bytes(&[]), None);
    assert_eq!(Pace::from_bytes(&[0; 9]), None);
    assert_eq!(Pace::from_bytes(&[0; 8]), Some(Pace::default()));
}
