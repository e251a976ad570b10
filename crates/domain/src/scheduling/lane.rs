//! What of an occurrence has not left yet.

use chrono::TimeDelta;

use crate::{
    shared::{CommunicationId, Instant, WorkspaceId},
    workspace::SendingRules,
};

/// What a rate lets leave at once after nothing has left for a while: what it lets leave in this time.
const BURST: TimeDelta = TimeDelta::seconds(1);
/// Shortest time between two rounds of a lane with a rate.
const ROUND: TimeDelta = TimeDelta::milliseconds(200);

/// Dispatches of an occurrence that wait: for quiet hours to end, for their turn in a rate, or until the communication
/// is resumed. They leave in the order of the instants that they wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The communication.
    pub communication: CommunicationId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// The number of its occurrence.
    pub occurrence: i64,
    /// When the next of them may leave; `None` while the communication is paused.
    pub due_at: Option<Instant>,
    /// When the rate lets another one leave.
    pub next_slot: Instant,
    /// How many there are.
    pub waiting: i64,
    /// When and how often people may be written to, as of the time at which recipients were found.
    pub rules: SendingRules,
}

impl Lane {
    /// How many may leave now, at this many in a minute, of at most so many.
    pub fn allowance(&self, rate_per_minute: Option<u32>, now: Instant, most: i64) -> i64 {
        let Some(period) = rate_per_minute.map(period) else {
            return most;
        };
        let waited = (now - self.next_slot.max(now - BURST)).num_microseconds();
        match waited {
            Some(waited) if waited >= 0 => (waited / period + 1).min(most),
            _ => 0,
        }
    }

    /// So many have left now; the next one may leave after them. `earliest` is what the next one waits for.
    pub fn left(
        &mut self,
        count: i64,
        rate_per_minute: Option<u32>,
        earliest: Option<Instant>,
        now: Instant,
    ) {
        self.waiting -= count;
        let mut due = earliest.unwrap_or(now);
        if let Some(period) = rate_per_minute.map(period) {
            let from = self.next_slot.max(now - BURST);
            self.next_slot = from + TimeDelta::microseconds(period.saturating_mul(count));
            due = due.max(self.next_slot).max(now + ROUND);
        }
        if self.due_at.is_some() {
            self.due_at = Some(due);
        }
    }
}

/// Microseconds between two.
fn period(rate_per_minute: u32) -> i64 {
    60_000_000 / i64::from(rate_per_minute.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::milliseconds(millis)
    }

    fn lane(waiting: i64) -> Lane {
        Lane {
            communication: CommunicationId::from_raw(1),
            workspace: WorkspaceId::parse("w").unwrap(),
            occurrence: 1,
            due_at: Some(at(10_000)),
            next_slot: at(10_000),
            waiting,
            rules: SendingRules::default(),
        }
    }

    #[test]
    fn a_rate_is_kept_over_any_minute() {
        let rate = Some(600);
        let mut lane = lane(10_000);
        let mut left = Vec::new();
        let mut now = at(10_000);
        // Rounds come late, and once nobody is there for ten seconds.
        for round in 0..2_000_i64 {
            let count = lane.allowance(rate, now, 1_000);
            lane.left(count, rate, None, now);
            left.extend(std::iter::repeat_n(now, usize::try_from(count).unwrap()));
            let late = TimeDelta::milliseconds(match round {
                500 => 10_000,
                n => n * 7 % 90,
            });
            now = lane.due_at.unwrap() + late;
        }
        for (first, at) in left.iter().enumerate() {
            let within = left[first..]
                .iter()
                .take_while(|other| **other - *at < TimeDelta::minutes(1));
            let count = within.count();
            // What a second lets leave may be caught up with.
            assert!(count <= 610, "{count}");
        }
        let took = *left.last().unwrap() - left[0];
        let minutes = took.num_seconds() as usize / 60;
        assert!(
            left.len() >= (minutes - 1) * 590,
            "{} in {minutes}",
            left.len()
        );
    }

    #[test]
    fn without_a_rate_everything_leaves_when_it_may() {
        let mut lane = lane(1_500);
        assert_eq!(lane.allowance(None, at(10_000), 1_000), 1_000);
        lane.left(1_000, None, Some(at(9_000)), at(10_000));
        assert_eq!((lane.waiting, lane.due_at), (500, Some(at(9_000))));
        lane.due_at = None;
        lane.left(0, None, Some(at(9_000)), at(10_000));
        assert_eq!(lane.due_at, None, "it is paused");
    }
}
