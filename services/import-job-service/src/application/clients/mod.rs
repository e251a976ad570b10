//! Clients: whose CRM is imported.

mod change;
mod create;

use domain::{
    importing::{ApiToken, BaseUrl, BudgetKey, ClientSlug, RequestsPerMinute},
    scheduling::Schedule,
    shared::Violation,
};
use ports::{
    crm::CrmEndpoint,
    importing::{ClientId, ImportClient},
};

pub use change::ChangeClient;
pub use create::{Ensured, NewClient};

use super::{Actor, App, AppError, AppResult, read::cut};

/// Longest name in characters.
const LONGEST_NAME: usize = 255;

impl App {
    /// One client.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    pub async fn client(&self, actor: &Actor, id: ClientId) -> AppResult<ImportClient> {
        let found = self.deps.queries.client(&actor.workspace, id).await?;
        found.ok_or(AppError::NotFound)
    }

    /// Clients in the order they were made, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    pub async fn clients(
        &self,
        actor: &Actor,
        slug: Option<&ClientSlug>,
        after: Option<ClientId>,
        limit: i64,
    ) -> AppResult<(Vec<ImportClient>, bool)> {
        let queries = &self.deps.queries;
        let rows = queries
            .clients(&actor.workspace, slug, after, limit + 1)
            .await?;
        Ok(cut(rows, limit))
    }

    /// Refuses an address that is never to be reached.
    fn check_endpoint(&self, endpoint: &CrmEndpoint) -> AppResult<()> {
        self.deps.crm.open(endpoint).map(drop).map_err(|error| {
            AppError::invalid(
                "/base_url",
                error.code(),
                "this address must not be reached",
            )
        })
    }

    /// The token of a client, decrypted.
    pub(crate) fn token(&self, client: &ImportClient) -> AppResult<ApiToken> {
        let token = self.deps.vault.open(client.id, &client.sealed_token);
        token.ok_or_else(|| {
            let detail = "the client's token cannot be decrypted: was secrets.key changed?";
            tracing::error!(client = client.id.0, "{detail}");
            AppError::failed("token_lost", detail)
        })
    }
}

/// What a client of these is reached by.
fn endpoint(base_url: &BaseUrl, token: &ApiToken, tls_verify: bool) -> CrmEndpoint {
    CrmEndpoint {
        base_url: base_url.clone(),
        token: token.clone(),
        tls_verify,
    }
}

/// Collects every broken rule of a request.
#[derive(Default)]
struct Rules(Vec<Violation>);

impl Rules {
    fn take<T, E: std::fmt::Display>(
        &mut self,
        pointer: &str,
        code: &'static str,
        value: Result<T, E>,
    ) -> Option<T> {
        let refused = |error: E| Violation::new(pointer, code, error.to_string());
        value.map_err(|error| self.0.push(refused(error))).ok()
    }

    fn slug(&mut self, text: &str) -> Option<ClientSlug> {
        let slug = ClientSlug::parse(text);
        let rule = "must be 1 to 64 of a to z, 0 to 9 and -";
        self.take("/slug", "invalid_slug", slug.map_err(|_| rule))
    }

    fn name(&mut self, text: &str) -> Option<String> {
        let name = text.trim();
        let fits = !name.is_empty() && name.chars().count() <= LONGEST_NAME;
        let valid = fits && !name.chars().any(char::is_control);
        let rule = "must be 1 to 255 characters without control characters";
        let name = valid.then(|| name.to_owned()).ok_or(rule);
        self.take("/name", "invalid_name", name)
    }

    fn base_url(&mut self, text: &str) -> Option<BaseUrl> {
        self.take("/base_url", "invalid_url", BaseUrl::parse(text))
    }

    fn token(&mut self, text: &str) -> Option<ApiToken> {
        self.take("/token", "invalid_token", ApiToken::parse(text))
    }

    fn rate(&mut self, rate: Option<i64>) -> Option<RequestsPerMinute> {
        let rate = rate.map(RequestsPerMinute::new).transpose();
        self.take("/requests_per_minute", "out_of_range", rate)?
    }

    fn schedule(&mut self, text: Option<&str>) -> Option<Schedule> {
        let schedule = text.map(Schedule::parse).transpose();
        self.take("/schedule", "invalid_schedule", schedule)?
    }

    /// Fails when anything was broken.
    fn check(self) -> AppResult<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(AppError::Invalid(self.0))
        }
    }
}

/// A token with whose budget its requests count against, and as it is stored.
fn sealed(app: &App, id: ClientId, base_url: &BaseUrl, token: &ApiToken) -> (Vec<u8>, BudgetKey) {
    (
        app.deps.vault.seal(id, token),
        BudgetKey::of(base_url, token),
    )
}
