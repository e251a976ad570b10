//! One replica, on PostgreSQL. It asks audience-service over HTTP who and what there is in a workspace.

use std::sync::Arc;

use adapter_directory::HttpDirectory;
use adapter_sql::pg::{Db, Idempotency};
use kernel::directory::SERVICE_PURPOSE;
use ports::{Clock, IdGenerator, StoreError};
use runtime::{Snowflakes, SystemClock};
use sealing::Vault;
use service_kit::{
    Opened, Service, StartError, attach, database, derived_key, server_failed, shared_token,
};
use settings::{ExposeSecret, Settings, SettingsError};

use super::{CONTEXTS, Schedules};
use crate::use_cases::{Setup, UseCases};

/// The program of one replica.
pub struct SchedulerService;

impl Service for SchedulerService {
    const NAME: &'static str = "scheduler-service";

    fn check(settings: &Settings) -> Result<(), SettingsError> {
        service_kit::check(settings)?;
        directory(settings).map(drop)
    }

    async fn migrate(settings: &Settings) -> Result<(), StartError> {
        database(settings, CONTEXTS).await.map(drop)
    }

    async fn open(settings: &Settings) -> Result<Opened, StartError> {
        let directory = Arc::new(directory(settings)?);
        let secret = settings.secret_key()?;
        let db = database(settings, CONTEXTS).await?;
        let listener = db.listen().await.map_err(server_failed("postgres.url"))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Snowflakes::new(listener.node(), Arc::clone(&clock))
            .map_err(|e| StoreError::Internal(Box::new(e)))?;
        let ids: Arc<dyn IdGenerator> = Arc::new(ids);
        let key = derived_key(secret.expose_secret(), "schedule-addresses");
        let cases = UseCases::new(Setup {
            store: Arc::new(db.clone()),
            queries: Arc::new(db.clone()),
            directory: directory.clone(),
            recipients: directory,
            vault: Arc::new(Vault::new(&key)),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
        });
        let (wake, attached): (_, Db) = (cases.signals.wake().clone(), db.clone());
        let module = Schedules {
            cases: Arc::new(cases),
            ids: Arc::clone(&ids),
            idempotency: Arc::new(Idempotency::new(db.clone(), clock, ids)),
            db: db.clone(),
            attach: Box::new(move |life| attach(&attached, listener, wake, life)),
        };
        Ok((Box::new(module), Arc::new(db)))
    }
}

/// audience-service, where the settings say that it is.
fn directory(settings: &Settings) -> Result<HttpDirectory, SettingsError> {
    let unusable = |reason: String| SettingsError::Unusable {
        key: "audience.url",
        reason,
    };
    let missing = || unusable("must say where audience-service answers".to_owned());
    let url = settings.audience.url.as_deref().ok_or_else(missing)?;
    let secret = settings.secret_key()?;
    let token = shared_token(secret.expose_secret(), SERVICE_PURPOSE);
    HttpDirectory::new(url, &token).map_err(|error| unusable(error.to_string()))
}
