//! The values of a client, and the rules that they keep.

use std::sync::Arc;

use domain::{
    importing::{ApiToken, BaseUrl, ClientSlug, RequestsPerMinute},
    scheduling::Cron,
    shared::{ClientId, Violation},
};
use kernel::{Actor, AppError};
use ports::{Clock, IdGenerator, importing::ImportClient};

use super::credentials::{Credentials, endpoint};

/// Longest name in characters.
const LONGEST_NAME: usize = 255;

/// What makes a client, as it was sent.
#[derive(Clone)]
pub struct NewClient {
    /// Its name in URLs.
    pub slug: String,
    /// Its name; the slug where there is none.
    pub name: Option<String>,
    /// Whether runs take it.
    pub active: bool,
    /// Where its CRM answers.
    pub base_url: String,
    /// Its token.
    pub token: String,
    /// How fast it is asked.
    pub requests_per_minute: Option<i64>,
    /// Whether certificates are verified.
    pub tls_verify: bool,
    /// When it is imported by itself.
    pub schedule: Option<String>,
}

/// Makes clients of what was sent.
#[derive(Clone)]
pub struct ClientBuilder {
    pub credentials: Credentials,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdGenerator>,
}

impl ClientBuilder {
    /// A client that is not stored yet.
    ///
    /// # Errors
    /// `Invalid` with every rule that is broken.
    pub(super) fn build(&self, actor: &Actor, new: &NewClient) -> Result<ImportClient, AppError> {
        let mut rules = Rules::default();
        let slug = rules.slug(&new.slug);
        let name = rules.name(new.name.as_deref().unwrap_or(&new.slug));
        let base_url = rules.base_url(&new.base_url);
        let token = rules.token(&new.token);
        let requests_per_minute = rules.rate(new.requests_per_minute);
        let schedule = rules.schedule(new.schedule.as_deref());
        rules.check()?;
        let (Some(slug), Some(name), Some(base_url), Some(token)) = (slug, name, base_url, token)
        else {
            return Err(AppError::Invalid(Vec::new()));
        };
        let now = self.clock.now();
        let id = ClientId::from_raw(self.ids.next());
        let endpoint = endpoint(&base_url, token, new.tls_verify);
        let (sealed_token, budget) = self.credentials.seal(id, &endpoint)?;
        Ok(ImportClient {
            id,
            workspace: actor.workspace.clone(),
            slug,
            name,
            active: new.active,
            base_url,
            sealed_token,
            budget,
            requests_per_minute,
            tls_verify: new.tls_verify,
            next_run_at: schedule.as_ref().and_then(|s| s.next_after(now)),
            schedule,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }
}

/// Collects every broken rule of a request.
#[derive(Default)]
pub(super) struct Rules(pub Vec<Violation>);

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

    pub fn slug(&mut self, text: &str) -> Option<ClientSlug> {
        let slug = ClientSlug::parse(text);
        let rule = "must be 1 to 64 of a to z, 0 to 9 and -";
        self.take("/slug", "invalid_slug", slug.map_err(|_| rule))
    }

    pub fn name(&mut self, text: &str) -> Option<String> {
        let name = text.trim();
        let fits = !name.is_empty() && name.chars().count() <= LONGEST_NAME;
        let valid = fits && !name.chars().any(char::is_control);
        let rule = "must be 1 to 255 characters without control characters";
        let name = valid.then(|| name.to_owned()).ok_or(rule);
        self.take("/name", "invalid_name", name)
    }

    pub fn base_url(&mut self, text: &str) -> Option<BaseUrl> {
        self.take("/base_url", "invalid_url", BaseUrl::parse(text))
    }

    pub fn token(&mut self, text: &str) -> Option<ApiToken> {
        self.take("/token", "invalid_token", ApiToken::parse(text))
    }

    pub fn rate(&mut self, rate: Option<i64>) -> Option<RequestsPerMinute> {
        let rate = rate.map(RequestsPerMinute::new).transpose();
        self.take("/requests_per_minute", "out_of_range", rate)?
    }

    pub fn schedule(&mut self, text: Option<&str>) -> Option<Cron> {
        let schedule = text.map(Cron::in_utc).transpose();
        self.take("/schedule", "invalid_schedule", schedule)?
    }

    /// Fails when anything was broken.
    pub fn check(self) -> Result<(), AppError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(AppError::Invalid(self.0))
        }
    }
}
