//! `Prefer: wait=N` (RFC 7240).

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// Longest wait, in seconds.
const MAX_WAIT: u64 = 60;

/// Says which preference was heeded.
pub const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How long the client wants to wait for the end of the work: the first well-formed `wait`, at
/// most 60 seconds. A preference that is not understood is ignored, as the RFC wants.
pub fn wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers
        .get_all("prefer")
        .filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split(','));
    preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("wait") {
            return None;
        }
        let value = value.trim().trim_matches('"');
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| Duration::from_secs(value.parse().unwrap_or(MAX_WAIT).min(MAX_WAIT)))
    })
}

/// Value of [`PREFERENCE_APPLIED`] for a wait.
pub fn applied(wait: Duration) -> HeaderValue {
    HeaderValue::try_from(format!("wait={}", wait.as_secs()))
        .unwrap_or_else(|_| HeaderValue::from_static("wait"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_well_formed_wait_counts() {
        for (value, seconds) in [
            ("wait=5", Some(5)),
            ("respond-async, wait=10", Some(10)),
            ("Wait = \"7\"; foo=bar", Some(7)),
            ("wait=0", Some(0)),
            ("wait=61", Some(60)),
            ("wait=99999999999999999999", Some(60)),
            ("wait=-1", None),
            ("wait", None),
            ("wait=x, wait=3", Some(3)),
            ("return=minimal", None),
        ] {
            let name = HeaderName::from_static("prefer");
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
            assert_eq!(
                wait(&headers).map(|wait| wait.as_secs()),
                seconds,
                "{value}"
            );
        }
        assert_eq!(wait(&HeaderMap::new()), None);
        assert_eq!(applied(Duration::from_secs(5)), "wait=5");
    }
}
