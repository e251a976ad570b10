//! When a request that failed is tried again.

use std::time::Duration;

/// How a request to the other side failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The other side asks to wait: 429, or 503 with `Retry-After`; with how long, where it says so.
    Quota(Option<Duration>),
    /// 5xx, a broken or silent connection.
    Transient,
    /// A body that is no page: it may be a hiccup, but is not waited out for long.
    Malformed,
    /// Refused for good: wrong token, other 4xx, a redirect, an address that must not be reached.
    Permanent,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Try again after this time.
    After(Duration),
    /// The run fails.
    GiveUp,
}

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// Without `Retry-After`, a quota is taken to be per minute.
const QUOTA: Duration = Duration::from_secs(60);
/// No `Retry-After` is obeyed for longer than a day.
const LONGEST_QUOTA: Duration = Duration::from_hours(24);
const TRANSIENT_TRIES: u32 = 8;
const MALFORMED_TRIES: u32 = 3;

/// Decides about a page that failed for the `failures`-th time in a row, 1 or more. `jitter` is a
/// random number from 0 to 1. A quota is waited for without end; it is no failure.
pub fn next_try(failure: Failure, failures: u32, jitter: f64) -> Retry {
    let tries = match failure {
        Failure::Quota(asked) => {
            return Retry::After(asked.unwrap_or(QUOTA).clamp(FIRST, LONGEST_QUOTA));
        }
        Failure::Transient => TRANSIENT_TRIES,
        Failure::Malformed => MALFORMED_TRIES,
        Failure::Permanent => return Retry::GiveUp,
    };
    if failures >= tries {
        return Retry::GiveUp;
    }
    let doubled = 1_u32
        .checked_shl(failures.saturating_sub(1))
        .unwrap_or(u32::MAX);
    let ceiling = FIRST.saturating_mul(doubled).min(LONGEST);
    let spread = jitter.clamp(0.0, 1.0).mul_add(0.5, 0.5);
    Retry::After(ceiling.mul_f64(spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_waited_for_and_failures_back_off_until_they_count() {
        let seconds = Duration::from_secs;
        let asked = Failure::Quota(Some(seconds(7)));
        assert_eq!(next_try(asked, 99, 0.0), Retry::After(seconds(7)));
        assert_eq!(next_try(Failure::Quota(None), 99, 0.0), Retry::After(QUOTA));
        let waits: Vec<_> = (1..=8)
            .map(|n| next_try(Failure::Transient, n, 1.0))
            .collect();
        let after = |s| Retry::After(seconds(s));
        let expected = [1, 2, 4, 8, 16, 32, 60].map(after);
        assert_eq!(waits.split_last(), Some((&Retry::GiveUp, &expected[..])));
        assert_eq!(
            next_try(Failure::Transient, 1, 0.0),
            Retry::After(Duration::from_millis(500))
        );
        assert_eq!(next_try(Failure::Malformed, 3, 0.0), Retry::GiveUp);
        assert_eq!(next_try(Failure::Permanent, 1, 0.0), Retry::GiveUp);
    }
}
