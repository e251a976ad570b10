//! One replica, on PostgreSQL and MongoDB.

use std::sync::Arc;

use adapter_files::{DiskSpool, TabularFormats};
use adapter_mongo::{MongoBlobs, MongoContacts, MongoSettings};
use adapter_sql::pg::{Db, Idempotency};
use ports::{Clock, IdGenerator, StoreError};
use runtime::{Snowflakes, SystemClock};
use service_kit::{Opened, Service, StartError, attach, database, server_failed};
use settings::{ExposeSecret, Settings, SettingsError};

use super::{Audiences, CONTEXTS, customer_events_kept, files, size_guard, vault, warehouses};
use crate::{Ports, StepSizes, UseCases};

/// The program of one replica.
pub struct AudienceService;

impl Service for AudienceService {
    const NAME: &'static str = "audience-service";

    fn check(settings: &Settings) -> Result<(), SettingsError> {
        settings.servers()?;
        service_kit::check(settings)
    }

    async fn migrate(settings: &Settings) -> Result<(), StartError> {
        database(settings, CONTEXTS).await?;
        contacts(settings).await?;
        Ok(())
    }

    /// What other replicas left behind is repaired as soon as their leases have run out.
    async fn open(settings: &Settings) -> Result<Opened, StartError> {
        let db = database(settings, CONTEXTS).await?;
        let contacts = contacts(settings).await?;
        let listener = db.listen().await.map_err(server_failed("postgres.url"))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Snowflakes::new(listener.node(), Arc::clone(&clock))
            .map_err(|e| StoreError::Internal(Box::new(e)))?;
        let ids: Arc<dyn IdGenerator> = Arc::new(ids);
        let deps = deps(settings, &db, &contacts, &clock, &ids, listener.node())?;
        let app = Arc::new(UseCases::new(deps));
        let (wake, attached) = (app.wake.clone(), db.clone());
        let module = Audiences {
            settings: settings.clone(),
            app,
            idempotency: Arc::new(Idempotency::new(db.clone(), clock, ids)),
            directory: Arc::new(db.clone()),
            db: db.clone(),
            // Without the database nothing can be answered. Without the contact store the rest can, and
            // without the broker everything: events wait in the outbox.
            attach: Box::new(move |life| attach(&attached, listener, wake, life)),
        };
        Ok((Box::new(module), Arc::new(db)))
    }
}

async fn contacts(settings: &Settings) -> Result<MongoContacts, StartError> {
    let servers = settings.servers()?;
    let url = servers.mongodb_url.expose_secret();
    let mongo = MongoSettings::new(url, &settings.mongodb.database);
    let opened = MongoContacts::open(&mongo).await;
    opened.map_err(server_failed("mongodb.url"))
}

fn deps(
    settings: &Settings,
    db: &Db,
    contacts: &MongoContacts,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdGenerator>,
    node: u16,
) -> Result<Ports, StartError> {
    let dir = settings.data_dir.as_path();
    std::fs::create_dir_all(dir).map_err(StartError::DataDir)?;
    Ok(Ports {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        segments: Arc::new(db.clone()),
        warehouses: warehouses(settings),
        vault: vault(settings.secret_key()?.expose_secret()),
        contacts: Arc::new(contacts.clone()),
        blobs: Arc::new(MongoBlobs::beside(contacts)),
        spool: Arc::new(DiskSpool::new(dir.join("scratch")).map_err(files)?),
        formats: Arc::new(TabularFormats),
        clock: Arc::clone(clock),
        guard: size_guard(settings),
        steps: StepSizes::default(),
        customer_events_kept: customer_events_kept(settings),
        owner: format!("replica-{node}-{}", ids.next()),
        ids: Arc::clone(ids),
    })
}
