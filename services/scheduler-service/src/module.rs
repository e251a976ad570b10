//! Puts the service together: the only file that names adapters.

use std::sync::Arc;

use adapter_sql::{Context, pg::Db};
use messaging::Signal;
use service_kit::{
    Host, Messaging, Module, NoKeys, Opened, Service, StartError, database, watch_database,
};
use settings::{Settings, SettingsError};

/// What the database holds.
const CONTEXTS: &[Context] = &[Context::Messaging];

/// The program of one replica.
pub struct SchedulerService;

impl Service for SchedulerService {
    const NAME: &'static str = "scheduler-service";

    fn check(settings: &Settings) -> Result<(), SettingsError> {
        service_kit::check(settings)
    }

    async fn migrate(settings: &Settings) -> Result<(), StartError> {
        database(settings, CONTEXTS).await.map(drop)
    }

    async fn open(settings: &Settings) -> Result<Opened, StartError> {
        let db = database(settings, CONTEXTS).await?;
        Ok((Box::new(Schedules(db)), Arc::new(NoKeys)))
    }
}

/// The service, its store open.
struct Schedules(Db);

impl Module for Schedules {
    fn messaging(&self) -> Messaging {
        Messaging::of("schedules", &self.0, Signal::default(), |router| router)
    }

    fn start(self: Box<Self>, host: &Host) -> Option<service_kit::Started> {
        watch_database(&self.0, &host.life);
        None
    }
}
