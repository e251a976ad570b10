//! On a SQLite file of its own.

use std::sync::Arc;

use adapter_sql::sqlite::{Db, Idempotency};
use ports::{Clock, IdGenerator, StoreError, importing::ImportStore};
use runtime::{Snowflakes, SystemClock};
use service_kit::{Module, StartError, stored_secret};
use settings::Settings;

use super::{CONTEXTS, Checked, Imports, Process, use_cases};

/// Opens the service in a data directory that this process has to itself, and frees what a process that is
/// gone had in its hands.
///
/// # Errors
/// See [`StartError`].
pub async fn embedded(settings: &Settings) -> Result<Box<dyn Module>, StartError> {
    let checked = Checked::of(settings)?;
    let dir = settings.data_dir.as_path();
    std::fs::create_dir_all(dir).map_err(StartError::DataDir)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Ids of this service are apart from those of others, in tables of their own.
    let ids =
        Snowflakes::new(1, Arc::clone(&clock)).map_err(|e| StoreError::Internal(Box::new(e)))?;
    let ids: Arc<dyn IdGenerator> = Arc::new(ids);
    let db = Db::open(&dir.join("imports.db")).await?;
    db.migrate(CONTEXTS).await?;
    let mut unit = db.begin_import().await?;
    unit.operations().release_leases().await?;
    unit.commit().await?;
    let process = Process {
        owner: format!("embedded-{}", ids.next()),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
    };
    Ok(Box::new(Imports {
        settings: settings.clone(),
        cases: use_cases(checked, &stored_secret(dir)?, &db, &process),
        ids: Arc::clone(&ids),
        idempotency: Arc::new(Idempotency::new(db.clone(), clock, ids)),
        db,
        attach: Box::new(|_| {}),
    }))
}
