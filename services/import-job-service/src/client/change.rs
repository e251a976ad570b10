//! Changes a client.

use std::sync::Arc;

use domain::{
    importing::ApiToken,
    shared::{ClientId, Violation},
};
use kernel::{Actor, AppError};
use ports::{
    Clock, StoreError,
    importing::{ImportClient, ImportStore},
};

use super::{
    credentials::{Credentials, endpoint},
    values::Rules,
    write_error,
};

/// New values of a client, as they were sent. Absent members stay as they are; `Some(None)` empties.
#[derive(Clone, Default)]
pub struct ClientChange {
    /// Its name in URLs.
    pub slug: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether runs take it.
    pub active: Option<bool>,
    /// Where its CRM answers.
    pub base_url: Option<String>,
    /// Its token; the mask stands for the one that is there.
    pub token: Option<String>,
    /// How fast it is asked.
    pub requests_per_minute: Option<Option<i64>>,
    /// Whether certificates are verified.
    pub tls_verify: Option<bool>,
    /// When it is imported by itself.
    pub schedule: Option<Option<String>>,
}

/// Changes clients.
#[derive(Clone)]
pub struct ChangeClient {
    pub store: Arc<dyn ImportStore>,
    pub credentials: Credentials,
    pub clock: Arc<dyn Clock>,
}

impl ChangeClient {
    /// Changes a client that is still at a version. A run that is live goes on with what it began with.
    ///
    /// # Errors
    /// `NotFound`; `Invalid`; `PreconditionFailed`; `Conflict` with `slug_taken`.
    #[tracing::instrument(name = "client.change", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        id: ClientId,
        version: i64,
        change: ClientChange,
    ) -> Result<ImportClient, AppError> {
        let mut unit = self.store.begin_import().await?;
        let found = unit.clients().get(&actor.workspace, id).await?;
        let mut client = found.ok_or(AppError::NotFound)?;
        if client.version != version {
            return Err(AppError::PreconditionFailed);
        }
        self.apply(&mut client, change)?;
        let stored = unit.clients().update(&client).await;
        stored.map_err(|error| match error {
            StoreError::StaleVersion => AppError::PreconditionFailed,
            error => write_error(error),
        })?;
        unit.commit().await?;
        Ok(client)
    }

    fn apply(&self, client: &mut ImportClient, change: ClientChange) -> Result<(), AppError> {
        let now = self.clock.now();
        let mut rules = Rules::default();
        let slug = change.slug.and_then(|slug| rules.slug(&slug));
        let name = change.name.and_then(|name| rules.name(&name));
        let base_url = change.base_url.and_then(|url| rules.base_url(&url));
        let given = change.token.filter(|token| token.trim() != ApiToken::MASK);
        let token = given.and_then(|token| rules.token(&token));
        if let Some(rate) = change.requests_per_minute {
            client.requests_per_minute = rules.rate(rate);
        }
        if let Some(text) = change.schedule {
            let schedule = rules.schedule(text.as_deref());
            client.next_run_at = schedule.as_ref().and_then(|s| s.next_after(now));
            client.schedule = schedule;
        }
        if token.is_none() && base_url.as_ref().is_some_and(|url| *url != client.base_url) {
            // Else whoever may change a client could have its token sent to himself.
            rules.0.push(Violation::new(
                "/token",
                "token_required",
                "a new address needs the token to be given again",
            ));
        }
        rules.check()?;
        client.slug = slug.unwrap_or_else(|| client.slug.clone());
        client.name = name.unwrap_or_else(|| client.name.clone());
        client.tls_verify = change.tls_verify.unwrap_or(client.tls_verify);
        if let Some(active) = change.active {
            let wakes = active && !client.active;
            client.active = active;
            if wakes {
                // What was missed while it slept is not made up for.
                client.next_run_at = client.schedule.as_ref().and_then(|s| s.next_after(now));
            }
        }
        if base_url.is_some() || token.is_some() {
            client.base_url = base_url.unwrap_or_else(|| client.base_url.clone());
            let token = token.map_or_else(|| self.credentials.token(client), Ok)?;
            let endpoint = endpoint(&client.base_url, token, client.tls_verify);
            (client.sealed_token, client.budget) = self.credentials.seal(client.id, &endpoint)?;
        }
        client.version += 1;
        client.updated_at = now;
        Ok(())
    }
}
