//! The outside CRM that is imported from, and the budget of requests to it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::importing::{
    ApiToken, BaseUrl, BudgetKey, ExternalId, Failure, Page, RequestsPerMinute,
    rows::{Contact, Message, Ticket},
};

use crate::{BoxError, StoreError};

/// Where a client's CRM answers, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmEndpoint {
    /// What the paths are appended to.
    pub base_url: BaseUrl,
    /// Sent as `api-key`.
    pub token: ApiToken,
    /// Whether its certificate is verified: unless the client says otherwise.
    pub tls_verify: bool,
}

impl CrmEndpoint {
    /// Whose budget requests to it count against.
    pub fn budget(&self) -> BudgetKey {
        BudgetKey::of(&self.base_url, &self.token)
    }
}

/// Opens the CRMs of clients.
pub trait Crm: Send + Sync {
    /// A source for an endpoint. Nothing is sent yet; its connections are kept while it lives.
    ///
    /// # Errors
    /// `Refused` when the endpoint must not be reached at all.
    fn open(&self, endpoint: &CrmEndpoint) -> Result<Arc<dyn TicketSource>, SourceError>;
}

/// One client's CRM. Every call is one request, never repeated: whoever calls keeps the budget and
/// decides about another try by [`SourceError::failure`]. Pages count from 1. A row that cannot be read does not
/// fail its page: it is quarantined there.
#[async_trait]
pub trait TicketSource: Send + Sync {
    /// A page of at most 50 tickets.
    async fn tickets(&self, page: u64) -> Result<Page<Ticket>, SourceError>;
    /// A page of at most 20 messages of a ticket.
    async fn messages(&self, ticket: &ExternalId, page: u64) -> Result<Page<Message>, SourceError>;
    /// A page of at most 50 contacts.
    async fn contacts(&self, page: u64) -> Result<Page<Contact>, SourceError>;
}

/// Why a request brought no page. No variant shows what the other side sent.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The other side asks to wait, where it says so, for how long.
    #[error("the other side asks to wait")]
    RateLimited {
        /// From now on.
        retry_after: Option<Duration>,
    },
    /// The same request may succeed later.
    #[error("the other side cannot answer: {code}")]
    Transient {
        /// Stable code in snake_case.
        code: &'static str,
        /// The cause, where there is more than a status.
        #[source]
        source: Option<BoxError>,
    },
    /// The token is not, or no longer, accepted.
    #[error("the other side does not accept the token")]
    Unauthorized,
    /// The ticket is not there.
    #[error("the other side has nothing of that id")]
    NotFound,
    /// Neither side would gain from another try: an address that must not be reached, a certificate
    /// that is not valid, a redirect, another 4xx.
    #[error("the request is refused: {code}")]
    Refused {
        /// Stable code in snake_case.
        code: &'static str,
    },
    /// The answer is no page.
    #[error("the answer is no page: {code}")]
    Malformed {
        /// Stable code in snake_case.
        code: &'static str,
    },
}

impl SourceError {
    /// Stable code in snake_case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::Transient { code, .. } | Self::Refused { code } | Self::Malformed { code } => {
                code
            }
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
        }
    }

    /// How to react, for [`domain::importing::next_try`].
    pub const fn failure(&self) -> Failure {
        match self {
            Self::RateLimited { retry_after } => Failure::Quota(*retry_after),
            Self::Transient { .. } => Failure::Transient,
            Self::Malformed { .. } => Failure::Malformed,
            Self::Unauthorized | Self::NotFound | Self::Refused { .. } => Failure::Permanent,
        }
    }
}

/// The answer of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// So many requests are to be started now, at least one. Who cannot within a second lets them
    /// lapse and reserves anew.
    Granted(u32),
    /// None for this long.
    Wait(Duration),
}

/// The budget of requests, shared by all replicas: at most so many starts in any
/// [`domain::importing::WINDOW`], by the clock of the database.
#[async_trait]
pub trait RateBudget: Send + Sync {
    /// Asks to start up to `wanted` requests now. What is granted counts as started.
    async fn reserve(
        &self,
        key: &BudgetKey,
        limit: RequestsPerMinute,
        wanted: u32,
    ) -> Result<Reserved, StoreError>;

    /// Lets nobody who shares the budget start for this long: the other side asked for it.
    async fn pause(&self, key: &BudgetKey, time: Duration) -> Result<(), StoreError>;
}
