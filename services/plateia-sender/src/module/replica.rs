//! One replica, on PostgreSQL.

use std::sync::Arc;

use kernel::Wake;
use service_kit::{NoKeys, Opened, Service, StartError, attach, database, server_failed};
use settings::{Settings, SettingsError};

use super::{CONTEXTS, Senders, senders, smtp};

/// The program of one replica.
pub struct PlateiaSender;

impl Service for PlateiaSender {
    const NAME: &'static str = "plateia-sender";

    fn check(settings: &Settings) -> Result<(), SettingsError> {
        service_kit::check(settings)?;
        smtp(settings).map(drop)
    }

    async fn migrate(settings: &Settings) -> Result<(), StartError> {
        database(settings, CONTEXTS).await.map(drop)
    }

    async fn open(settings: &Settings) -> Result<Opened, StartError> {
        let senders = senders(settings)?;
        let db = database(settings, CONTEXTS).await?;
        let listener = db.listen().await.map_err(server_failed("postgres.url"))?;
        let wake = Wake::default();
        let (attached, woken) = (db.clone(), wake.clone());
        let module = Senders::new(db, senders, wake, move |life| {
            attach(&attached, listener, woken, life);
        });
        Ok((Box::new(module), Arc::new(NoKeys)))
    }
}
