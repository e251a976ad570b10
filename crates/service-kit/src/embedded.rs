//! Everything in one process: a bus without a broker, and the secrets of a data directory.

use std::sync::Arc;

use adapter_local_bus::LocalBus;
use adapter_sql::{Context, sqlite::Db};
use ports::{auth::ApiKeyStore, bus::EnvironmentStore};
use runtime::Lifecycle;
use settings::{ExposeSecret, Roles, Settings};
use tokio::runtime::Handle;

use crate::{
    Module, Process, StartError,
    guard::{adopted, shown},
    host::{Beginning, Bus, clock, required},
    identity::{authenticator, know_key, read_or_make, stored_secret},
};

/// Databases of the embedded process that events leave.
const DATABASES: [&str; 4] = ["audience.db", "imports.db", "schedules.db", "sender.db"];

/// Tells of each database in the data directory to which environment it belongs, or lets it belong to
/// `environment.id` from now on.
///
/// # Errors
/// Store errors.
pub async fn environments(settings: &Settings, adopt: bool) -> Result<Vec<String>, StartError> {
    let (own, mut lines) = (settings.environment.id.as_str(), Vec::new());
    for name in DATABASES {
        let path = settings.data_dir.join(name);
        if !path.is_file() {
            continue;
        }
        let db = Db::open(&path).await?;
        db.migrate(&[Context::Messaging]).await?;
        let line = match adopt {
            true => adopted(db.adopt(own).await?, own),
            false => shown(&db.environment(own).await?, own),
        };
        lines.push(format!("{name}: {line}"));
    }
    Ok(lines)
}

/// Starts services in this process, with callers known by `keys`. When this returns, they answer.
///
/// # Errors
/// See [`StartError`].
pub async fn embedded(
    settings: &Settings,
    keys: Arc<dyn ApiKeyStore>,
    modules: Vec<Box<dyn Module>>,
) -> Result<Process, StartError> {
    let dir = settings.data_dir.as_path();
    let (key, made) = match &settings.api_key {
        Some(key) => (key.expose_secret().to_owned(), false),
        None => read_or_make(dir, "api-key")?,
    };
    know_key(keys.as_ref(), &key).await?;
    let mut bus = LocalBus::new(clock(), required());
    let messaging: Vec<_> = modules.iter().map(|module| module.messaging()).collect();
    for one in &messaging {
        for (binding, wake) in one.router.bindings() {
            bus = bus.bind(binding, Arc::clone(&one.inbox), wake);
        }
    }
    let beginning = Beginning {
        settings,
        life: Lifecycle::new(Handle::current()),
        roles: Roles::ALL,
        secret: stored_secret(dir)?,
        authenticator: authenticator(settings, keys, true),
        made_key: made.then_some(key),
    };
    let bus = Bus {
        publisher: Arc::new(bus),
        dead: None,
    };
    beginning.serve(modules, messaging, bus)
}
