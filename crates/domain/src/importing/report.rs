//! What an import did, so that every delivered row is counted once.

use serde::{Deserialize, Serialize};

/// Accounts for rows of one kind: `received = created + updated + unchanged + quarantined`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows delivered, each time that they were.
    pub received: u64,
    /// Rows that were not there before.
    pub created: u64,
    /// Rows that replaced another version.
    pub updated: u64,
    /// Rows that were there like this already, repetitions within a page included.
    pub unchanged: u64,
    /// Rows that cannot be read; kept as they came, with the reason.
    pub quarantined: u64,
}

impl Counts {
    /// Whether every row is accounted for.
    pub const fn balances(&self) -> bool {
        self.received == self.created + self.updated + self.unchanged + self.quarantined
    }

    /// Counts more rows of the kind.
    pub const fn add(&mut self, other: Self) {
        self.received += other.received;
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.quarantined += other.quarantined;
    }
}

/// The report of a run, by kind of row. Tickets outside the filter are not received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Tickets.
    pub tickets: Counts,
    /// Sessions of tickets.
    pub sessions: Counts,
    /// Messages.
    pub messages: Counts,
    /// Contacts.
    pub contacts: Counts,
    /// Tags of contacts.
    pub tags: Counts,
    /// Tickets, counted above, that appeared or changed with an instant before the cursor.
    pub late: u64,
    /// Pages read.
    pub pages: u64,
}

impl ImportReport {
    /// Whether every row of every kind is accounted for.
    pub fn balances(&self) -> bool {
        self.kinds().iter().all(Counts::balances)
    }

    /// The sum over all kinds.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.kinds()
            .into_iter()
            .for_each(|counts| total.add(counts));
        total
    }

    const fn kinds(&self) -> [Counts; 5] {
        [
            self.tickets,
            self.sessions,
            self.messages,
            self.contacts,
            self.tags,
        ]
    }
}
