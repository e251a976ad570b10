//! Which tickets a run takes, whose messages it reads, and where its cursor ends.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    Fingerprint, ImportReport,
    rows::{Row, Ticket},
    walk::End,
};
use crate::shared::Instant;

/// How far the cursor stays behind what was seen.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);

/// A stamp further ahead of the other side's own clock says nothing about when it was made.
const AHEAD: TimeDelta = TimeDelta::minutes(1);

/// The filter `updatedAt >= lastImportAt`, which lets nothing slip: a ticket with an older instant
/// that is new or different was committed late, and is taken as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// `IMPORT_START_AT`: tickets that were last changed before are none of ours.
    pub start_at: Instant,
    /// `lastImportAt`; none before the first complete run.
    pub cursor: Option<Instant>,
}

/// What the filter says of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// At or after the cursor.
    Current,
    /// Before the cursor, but not as it is stored.
    Late,
    /// Not to be taken.
    Outside,
}

impl Filter {
    /// Judges a ticket by its instant, its fingerprint, and the one that is stored.
    fn select(&self, at: Instant, sent: Fingerprint, stored: Option<Fingerprint>) -> Selection {
        if at < self.start_at {
            return Selection::Outside;
        }
        match self.cursor {
            Some(cursor) if at < cursor && stored == Some(sent) => Selection::Outside,
            Some(cursor) if at < cursor => Selection::Late,
            _ => Selection::Current,
        }
    }
}

/// The cursor after a complete run: the lesser of the run's start by the other side's clock and the
/// highest instant seen, minus the overlap; never back. Where nothing was seen it stays.
fn next_cursor(
    present: Option<Instant>,
    run_start: Instant,
    highest_seen: Option<Instant>,
) -> Option<Instant> {
    let reached = highest_seen.and_then(|seen| seen.min(run_start).checked_sub_signed(OVERLAP));
    present.max(reached)
}

/// The last complete reading of a ticket's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessagesRead {
    /// Fingerprint of the ticket at that time.
    pub ticket: Fingerprint,
    /// The other side's clock before the first page was asked for.
    pub as_of: Instant,
}

/// Whether the messages of a ticket must be read: it is new or changed, or its instant had not passed
/// when they were read last, so that another message may bear the same one.
pub fn messages_due(ticket: &Row<Ticket>, last: Option<&MessagesRead>) -> bool {
    last.is_none_or(|last| {
        let at = ticket.value.updated_at;
        let unsettled = at >= last.as_of && at - last.as_of <= AHEAD;
        last.ticket != ticket.fingerprint || unsettled
    })
}

/// The state of a run over tickets and messages, beside its walks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRun {
    /// Fixed at the start.
    filter: Filter,
    started_at: Instant,
    /// The highest instant of a ticket that passed the filter's start.
    highest_seen: Option<Instant>,
    tickets_done: bool,
    partial: bool,
    /// What it did.
    pub report: ImportReport,
}

impl TicketRun {
    /// A run that starts now by the other side's clock.
    pub fn start(filter: Filter, started_at: Instant) -> Self {
        Self {
            filter,
            started_at,
            highest_seen: None,
            tickets_done: false,
            partial: false,
            report: ImportReport::default(),
        }
    }

    /// When it started, by the other side's clock: the upper bound of its cursor.
    pub const fn started_at(&self) -> Instant {
        self.started_at
    }

    /// Whether all tickets were walked: messages are next.
    pub const fn tickets_done(&self) -> bool {
        self.tickets_done
    }

    /// Whether rows may be missing until the next run: the cursor stays.
    pub const fn is_partial(&self) -> bool {
        self.partial
    }

    /// Judges a ticket that was read, with the fingerprint that is stored of it.
    pub fn select(&mut self, ticket: &Row<Ticket>, stored: Option<Fingerprint>) -> Selection {
        let at = ticket.value.updated_at;
        if at >= self.filter.start_at {
            self.highest_seen = self.highest_seen.max(Some(at));
        }
        let selection = self.filter.select(at, ticket.fingerprint, stored);
        self.report.late += u64::from(selection == Selection::Late);
        selection
    }

    /// Notes that all tickets were walked.
    pub fn end_tickets(&mut self, end: End) {
        self.tickets_done = true;
        self.partial |= end == End::Partial;
    }

    /// Notes that messages of a ticket may be missing until the next run.
    pub const fn leave_out_messages(&mut self) {
        self.partial = true;
    }

    /// The cursor to store with the run's last page.
    pub fn cursor(&self) -> Option<Instant> {
        if self.partial {
            return self.filter.cursor;
        }
        next_cursor(self.filter.cursor, self.started_at, self.highest_seen)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;
    use crate::importing::ExternalId;

    fn at(minute: i64) -> Instant {
        DateTime::from_timestamp(1_780_000_000 + minute * 60, 0).unwrap()
    }

    fn ticket(minute: i64, status: &str) -> Row<Ticket> {
        let value = Ticket {
            id: ExternalId::from_stored("t".to_owned()),
            created_at: None,
            updated_at: at(minute),
            status: None,
            is_group: false,
            contact: None,
            sessions: Vec::new(),
            extra: serde_json::Map::new(),
        };
        let fingerprint = Fingerprint::of(&json!([minute, status]));
        Row { value, fingerprint }
    }

    #[test]
    fn the_cursor_is_the_lesser_instant_minus_the_overlap_and_never_goes_back() {
        assert_eq!(next_cursor(None, at(100), Some(at(50))), Some(at(48)));
        assert_eq!(next_cursor(None, at(100), Some(at(500))), Some(at(98)));
        assert_eq!(
            next_cursor(Some(at(48)), at(200), Some(at(50))),
            Some(at(48))
        );
        assert_eq!(next_cursor(Some(at(48)), at(200), None), Some(at(48)));
        assert_eq!(
            next_cursor(Some(at(60)), at(200), Some(at(50))),
            Some(at(60))
        );
        assert_eq!(next_cursor(None, at(1), None), None);
    }

    #[test]
    fn a_partial_run_leaves_the_cursor() {
        let filter = Filter {
            start_at: at(0),
            cursor: Some(at(10)),
        };
        let mut run = TicketRun::start(filter, at(100));
        for minute in [90, -5] {
            run.select(&ticket(minute, "open"), None);
        }
        assert_eq!(run.cursor(), Some(at(88)));
        run.end_tickets(End::Partial);
        assert_eq!(run.cursor(), Some(at(10)));
    }

    #[test]
    fn what_was_committed_late_is_taken_and_what_is_known_is_not() {
        let (one, other) = (Fingerprint::of(&json!(1)), Fingerprint::of(&json!(2)));
        let filter = Filter {
            start_at: at(10),
            cursor: Some(at(20)),
        };
        assert_eq!(filter.select(at(9), one, None), Selection::Outside);
        assert_eq!(filter.select(at(15), one, None), Selection::Late);
        assert_eq!(filter.select(at(15), one, Some(other)), Selection::Late);
        assert_eq!(filter.select(at(15), one, Some(one)), Selection::Outside);
        assert_eq!(filter.select(at(20), one, Some(one)), Selection::Current);
        assert_eq!(filter.select(at(21), one, None), Selection::Current);
    }

    #[test]
    fn messages_are_read_for_what_changed_and_for_instants_that_had_not_passed() {
        let open = ticket(10, "open");
        let read_at = |minute| MessagesRead {
            ticket: open.fingerprint,
            as_of: at(minute),
        };
        assert!(messages_due(&open, None));
        assert!(!messages_due(&open, Some(&read_at(11))));
        assert!(messages_due(&open, Some(&read_at(10))), "the same instant");
        assert!(messages_due(&ticket(10, "closed"), Some(&read_at(11))));
        assert!(
            !messages_due(&open, Some(&read_at(5))),
            "a stamp of the future"
        );
    }
}
