//! The two headers of an answer that matter: its clock, and when to come back.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text)
        .ok()
        .map(|at| at.with_timezone(&Utc))
}

/// The other side's clock.
pub fn clock(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    text(headers, DATE).and_then(date)
}

/// How long to wait, given in seconds or as a date. A date is compared with the clock that it was
/// made by; without one, with ours, if given.
pub fn retry_after(headers: &HeaderMap, now: Option<DateTime<Utc>>) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER)?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = date(text)? - clock(headers).or(now)?;
    Some(wait.to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(retry_after_text: &'static str, date: Option<&'static str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_text.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        let ours = "2026-11-06T08:49:00Z".parse().unwrap();
        retry_after(&headers, Some(ours)).map(|wait| wait.as_secs())
    }

    #[test]
    fn both_forms_are_understood_and_dates_by_their_own_clock() {
        let at = "Fri, 06 Nov 2026 08:49:37 GMT";
        assert_eq!(wait("120", None), Some(120));
        assert_eq!(wait(at, None), Some(37));
        assert_eq!(wait(at, Some("Fri, 06 Nov 2026 08:49:30 GMT")), Some(7));
        assert_eq!(wait(at, Some("Fri, 06 Nov 2026 09:49:30 GMT")), Some(0));
        assert_eq!(wait("soon", None), None);
        assert_eq!(wait("-5", None), None);
    }
}
