//! On a SQLite file of its own.

use std::sync::Arc;

use adapter_sql::sqlite::{Db, Idempotency};
use kernel::directory::RecipientSource;
use ports::{Clock, IdGenerator, StoreError, scheduling::Directory};
use runtime::{Snowflakes, SystemClock};
use sealing::Vault;
use service_kit::{Module, StartError, derived_key, stored_secret};
use settings::Settings;

use super::{CONTEXTS, Schedules};
use crate::use_cases::{Setup, UseCases};

/// Opens the service in a data directory that this process has to itself.
///
/// # Errors
/// See [`StartError`].
pub async fn embedded(
    settings: &Settings,
    directory: Arc<dyn Directory>,
    recipients: Arc<dyn RecipientSource>,
) -> Result<Box<dyn Module>, StartError> {
    let dir = settings.data_dir.as_path();
    std::fs::create_dir_all(dir).map_err(StartError::DataDir)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids =
        Snowflakes::new(2, Arc::clone(&clock)).map_err(|e| StoreError::Internal(Box::new(e)))?;
    let ids: Arc<dyn IdGenerator> = Arc::new(ids);
    let db = Db::open(&dir.join("schedules.db")).await?;
    db.migrate(CONTEXTS).await?;
    let cases = UseCases::new(Setup {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        directory,
        recipients,
        vault: Arc::new(Vault::new(&derived_key(
            &stored_secret(dir)?,
            "schedule-addresses",
        ))),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
    });
    Ok(Box::new(Schedules {
        cases: Arc::new(cases),
        ids: Arc::clone(&ids),
        idempotency: Arc::new(Idempotency::new(db.clone(), clock, ids)),
        db,
        attach: Box::new(|_| {}),
    }))
}
