//! On SQLite, for both stores.

use std::sync::Arc;

use adapter_files::{DiskBlobs, DiskSpool, TabularFormats};
use adapter_sql::{
    contacts::{ContactsOptions, SqliteContacts},
    sqlite::{Db, Idempotency},
};
use kernel::directory::RecipientSource;
use ports::{Clock, IdGenerator, StoreError, auth::ApiKeyStore, scheduling::Directory};
use runtime::{Snowflakes, SystemClock};
use service_kit::{Module, StartError, stored_secret};
use settings::Settings;

use super::{Audiences, CONTEXTS, customer_events_kept, files, size_guard, vault, warehouses};
use crate::{Ports, StepSizes, UseCases};

/// The service, who knows its callers, and what other services of the process may ask.
pub struct Embedded {
    /// The service.
    pub module: Box<dyn Module>,
    /// Who knows its callers.
    pub keys: Arc<dyn ApiKeyStore>,
    /// What other services may ask about workspaces.
    pub directory: Arc<dyn Directory>,
    /// Finds recipients for them.
    pub recipients: Arc<dyn RecipientSource>,
}

/// Opens the service in a data directory that this process has to itself. Interrupted writes are repaired when this
/// returns.
///
/// # Errors
/// See [`StartError`].
pub async fn embedded(settings: &Settings) -> Result<Embedded, StartError> {
    let dir = settings.data_dir.as_path();
    std::fs::create_dir_all(dir).map_err(StartError::DataDir)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // One process owns the data directory, so one node number is enough.
    let ids =
        Snowflakes::new(0, Arc::clone(&clock)).map_err(|e| StoreError::Internal(Box::new(e)))?;
    let ids: Arc<dyn IdGenerator> = Arc::new(ids);
    let db = Db::open(&dir.join("audience.db")).await?;
    db.migrate(CONTEXTS).await?;
    let app = Arc::new(UseCases::new(deps(settings, &db, &clock, &ids).await?));
    let repaired = app
        .repair_all()
        .await
        .map_err(|e| StartError::Repair(e.to_string()))?;
    if repaired > 0 {
        tracing::info!(repaired, "interrupted writes repaired");
    }
    let recipients = Arc::new(app.recipients.clone());
    let directory: Arc<dyn Directory> = Arc::new(db.clone());
    let module = Audiences {
        settings: settings.clone(),
        app,
        idempotency: Arc::new(Idempotency::new(db.clone(), clock, ids)),
        db: db.clone(),
        directory: Arc::clone(&directory),
        attach: Box::new(|_| {}),
    };
    Ok(Embedded {
        module: Box::new(module),
        keys: Arc::new(db),
        directory,
        recipients,
    })
}

async fn deps(
    settings: &Settings,
    db: &Db,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdGenerator>,
) -> Result<Ports, StartError> {
    let dir = settings.data_dir.as_path();
    let contacts = SqliteContacts::open(ContactsOptions::new(dir.join("contacts.db"))).await?;
    Ok(Ports {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        segments: Arc::new(db.clone()),
        warehouses: warehouses(settings),
        vault: vault(&stored_secret(dir)?),
        contacts: Arc::new(contacts),
        blobs: Arc::new(DiskBlobs::new(dir.join("files")).map_err(files)?),
        spool: Arc::new(DiskSpool::new(dir.join("scratch")).map_err(files)?),
        formats: Arc::new(TabularFormats),
        clock: Arc::clone(clock),
        guard: size_guard(settings),
        steps: StepSizes::default(),
        customer_events_kept: customer_events_kept(settings),
        owner: format!("embedded-{}", ids.next()),
        ids: Arc::clone(ids),
    })
}
