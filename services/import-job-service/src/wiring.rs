//! Puts the service together.

#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "replica")]
mod replica;
mod vault;

use std::sync::Arc;

use adapter_crm::{AllowedHosts, HttpCrm, SystemLookup};
use domain::{importing::RequestsPerMinute, shared::Instant};
use http_kit::{ApiContext, Authenticator, Idempotency, Sealer};
use ports::{
    Clock, IdGenerator, StoreError,
    crm::RateBudget,
    idempotency::IdempotencyStore,
    importing::{ImportQueries, ImportStore},
};
use runtime::Lifecycle;
use settings::{ExposeSecret, Settings, SettingsError};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

#[cfg(feature = "embedded")]
pub use embedded::Embedded;
#[cfg(feature = "replica")]
pub use replica::ImportJobService;
use vault::Vault;

use crate::{
    application::{App, Deps, Policy},
    http::{AdminToken, ApiState},
};

/// Largest body in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// Why the service does not start; the message names the key.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is missing or malformed.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A server that the service stands on cannot be used.
    #[cfg(feature = "replica")]
    #[error(transparent)]
    Base(#[from] service_kit::BaseError),
    /// The store cannot be opened or brought up to date.
    #[error("store of imports: {0}")]
    Store(#[from] StoreError),
}

/// Settings of imports that can be used.
struct Checked {
    policy: Policy,
    allowed_hosts: AllowedHosts,
}

impl Checked {
    fn of(settings: &Settings) -> Result<Self, SettingsError> {
        let invalid = |key, rule| SettingsError::Invalid { key, rule };
        let imports = &settings.imports;
        let rule = "must be RFC 3339 or a date, such as 2026-01-01";
        let start_at = start_at(&imports.start_at).ok_or(invalid("imports.start_at", rule))?;
        let rule = "must be from 1 to 60000";
        let rate = RequestsPerMinute::new(imports.requests_per_minute)
            .map_err(|_| invalid("imports.requests_per_minute", rule))?;
        let rule = "must be host:port with commas between";
        let allowed_hosts = AllowedHosts::parse(&imports.allow_private_hosts)
            .map_err(|_| invalid("imports.allow_private_hosts", rule))?;
        Ok(Self {
            policy: Policy {
                start_at,
                requests_per_minute: rate,
            },
            allowed_hosts,
        })
    }
}

fn start_at(text: &str) -> Option<Instant> {
    let text = text.trim();
    let instant = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let date = || text.parse::<chrono::NaiveDate>().ok()?.and_hms_opt(0, 0, 0);
    instant.ok().or_else(|| Some(date()?.and_utc()))
}

/// What both databases are to the service.
trait Database: ImportStore + ImportQueries + RateBudget + Clone + 'static {}

impl<D: ImportStore + ImportQueries + RateBudget + Clone + 'static> Database for D {}

/// Time and ids of the process.
#[derive(Clone)]
struct Process {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    owner: String,
}

/// The use cases on a database.
fn app<D: Database>(
    checked: Checked,
    secret: &str,
    db: &D,
    process: &Process,
    life: &Lifecycle,
) -> Arc<App> {
    let limits = adapter_crm::Settings {
        allowed_hosts: checked.allowed_hosts,
        ..adapter_crm::Settings::default()
    };
    let clock = Arc::clone(&process.clock);
    let crm = HttpCrm::new(limits, Arc::new(SystemLookup), clock);
    let deps = Deps {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        crm: Arc::new(crm),
        budget: Arc::new(db.clone()),
        vault: Arc::new(Vault::new(&key(secret, "import-tokens"))),
        clock: Arc::clone(&process.clock),
        ids: Arc::clone(&process.ids),
        owner: process.owner.clone(),
        policy: checked.policy,
    };
    Arc::new(App::new(deps, life.soft()))
}

/// What handlers share.
fn state(
    settings: &Settings,
    secret: &str,
    app: &Arc<App>,
    authenticator: Authenticator,
    idempotency: Arc<dyn IdempotencyStore>,
    life: &Lifecycle,
) -> ApiState {
    /// How long a request under an idempotency key may take before a repetition takes it over: longer
    /// than the longest wait that a client may ask for.
    const LEASE: std::time::Duration = std::time::Duration::from_secs(120);
    let token = settings.imports.admin_token.as_ref();
    let admin = AdminToken::new(token.map(ExposeSecret::expose_secret));
    if !admin.is_set() {
        tracing::warn!("ADMIN_TOKEN is not set: /api/jobs and /api/admin answer 401 to everybody");
    }
    let ids = Arc::clone(&app.deps().ids);
    let streams = settings.limits.sse.min(Semaphore::MAX_PERMITS);
    let context = ApiContext {
        authenticator,
        idempotency: Idempotency::new(idempotency, ids, life.changes(), LEASE),
        changes: life.changes(),
        sealer: Sealer::new(&key(secret, "import-cursors")),
        body_limit: LARGEST_BODY,
        streams: Arc::new(Semaphore::new(streams)),
        stopping: life.soft(),
    };
    ApiState {
        app: Arc::clone(app),
        context,
        admin,
    }
}

/// A key of one purpose.
fn key(secret: &str, purpose: &str) -> [u8; 32] {
    Sha256::digest(format!("{purpose}\n{secret}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_or_name_their_key() {
        let with = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            Checked::of(&settings)
        };
        let checked = with(|s| s.imports.start_at = "2026-02-03".to_owned()).unwrap();
        let expected = "2026-02-03T00:00:00Z".parse::<Instant>().unwrap();
        assert_eq!(checked.policy.start_at, expected);
        assert!(with(|s| s.imports.start_at = "2026-02-03T01:00:00-03:00".to_owned()).is_ok());
        let refused = |change| with(change).err().unwrap().to_string();
        for (error, key) in [
            (
                refused(|s| s.imports.start_at = "yesterday".to_owned()),
                "imports.start_at",
            ),
            (
                refused(|s| s.imports.requests_per_minute = 0),
                "imports.requests_per_minute",
            ),
            (
                refused(|s| s.imports.allow_private_hosts = "crm".to_owned()),
                "imports.allow_private_hosts",
            ),
        ] {
            assert!(error.contains(key), "{error}");
        }
    }
}
