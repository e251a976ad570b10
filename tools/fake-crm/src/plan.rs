//! What the CRM holds, how it answers, and how it misbehaves.

use serde::{Deserialize, Serialize};

/// The three lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `GET /ticket`.
    Tickets,
    /// `GET /ticket/{uuid}/messages`.
    Messages,
    /// `GET /contact`.
    Contacts,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tickets, Self::Messages, Self::Contacts];
}

/// Where a page has its rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// Nowhere: the page is an array.
    Bare,
    /// In `data`.
    #[default]
    Data,
    /// In `contacts`.
    Contacts,
    /// In `messages`.
    Messages,
}

/// How a page tells where the list ends. A bare array cannot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tells {
    /// Not at all.
    Nothing,
    /// `meta.totalPages` and `meta.total`.
    #[default]
    MetaTotals,
    /// `meta.totalPages` alone.
    MetaTotalPages,
    /// `meta.last_page`.
    MetaLastPage,
    /// `pagination.total_pages`.
    PaginationTotalPages,
    /// `hasMore`.
    HasMore,
}

/// How numeric ids are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ids {
    /// As numbers.
    #[default]
    Numbers,
    /// As strings.
    Strings,
    /// As numbers on one page, as strings on the next.
    Mixed,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Changed last comes first: every edit moves rows.
    #[default]
    NewestFirst,
    /// Changed last comes last.
    OldestFirst,
    /// By id: only deletions move rows.
    ById,
}

/// A change of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change {
    /// A new ticket.
    InsertTicket,
    /// A ticket becomes visible that was changed so many milliseconds ago.
    CommitTicketLate {
        /// How long ago.
        ms: i64,
    },
    /// A ticket is changed. Numbers beyond the last row count from the first again, here and below.
    EditTicket {
        /// Which.
        row: u64,
    },
    /// A ticket is deleted.
    DeleteTicket {
        /// Which.
        row: u64,
    },
    /// A ticket gets a message.
    AddMessage {
        /// Which ticket.
        ticket: u64,
    },
    /// A ticket gets a message with the very instant of its last one, and so does the ticket.
    AddMessageOfSameInstant {
        /// Which ticket.
        ticket: u64,
    },
    /// A message is edited, and its ticket touched.
    EditMessage {
        /// Which ticket.
        ticket: u64,
        /// Which of its messages.
        row: u64,
    },
    /// A new contact.
    InsertContact,
    /// A contact is changed: name and tags.
    EditContact {
        /// Which.
        row: u64,
    },
    /// A contact is deleted.
    DeleteContact {
        /// Which.
        row: u64,
    },
}

/// A change that happens right before a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    /// Requests of this list count.
    pub on: Endpoint,
    /// The request, from 1.
    pub request: u64,
    /// So many requests in a row have it.
    #[serde(default = "one")]
    pub times: u64,
    /// What happens.
    #[serde(flatten)]
    pub change: Change,
}

/// How 429 and 503 say when to come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// Not at all.
    #[default]
    Absent,
    /// In so many seconds.
    Seconds(u64),
    /// At an HTTP date so many seconds ahead.
    Date(u64),
}

/// An answer that is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Misbehaviour {
    /// A status, such as 401, 429, 500, and nothing else.
    Status {
        /// The status.
        status: u16,
        /// `Retry-After`.
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// The page, cut off after half of its bytes, as if it were whole.
    Truncated,
    /// HTML with 200.
    Html,
    /// `{"error": …}` with 200.
    ErrorBody,
    /// The rows under a member that nobody knows.
    UnknownEnvelope,
    /// The first page, whatever was asked for, without totals.
    SamePage,
    /// New rows on every page, for ever.
    Endless,
    /// Only so many rows of the page.
    Short {
        /// How many.
        rows: usize,
    },
    /// The page, where the text of one row ends in half of an emoji, as JavaScript cuts it.
    HalfEmoji {
        /// Which, from 0.
        row: usize,
    },
    /// The page, where one row has a number beyond any type.
    NumberBeyond {
        /// Which, from 0.
        row: usize,
    },
    /// The page, sixteen bytes at a time.
    Slow {
        /// Pause between them in milliseconds.
        ms: u64,
    },
    /// The connection ends in the middle of the page.
    Cut,
    /// Nothing, while the connection stays open.
    Silent,
    /// 302 to another address.
    Redirect {
        /// Where.
        to: String,
    },
    /// A page of so many bytes.
    Huge {
        /// How many.
        bytes: u64,
    },
}

/// Requests that are answered badly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Requests of this list count; of all lists where it is absent.
    #[serde(default)]
    pub on: Option<Endpoint>,
    /// The first such request, from 1.
    pub request: u64,
    /// So many in a row.
    #[serde(default = "one")]
    pub times: u64,
    /// How.
    #[serde(flatten)]
    pub misbehaviour: Misbehaviour,
}

const fn one() -> u64 {
    1
}

/// Everything about a fake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// Decides all that is random.
    pub seed: u64,
    /// Tickets at the start.
    pub tickets: u64,
    /// Messages of each ticket at the start.
    pub messages_per_ticket: u64,
    /// Contacts at the start.
    pub contacts: u64,
    /// So many neighbours in time share one instant.
    pub equal_instants: u64,
    /// Whether rows of one instant come in another order at every request.
    pub unstable_ties: bool,
    /// Order of tickets and contacts.
    pub order: Order,
    /// The key asked for in `api-key`; none lets everybody in.
    pub token: Option<String>,
    /// Where pages have their rows.
    pub envelope: Envelope,
    /// How pages tell the end.
    pub tells: Tells,
    /// How ids are sent.
    pub ids: Ids,
    /// Most rows of a page, whatever was asked for.
    pub largest_page: u64,
    /// Time before each answer in milliseconds.
    pub delay_ms: u64,
    /// 429 above so many requests in any 60 seconds.
    pub quota: Option<u32>,
    /// What that says.
    pub quota_retry_after: RetryAfter,
    /// How far `Date` is ahead of the clock of this machine, in seconds.
    pub clock_skew_s: i64,
    /// Whether changes bear the instant of `Date`; else they follow the last row by a second each.
    pub real_instants: bool,
    /// Changes to come.
    pub changes: Vec<Scheduled>,
    /// Bad answers to come.
    pub faults: Vec<Fault>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            tickets: 100,
            messages_per_ticket: 10,
            contacts: 100,
            equal_instants: 1,
            unstable_ties: false,
            order: Order::default(),
            token: None,
            envelope: Envelope::default(),
            tells: Tells::default(),
            ids: Ids::default(),
            largest_page: 1_000,
            delay_ms: 0,
            quota: None,
            quota_retry_after: RetryAfter::default(),
            clock_skew_s: 0,
            real_instants: false,
            changes: Vec::new(),
            faults: Vec::new(),
        }
    }
}

impl Plan {
    /// The bad answer to a request: its number among all, and among those of its list.
    pub(crate) fn fault(&self, on: Endpoint, of_all: u64, of_list: u64) -> Option<&Misbehaviour> {
        let hit = |fault: &&Fault| match fault.on {
            None => within(of_all, fault.request, fault.times),
            Some(list) => list == on && within(of_list, fault.request, fault.times),
        };
        self.faults
            .iter()
            .find(hit)
            .map(|fault| &fault.misbehaviour)
    }

    /// The changes before a request of a list.
    pub(crate) fn changes(&self, on: Endpoint, of_list: u64) -> Vec<Change> {
        self.changes
            .iter()
            .filter(|s| s.on == on && within(of_list, s.request, s.times))
            .map(|s| s.change)
            .collect()
    }
}

const fn within(number: u64, first: u64, times: u64) -> bool {
    number >= first && number - first < times
}
