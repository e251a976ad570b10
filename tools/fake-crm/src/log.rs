//! Every request and when it came.

use std::time::Duration;

use serde::Serialize;

use crate::Endpoint;

/// A request that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Time from the start of the server to the arrival.
    pub at: Duration,
    /// Of which list.
    pub on: Endpoint,
    /// Of which ticket, for messages.
    pub ticket: Option<u64>,
    /// Which page.
    pub page: u64,
}

/// All requests, in order of arrival.
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub(crate) requests: Vec<Request>,
}

impl Log {
    /// The requests.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The pages of a list that were asked for, in order.
    pub fn pages(&self, on: Endpoint) -> Vec<u64> {
        let of_list = self.requests.iter().filter(|request| request.on == on);
        of_list.map(|request| request.page).collect()
    }

    /// Requests of a list.
    pub fn count(&self, on: Endpoint) -> u64 {
        self.requests.iter().filter(|r| r.on == on).count() as u64
    }

    /// Requests that came from `from` on and before `to`.
    pub fn between(&self, from: Duration, to: Duration) -> usize {
        let before = |at: Duration| self.requests.partition_point(|r| r.at < at);
        before(to).saturating_sub(before(from))
    }

    /// Most requests in any window of this length: the check of a rate budget.
    pub fn most_in(&self, window: Duration) -> usize {
        let ends = self.requests.iter().enumerate();
        ends.map(|(last, end)| {
            let first = self.requests.partition_point(|r| r.at + window <= end.at);
            last + 1 - first
        })
        .max()
        .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_window_is_found() {
        let request = |ms| Request {
            at: Duration::from_millis(ms),
            on: Endpoint::Tickets,
            ticket: None,
            page: 1,
        };
        let log = Log {
            requests: [0, 100, 900, 1_000, 1_099, 1_100].map(request).to_vec(),
        };
        assert_eq!(log.most_in(Duration::from_secs(1)), 4);
        assert_eq!(log.most_in(Duration::from_millis(1)), 1);
        assert_eq!(
            log.between(Duration::from_millis(100), Duration::from_secs(1)),
            2
        );
    }
}
