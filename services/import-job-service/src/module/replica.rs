//! One replica, on PostgreSQL.

use std::sync::Arc;

use adapter_sql::pg::Idempotency;
use ports::{Clock, IdGenerator, StoreError};
use runtime::{Snowflakes, SystemClock};
use service_kit::{Opened, Service, StartError, attach, database, server_failed};
use settings::{ExposeSecret, Settings, SettingsError};

use super::{CONTEXTS, Checked, Imports, Process, use_cases};

/// The program of one replica.
pub struct ImportJobService;

impl Service for ImportJobService {
    const NAME: &'static str = "import-job-service";

    fn check(settings: &Settings) -> Result<(), SettingsError> {
        service_kit::check(settings)?;
        Checked::of(settings).map(drop)
    }

    async fn migrate(settings: &Settings) -> Result<(), StartError> {
        database(settings, CONTEXTS).await.map(drop)
    }

    async fn open(settings: &Settings) -> Result<Opened, StartError> {
        let checked = Checked::of(settings)?;
        let secret = settings.secret_key()?;
        let db = database(settings, CONTEXTS).await?;
        let listener = db.listen().await.map_err(server_failed("postgres.url"))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Snowflakes::new(listener.node(), Arc::clone(&clock))
            .map_err(|e| StoreError::Internal(Box::new(e)))?;
        let ids: Arc<dyn IdGenerator> = Arc::new(ids);
        let process = Process {
            owner: format!("replica-{}-{}", listener.node(), ids.next()),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
        };
        let cases = use_cases(checked, secret.expose_secret(), &db, &process);
        let (wake, attached) = (cases.wake.clone(), db.clone());
        let module = Imports {
            settings: settings.clone(),
            cases,
            ids: Arc::clone(&ids),
            idempotency: Arc::new(Idempotency::new(db.clone(), clock, ids)),
            db: db.clone(),
            attach: Box::new(move |life| attach(&attached, listener, wake, life)),
        };
        Ok((Box::new(module), Arc::new(db)))
    }
}
