//! Customers and what they did.

use async_trait::async_trait;
use domain::{
    contact::{ContactBody, Document},
    customer::{
        Channel, ClientRef, ConsentStatus, Customer, CustomerEvent, CustomerId, CustomerKey,
        EventName, Identity,
    },
    segment::{RfmScore, RfmScores},
    shared::{Instant, WorkspaceId},
};

use crate::StoreError;

/// Customers of one transaction. Whoever uses it first takes the workspace's turn: other units of work
/// that write customers of the workspace wait until this one ends. So what was found stays as it was
/// found, and numbers are committed in their order.
#[async_trait]
pub trait CustomerRepository: Send {
    /// The customers of these keys, each once, in no order. Keys without a customer are left out.
    async fn find(
        &mut self,
        workspace: &WorkspaceId,
        keys: &[CustomerKey],
    ) -> Result<Vec<Customer>, StoreError>;

    /// How many there are.
    async fn count(&mut self, workspace: &WorkspaceId) -> Result<i64, StoreError>;

    /// Takes `count` numbers that follow each other, and answers the first.
    async fn take_numbers(
        &mut self,
        workspace: &WorkspaceId,
        count: usize,
    ) -> Result<CustomerId, StoreError>;

    /// Adds customers under numbers that were taken; they and their labels are counted from now on. Forms of
    /// their values are written in the notation of the workspace.
    ///
    /// # Errors
    /// `Conflict` when one of an identity exists.
    async fn add(
        &mut self,
        workspace: &WorkspaceId,
        customers: &[Customer],
    ) -> Result<(), StoreError>;

    /// Replaces customers that were found, but for identity and creation; recounts their labels.
    /// Consent is written where it is known, and never deleted.
    async fn save(
        &mut self,
        workspace: &WorkspaceId,
        customers: &[Customer],
    ) -> Result<(), StoreError>;

    /// Notes by which name a client is known.
    async fn name_client(
        &mut self,
        workspace: &WorkspaceId,
        client: &ClientRef,
        slug: &str,
    ) -> Result<(), StoreError>;
}

/// Events of customers, in one transaction.
#[async_trait]
pub trait CustomerEventRepository: Send {
    /// The numbers of these customers, as far as they exist, in no order. Takes no turn.
    async fn identify(
        &mut self,
        workspace: &WorkspaceId,
        keys: &[CustomerKey],
    ) -> Result<Vec<(CustomerId, Identity)>, StoreError>;

    /// Adds events; `true` for each that is new, `false` where its key was reported before.
    async fn add(
        &mut self,
        workspace: &WorkspaceId,
        events: &[CustomerEvent],
    ) -> Result<Vec<bool>, StoreError>;
}

/// What scores are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreSettings {
    /// The event that is a purchase.
    pub event: EventName,
    /// Days that are looked at.
    pub window_days: u32,
    /// When scores were made last.
    pub scored_at: Option<Instant>,
}

/// A cell of scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoredCell {
    /// Its scores.
    pub scores: RfmScores,
    /// Buyers with these.
    pub customers: i64,
    /// What their purchases come to.
    pub money: i64,
}

/// Where a score begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutOff {
    /// Which score, and 1 to 5.
    pub score: (RfmScore, u8),
    /// The least value that has it: milliseconds since 1970, purchases, or money in millionths.
    pub from: i64,
}

/// Scores of one transaction.
#[async_trait]
pub trait ScoreRepository: Send {
    /// What scores are made of, where it was said.
    async fn settings(
        &mut self,
        workspace: &WorkspaceId,
    ) -> Result<Option<ScoreSettings>, StoreError>;

    /// Says what scores are made of.
    async fn set(
        &mut self,
        workspace: &WorkspaceId,
        settings: &ScoreSettings,
    ) -> Result<(), StoreError>;

    /// Scores all buyers anew, by what they did from the first instant to the last; answers how many. Of fewer
    /// than five there are no scores.
    async fn score(
        &mut self,
        workspace: &WorkspaceId,
        event: &EventName,
        window: (Instant, Instant),
    ) -> Result<u64, StoreError>;
}

/// Which customers to list, in the order of their numbers. Absent members do not filter.
#[derive(Debug, Clone, Default)]
pub struct CustomerFilter {
    /// Carries this label, without regard to case.
    pub tag: Option<String>,
    /// Came from this client.
    pub client: Option<ClientRef>,
    /// Whether an import brought them.
    pub imported: Option<bool>,
    /// What they said about a channel.
    pub consent: Option<(Channel, ConsentStatus)>,
    /// Strictly after this one.
    pub after: Option<CustomerId>,
    /// At most so many.
    pub limit: i64,
}

/// What people are looked up by. Several may share it.
#[derive(Clone)]
pub enum CustomerLookup {
    /// The document.
    Document(Document),
    /// The phone number, normalised.
    Phone(String),
    /// The e-mail address, normalised.
    Email(String),
    /// The identity; one has it at most.
    Identity(Identity),
}

/// How many customers a client brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCount {
    /// The client.
    pub client: ClientRef,
    /// By which name it is known.
    pub slug: String,
    /// How many.
    pub customers: i64,
}

/// How many customers there are; exact, and read without counting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerCounts {
    /// All of the workspace.
    pub total: i64,
    /// By client, in the order of ids; at most a thousand. The others came from the API.
    pub by_client: Vec<ClientCount>,
}

/// How many customers carry a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCount {
    /// What it is compared by.
    pub key: String,
    /// As it was written first.
    pub label: String,
    /// How many; at least one.
    pub customers: i64,
}

/// Which events of a customer to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of this name.
    pub name: Option<EventName>,
    /// Strictly before this position.
    pub before: Option<(Instant, i64)>,
    /// At most so many.
    pub limit: i64,
}

/// A customer as a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerContact {
    /// Its number.
    pub id: CustomerId,
    /// Another one after every change of the customer.
    pub version: i64,
    /// Its values.
    pub body: ContactBody,
}

/// Reading of customers outside a transaction.
#[async_trait]
pub trait CustomerQueries: Send + Sync {
    /// One customer.
    async fn customer(
        &self,
        workspace: &WorkspaceId,
        id: CustomerId,
    ) -> Result<Option<Customer>, StoreError>;

    /// The customers of these numbers, in the order of their numbers. Numbers without one are left out.
    async fn customers_of(
        &self,
        workspace: &WorkspaceId,
        ids: &[CustomerId],
    ) -> Result<Vec<Customer>, StoreError>;

    /// The customers of these numbers as contacts, by number: without what they said, which contacts do not have.
    async fn contacts_of(
        &self,
        workspace: &WorkspaceId,
        ids: &[CustomerId],
    ) -> Result<Vec<CustomerContact>, StoreError>;

    /// The customers whose keys in audiences are these, by key and number.
    async fn customers_of_keys(
        &self,
        workspace: &WorkspaceId,
        keys: &[&str],
    ) -> Result<Vec<Customer>, StoreError>;

    /// A list of customers.
    async fn customers(
        &self,
        workspace: &WorkspaceId,
        filter: &CustomerFilter,
    ) -> Result<Vec<Customer>, StoreError>;

    /// Customers who share something, in the order of their numbers.
    async fn look_up_customers(
        &self,
        workspace: &WorkspaceId,
        by: &CustomerLookup,
        limit: i64,
    ) -> Result<Vec<Customer>, StoreError>;

    /// How many customers there are.
    async fn customer_counts(&self, workspace: &WorkspaceId) -> Result<CustomerCounts, StoreError>;

    /// The labels of customers, in the order of their keys.
    async fn customer_tags(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<TagCount>, StoreError>;

    /// The scores of a customer, if it is a buyer.
    async fn scores_of(
        &self,
        workspace: &WorkspaceId,
        customer: CustomerId,
    ) -> Result<Option<RfmScores>, StoreError>;

    /// Scores and who has them, in their order.
    async fn scored_cells(&self, workspace: &WorkspaceId) -> Result<Vec<ScoredCell>, StoreError>;

    /// Where scores begin, in their order.
    async fn cut_offs(&self, workspace: &WorkspaceId) -> Result<Vec<CutOff>, StoreError>;

    /// Events of a customer.
    async fn customer_events(
        &self,
        workspace: &WorkspaceId,
        customer: CustomerId,
        filter: &EventFilter,
    ) -> Result<Vec<CustomerEvent>, StoreError>;
}
