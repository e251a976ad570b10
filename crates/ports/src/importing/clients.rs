//! Clients: whose CRM is imported.

use async_trait::async_trait;
use domain::{
    importing::{BaseUrl, BudgetKey, ClientSlug, RequestsPerMinute},
    scheduling::Cron,
    shared::{ClientId, Instant, WorkspaceId},
};

use crate::StoreError;

/// A client as it is stored. Its token is sealed by whoever stores it.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportClient {
    /// Its id.
    pub id: ClientId,
    /// Owner.
    pub workspace: WorkspaceId,
    /// Its name in URLs, unique over the installation.
    pub slug: ClientSlug,
    /// Its name.
    pub name: String,
    /// Whether runs take it.
    pub active: bool,
    /// Where its CRM answers.
    pub base_url: BaseUrl,
    /// Its token, encrypted.
    pub sealed_token: Vec<u8>,
    /// Whose budget its requests count against.
    pub budget: BudgetKey,
    /// How fast it is asked; the installation's default where it says nothing.
    pub requests_per_minute: Option<RequestsPerMinute>,
    /// Whether certificates are verified.
    pub tls_verify: bool,
    /// When it is imported by itself, if it is.
    pub schedule: Option<Cron>,
    /// When that comes next.
    pub next_run_at: Option<Instant>,
    /// Grows with every change.
    pub version: i64,
    /// When it came into being.
    pub created_at: Instant,
    /// When it was changed last.
    pub updated_at: Instant,
}

impl std::fmt::Debug for ImportClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportClient")
            .field("id", &self.id)
            .field("slug", &self.slug)
            .finish_non_exhaustive()
    }
}

/// Clients of one transaction.
#[async_trait]
pub trait ClientRepository: Send {
    /// Adds a client.
    ///
    /// # Errors
    /// `Conflict` when its slug is taken.
    async fn add(&mut self, client: &ImportClient) -> Result<(), StoreError>;

    /// Replaces a client that is still at the version before; stores `client.version`.
    ///
    /// # Errors
    /// `StaleVersion` when it was changed meanwhile or is not there.
    async fn update(&mut self, client: &ImportClient) -> Result<(), StoreError>;

    /// One client of a workspace.
    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: ClientId,
    ) -> Result<Option<ImportClient>, StoreError>;

    /// The client of that slug, whosever it is.
    async fn by_slug(&mut self, slug: &ClientSlug) -> Result<Option<ImportClient>, StoreError>;

    /// Clients of a workspace after an id, in order of ids.
    async fn list(
        &mut self,
        workspace: &WorkspaceId,
        after: Option<ClientId>,
        limit: i64,
    ) -> Result<Vec<ImportClient>, StoreError>;

    /// All active clients of the installation after an id, in order of ids.
    async fn active(
        &mut self,
        after: Option<ClientId>,
        limit: i64,
    ) -> Result<Vec<ImportClient>, StoreError>;

    /// The lowest rate of the active clients that share a budget, where those that say none have the
    /// `default`; which is also the answer where there is no client.
    async fn lowest_rate(
        &mut self,
        budget: &BudgetKey,
        default: RequestsPerMinute,
    ) -> Result<RequestsPerMinute, StoreError>;

    /// Active clients whose next scheduled run is due, the longest overdue first.
    async fn due(&mut self, now: Instant, limit: i64) -> Result<Vec<ImportClient>, StoreError>;

    /// Moves a client's next scheduled run; answers whether it still was at `from`, so that of several
    /// who look at the same time one starts it.
    async fn reschedule(
        &mut self,
        id: ClientId,
        from: Instant,
        to: Option<Instant>,
    ) -> Result<bool, StoreError>;
}
