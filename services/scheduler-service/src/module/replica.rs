//! One replica, on PostgreSQL. It keeps its tables and its place on the bus; communications are taken by the one
//! process until customers can be asked for between services.

use std::sync::Arc;

use adapter_sql::pg::Db;
use messaging::Signal;
use service_kit::{
    Host, Messaging, Module, NoKeys, Opened, Service, StartError, Started, database, watch_database,
};
use settings::{Settings, SettingsError};

use super::CONTEXTS;

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
        Ok((Box::new(Standing(db)), Arc::new(NoKeys)))
    }
}

/// The service, its store open.
struct Standing(Db);

impl Module for Standing {
    fn messaging(&self) -> Messaging {
        Messaging::of("schedules", &self.0, Signal::default(), |router| router)
    }

    fn start(self: Box<Self>, host: &Host) -> Option<Started> {
        watch_database(&self.0, &host.life);
        None
    }
}
