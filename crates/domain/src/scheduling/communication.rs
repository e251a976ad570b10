//! Something that is to be sent, and where it stands.

use super::{Plan, Timing};
use crate::shared::{CommunicationId, Instant, WorkspaceId, text_enum};

text_enum!(
    /// Where a communication stands.
    CommunicationState {
        /// Kept, without a time that counts.
        Draft = "draft",
        /// It waits for its instant.
        Scheduled = "scheduled",
        /// Its recipients are being found.
        Resolving = "resolving",
        /// Dispatches leave.
        Dispatching = "dispatching",
        /// It waits until it is resumed.
        Paused = "paused",
        /// Every dispatch has left.
        Completed = "completed",
        /// It could not be sent.
        Failed = "failed",
        /// It was cancelled before its instant.
        Cancelled = "cancelled",
        /// It was late, and its policy says that it does not leave then.
        Skipped = "skipped",
    }
);

/// It was claimed: what has left cannot be called back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has been dispatched, or has ended")]
pub struct AlreadyDispatched;

/// Something that is to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Communication {
    /// Its id.
    pub id: CommunicationId,
    /// Owner.
    pub workspace: WorkspaceId,
    /// Name.
    pub name: String,
    /// Where it stands.
    pub state: CommunicationState,
    /// When what is sent to whom.
    pub plan: Plan,
    /// The instant that it waits for, or was last claimed for.
    pub due_at: Instant,
    /// The number of its latest occurrence; 0 before the first.
    pub occurrence: i64,
    /// Whether that was claimed and has not ended.
    pub in_flight: bool,
    /// Grows with every change: the `ETag`.
    pub version: i64,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Instant,
    /// When it changed last.
    pub updated_at: Instant,
}

/// One time that a communication was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Of this communication.
    pub communication: CommunicationId,
    /// Its number, from 1.
    pub number: i64,
    /// When it was to be sent.
    pub scheduled_for: Instant,
    /// When it was claimed.
    pub claimed_at: Instant,
    /// Where it stands: as a communication, from `resolving` on.
    pub state: CommunicationState,
    /// Parts in which its recipients arrive, as soon as that is known.
    pub parts: Option<i64>,
    /// Parts that have arrived.
    pub arrived: i64,
    /// When it ended.
    pub ended_at: Option<Instant>,
}

impl Occurrence {
    /// A part of its recipients has arrived; one of them says how many there are.
    pub fn arrive(&mut self, parts: Option<i64>) {
        self.arrived += 1;
        self.parts = parts.or(self.parts);
        self.state = CommunicationState::Dispatching;
    }

    /// Whether all of its recipients have arrived.
    pub fn has_all(&self) -> bool {
        self.parts.is_some_and(|parts| self.arrived >= parts)
    }

    /// Everything has left, or could not.
    pub const fn end(&mut self, state: CommunicationState, now: Instant) {
        self.state = state;
        self.ended_at = Some(now);
    }
}

impl Communication {
    /// Its present occurrence, claimed at an instant for the one that it waited for until then.
    pub fn occurred(&self, scheduled_for: Instant, now: Instant) -> Occurrence {
        let skipped = self.state != CommunicationState::Resolving;
        Occurrence {
            communication: self.id,
            number: self.occurrence,
            scheduled_for,
            claimed_at: now,
            state: match skipped {
                true => CommunicationState::Skipped,
                false => CommunicationState::Resolving,
            },
            parts: None,
            arrived: 0,
            ended_at: skipped.then_some(now),
        }
    }

    /// Whether nothing happens to it any more but what senders report.
    pub const fn has_ended(&self) -> bool {
        matches!(
            self.state,
            CommunicationState::Completed
                | CommunicationState::Failed
                | CommunicationState::Cancelled
                | CommunicationState::Skipped
        )
    }

    /// Takes it to be sent, as of its instant; `false` where it no longer waits, or its policy skips what is as late
    /// as this.
    pub fn claim(&mut self, now: Instant) -> bool {
        if self.state != CommunicationState::Scheduled {
            return false;
        }
        self.occurrence += 1;
        let sends = self.plan.misfire.sends(now - self.due_at);
        if sends {
            self.in_flight = true;
            self.change(CommunicationState::Resolving, now);
        } else {
            self.end_occurrence(CommunicationState::Skipped, now);
        }
        sends
    }

    /// Cancels it; `false` where it is cancelled already.
    ///
    /// # Errors
    /// When it was claimed before.
    pub fn cancel(&mut self, now: Instant) -> Result<bool, AlreadyDispatched> {
        match self.state {
            CommunicationState::Cancelled => Ok(false),
            _ => {
                self.ensure_waits()?;
                self.change(CommunicationState::Cancelled, now);
                Ok(true)
            }
        }
    }

    /// Lets it wait until it is resumed, or what of it has not left yet; `false` where it does already.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pause(&mut self, now: Instant) -> Result<bool, AlreadyDispatched> {
        if !self.in_flight {
            self.ensure_waits()?;
        }
        if self.state == CommunicationState::Paused {
            return Ok(false);
        }
        self.change(CommunicationState::Paused, now);
        Ok(true)
    }

    /// Lets it wait for its instant again, or go on with what has not left; `false` where it does already. What recurs
    /// waits for its next time; what is sent once is late where its instant has passed.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resume(&mut self, now: Instant) -> Result<bool, AlreadyDispatched> {
        if self.in_flight {
            let was = self.state == CommunicationState::Paused;
            if was {
                self.change(CommunicationState::Dispatching, now);
            }
            return Ok(was);
        }
        self.ensure_waits()?;
        if self.state == CommunicationState::Scheduled {
            return Ok(false);
        }
        if let Timing::Recurring { .. } = self.plan.timing
            && let Some(next) = self.plan.timing.next_after(now)
        {
            self.due_at = next;
        }
        self.change(CommunicationState::Scheduled, now);
        Ok(true)
    }

    /// Changes what is sent to whom, and when: `due_at` is its next time.
    ///
    /// # Errors
    /// When it was claimed before, or has ended.
    pub fn plan_anew(
        &mut self,
        name: String,
        plan: Plan,
        due_at: Instant,
        now: Instant,
    ) -> Result<(), AlreadyDispatched> {
        self.ensure_waits()?;
        (self.name, self.plan, self.due_at) = (name, plan, due_at);
        self.change(self.state, now);
        Ok(())
    }

    /// Refuses what was claimed, or has ended.
    const fn ensure_waits(&self) -> Result<(), AlreadyDispatched> {
        if self.in_flight {
            return Err(AlreadyDispatched);
        }
        match self.state {
            CommunicationState::Draft
            | CommunicationState::Scheduled
            | CommunicationState::Paused => Ok(()),
            CommunicationState::Resolving
            | CommunicationState::Dispatching
            | CommunicationState::Completed
            | CommunicationState::Failed
            | CommunicationState::Cancelled
            | CommunicationState::Skipped => Err(AlreadyDispatched),
        }
    }

    /// Its recipients arrive.
    pub fn dispatches(&mut self, now: Instant) {
        if self.state == CommunicationState::Resolving {
            self.change(CommunicationState::Dispatching, now);
        }
    }

    /// Its present occurrence has ended so. One that recurs waits for its next time, or until it is resumed.
    pub fn end_occurrence(&mut self, state: CommunicationState, now: Instant) {
        self.in_flight = false;
        let next = match &self.plan.timing {
            Timing::At(_) => None,
            // Times that have passed meanwhile are not made up for.
            recurring @ Timing::Recurring { .. } => recurring.next_after(now.max(self.due_at)),
        };
        match next {
            Some(next) => {
                self.due_at = next;
                let state = match self.state {
                    CommunicationState::Paused => CommunicationState::Paused,
                    _ => CommunicationState::Scheduled,
                };
                self.change(state, now);
            }
            None => self.change(state, now),
        }
    }

    fn change(&mut self, state: CommunicationState, now: Instant) {
        self.state = state;
        self.version += 1;
        self.updated_at = now;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;
    use chrono_tz::Tz;

    use super::*;
    use crate::{
        customer::Channel,
        scheduling::{Message, Misfire, QuietHours, Recipients},
    };

    fn at(seconds: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn communication(timing: Timing, misfire: Misfire) -> Communication {
        Communication {
            id: CommunicationId::from_raw(1),
            workspace: WorkspaceId::parse("w").unwrap(),
            name: "n".to_owned(),
            state: CommunicationState::Scheduled,
            due_at: timing.next_after(at(0)).unwrap(),
            plan: Plan {
                timing,
                recipients: Recipients::Customers(vec![1]),
                channels: BTreeSet::from([Channel::Sms]),
                message: Message::default(),
                misfire,
                quiet_hours: QuietHours::Respect,
                transactional: false,
                rate_per_minute: None,
                freshness_minutes: None,
                recycle: None,
            },
            occurrence: 0,
            in_flight: false,
            version: 1,
            created_by: "u".to_owned(),
            created_at: at(0),
            updated_at: at(0),
        }
    }

    fn hourly() -> Timing {
        Timing::Recurring {
            cron: "0 * * * *".to_owned(),
            timezone: Tz::UTC,
            until: Some(at(7_200)),
        }
    }

    #[test]
    fn either_a_cancel_or_a_claim_wins() {
        let mut one = communication(Timing::At(at(60)), Misfire::Send);
        assert_eq!(one.cancel(at(1)), Ok(true));
        assert_eq!(one.cancel(at(2)), Ok(false));
        assert!(!one.claim(at(60)));
        assert_eq!((one.occurrence, one.version), (0, 2));
        let mut two = communication(Timing::At(at(60)), Misfire::Send);
        assert!(two.claim(at(60)));
        assert!(!two.claim(at(60)));
        assert_eq!(two.cancel(at(61)), Err(AlreadyDispatched));
        two.dispatches(at(62));
        two.end_occurrence(CommunicationState::Completed, at(63));
        assert_eq!(two.state, CommunicationState::Completed);
        assert_eq!(two.cancel(at(64)), Err(AlreadyDispatched));
    }

    #[test]
    fn what_is_paused_waits_until_it_is_resumed() {
        let mut once = communication(Timing::At(at(60)), Misfire::SendIfLateBy(10));
        assert_eq!(once.pause(at(1)), Ok(true));
        assert_eq!(once.pause(at(2)), Ok(false));
        assert!(!once.claim(at(60)));
        assert_eq!(once.resume(at(65)), Ok(true));
        assert_eq!(once.resume(at(65)), Ok(false));
        assert!(once.claim(at(65)), "late by less than its policy allows");
        once.dispatches(at(65));
        assert_eq!(once.pause(at(66)), Ok(true));
        assert_eq!(once.cancel(at(66)), Err(AlreadyDispatched));
        assert_eq!(once.resume(at(67)), Ok(true));
        assert_eq!(once.state, CommunicationState::Dispatching);
        once.end_occurrence(CommunicationState::Completed, at(68));
        assert_eq!(once.pause(at(69)), Err(AlreadyDispatched));
        assert_eq!(once.resume(at(69)), Err(AlreadyDispatched));
        let mut hourly = communication(hourly(), Misfire::Send);
        assert_eq!(hourly.pause(at(1)), Ok(true));
        assert_eq!(hourly.resume(at(3_700)), Ok(true));
        assert_eq!(hourly.due_at, at(7_200));
        assert_eq!(hourly.pause(at(3_701)), Ok(true));
        assert_eq!(hourly.cancel(at(3_702)), Ok(true));
        assert_eq!(hourly.resume(at(3_703)), Err(AlreadyDispatched));
    }

    #[test]
    fn what_recurs_stays_paused_when_an_occurrence_ends() {
        let mut hourly = communication(hourly(), Misfire::Send);
        assert!(hourly.claim(at(3_600)));
        assert_eq!(hourly.pause(at(3_601)), Ok(true));
        hourly.end_occurrence(CommunicationState::Completed, at(3_602));
        assert_eq!(hourly.state, CommunicationState::Paused);
        assert!(!hourly.claim(at(7_200)));
        assert_eq!(hourly.resume(at(7_000)), Ok(true));
        assert!(hourly.claim(at(7_200)));
    }

    #[test]
    fn what_recurs_waits_again_until_its_last_time() {
        let mut hourly = communication(hourly(), Misfire::Send);
        for (occurrence, due) in [(1, 3_600), (2, 7_200)] {
            assert_eq!(hourly.due_at, at(due));
            assert!(hourly.claim(at(due)));
            assert_eq!(hourly.occurrence, occurrence);
            hourly.end_occurrence(CommunicationState::Completed, at(due + 5));
        }
        assert_eq!(hourly.state, CommunicationState::Completed);
    }

    #[test]
    fn what_is_too_late_is_skipped() {
        let mut once = communication(Timing::At(at(60)), Misfire::SendIfLateBy(10));
        assert!(!once.claim(at(71)));
        assert_eq!(once.state, CommunicationState::Skipped);
        let mut hourly = communication(hourly(), Misfire::Skip);
        assert!(!hourly.claim(at(3_661)));
        assert_eq!(hourly.state, CommunicationState::Scheduled);
        assert_eq!(hourly.due_at, at(7_200));
    }
}
