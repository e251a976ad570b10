//! Making clients.

use domain::importing::ClientSlug;
use kernel::receipt;
use ports::{
    StoreError,
    importing::{ClientId, ImportClient, ImportUnit},
};

use super::{Rules, endpoint, sealed};
use crate::application::{Actor, App, AppError, AppResult, RequestId};

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

/// A client that was made or was there before.
#[derive(Debug, Clone)]
pub struct Ensured {
    /// The client.
    pub client: ImportClient,
    /// Whether it was just made.
    pub created: bool,
}

impl App {
    /// Makes a client.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` with `slug_taken`.
    pub async fn create_client(
        &self,
        actor: &Actor,
        request_id: RequestId,
        new: NewClient,
    ) -> AppResult<ImportClient> {
        let mut unit = self.deps.store.begin_import().await?;
        if let Some(made) = earlier(unit.as_mut(), actor, request_id).await? {
            return Ok(made);
        }
        let client = self.build(actor, &new)?;
        unit.clients().add(&client).await.map_err(taken)?;
        self.keep(unit, request_id, client).await
    }

    /// Makes a client unless there is one of that slug, which then stays as it is.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` with `slug_taken` where another workspace has it.
    pub async fn ensure_client(
        &self,
        actor: &Actor,
        request_id: RequestId,
        new: NewClient,
    ) -> AppResult<Ensured> {
        let client = self.build(actor, &new)?;
        let mut unit = self.deps.store.begin_import().await?;
        if let Some(client) = there(unit.as_mut(), actor, &client.slug).await? {
            return Ok(Ensured {
                client,
                created: false,
            });
        }
        let added = unit.clients().add(&client).await;
        if matches!(added, Err(StoreError::Conflict { .. })) {
            // Another request made it in between.
            drop(unit);
            let mut unit = self.deps.store.begin_import().await?;
            let found = there(unit.as_mut(), actor, &client.slug).await?;
            let client = found.ok_or_else(slug_taken)?;
            return Ok(Ensured {
                client,
                created: false,
            });
        }
        added?;
        let client = self.keep(unit, request_id, client).await?;
        Ok(Ensured {
            client,
            created: true,
        })
    }

    fn build(&self, actor: &Actor, new: &NewClient) -> AppResult<ImportClient> {
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
        self.check_endpoint(&endpoint(&base_url, &token, new.tls_verify))?;
        let now = self.deps.clock.now();
        let id = ClientId(self.deps.ids.next());
        let (sealed_token, budget) = sealed(self, id, &base_url, &token);
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

    async fn keep(
        &self,
        mut unit: Box<dyn ImportUnit>,
        request_id: RequestId,
        client: ImportClient,
    ) -> AppResult<ImportClient> {
        receipt::keep(unit.receipts(), request_id, &client.id.0).await?;
        unit.commit().await?;
        Ok(client)
    }
}

/// What an earlier run of the same request made.
async fn earlier(
    unit: &mut dyn ImportUnit,
    actor: &Actor,
    request_id: RequestId,
) -> AppResult<Option<ImportClient>> {
    match receipt::earlier(unit.receipts(), request_id).await? {
        Some(id) => Ok(unit.clients().get(&actor.workspace, ClientId(id)).await?),
        None => Ok(None),
    }
}

/// The client of a slug, if it is the caller's.
async fn there(
    unit: &mut dyn ImportUnit,
    actor: &Actor,
    slug: &ClientSlug,
) -> AppResult<Option<ImportClient>> {
    match unit.clients().by_slug(slug).await? {
        Some(client) if client.workspace == actor.workspace => Ok(Some(client)),
        Some(_) => Err(slug_taken()),
        None => Ok(None),
    }
}

fn slug_taken() -> AppError {
    AppError::conflict("slug_taken", "a client with this slug exists")
}

pub(super) fn taken(error: StoreError) -> AppError {
    match error {
        StoreError::Conflict { .. } => slug_taken(),
        error => error.into(),
    }
}
