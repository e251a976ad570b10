//! On a SQLite file of its own.

use adapter_sql::sqlite::Db;
use kernel::Wake;
use service_kit::{Module, StartError};
use settings::Settings;

use super::{CONTEXTS, Senders, senders};

/// Opens the senders in a data directory that this process has to itself.
///
/// # Errors
/// See [`StartError`].
pub async fn embedded(settings: &Settings) -> Result<Box<dyn Module>, StartError> {
    let senders = senders(settings)?;
    let dir = settings.data_dir.as_path();
    std::fs::create_dir_all(dir).map_err(StartError::DataDir)?;
    let db = Db::open(&dir.join("sender.db")).await?;
    db.migrate(CONTEXTS).await?;
    Ok(Box::new(Senders::new(db, senders, Wake::default(), |_| {})))
}
