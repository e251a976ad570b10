//! Puts the service together: with `module/embedded.rs` and `module/replica.rs` the only files that name
//! adapters.

#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "replica")]
mod replica;

use std::sync::Arc;

use adapter_crm::{AllowedHosts, HttpCrm, SystemLookup};
use adapter_sql::Context;
use domain::{importing::RequestsPerMinute, shared::Instant};
use http_kit::SharedToken;
use http_kit::{Api, Sealer};
use messaging::{Router, Signal};
use ports::{
    Clock, IdGenerator,
    bus::{DeadLetters, EnvironmentStore, InboxStore, OutboxQueue},
    crm::RateBudget,
    idempotency::IdempotencyStore,
    importing::{ImportQueries, ImportStore},
};
use runtime::Lifecycle;
use sealing::Vault;
use service_kit::{Host, Messaging, Module, Requests, Started, derived_key};
use settings::{ExposeSecret, Settings, SettingsError};

#[cfg(feature = "embedded")]
pub use embedded::embedded;
#[cfg(feature = "replica")]
pub use replica::ImportJobService;

use crate::{
    http::{self, ApiState, face_j},
    run::Policy,
    use_cases::{Setup, UseCases},
    workers,
};

/// Largest body in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// What the database holds.
const CONTEXTS: &[Context] = &[Context::Messaging, Context::Operations, Context::Importing];

/// The service, its store open.
struct Imports<Db> {
    settings: Settings,
    cases: UseCases,
    ids: Arc<dyn IdGenerator>,
    db: Db,
    idempotency: Arc<dyn IdempotencyStore>,
    /// Ties it to the process once that has begun.
    attach: Box<dyn FnOnce(&Lifecycle) + Send>,
}

impl<Db> Module for Imports<Db>
where
    Db: OutboxQueue + InboxStore + DeadLetters + EnvironmentStore + Clone + 'static,
{
    fn messaging(&self) -> Messaging {
        let signal = Signal::from(self.cases.wake.on_outbox());
        Messaging::of("imports", &self.db, signal, |router: Router| router)
    }

    fn start(self: Box<Self>, host: &Host) -> Option<Started> {
        (self.attach)(&host.life);
        let imports = &self.settings.imports;
        if host.roles.workers {
            workers::start(&self.cases, &host.life, imports.runs);
        }
        let context = host.context(Requests {
            store: self.idempotency,
            ids: self.ids,
            sealer: Sealer::new(&derived_key(&host.secret, "import-cursors")),
            body_limit: LARGEST_BODY,
        });
        let token = imports.admin_token.as_ref();
        let admin = SharedToken::new(token.map(ExposeSecret::expose_secret));
        if !admin.is_set() {
            tracing::warn!(
                "ADMIN_TOKEN is not set: /api/jobs and /api/admin answer 401 to everybody"
            );
        }
        let state = ApiState {
            cases: self.cases.clone(),
            admin,
        };
        let state = Api::new(context.clone(), state);
        Some(Started {
            routes: Arc::new(face_j::routes().serve(&state)),
            v1: Arc::new(http::v1::routes().serve(&state)),
            document: http::document(),
            errors: &[face_j::ERRORS],
            context,
            operations: Some(self.cases.control),
        })
    }
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
fn use_cases<D: Database>(checked: Checked, secret: &str, db: &D, process: &Process) -> UseCases {
    let limits = adapter_crm::Settings {
        allowed_hosts: checked.allowed_hosts,
        ..adapter_crm::Settings::default()
    };
    let clock = Arc::clone(&process.clock);
    let crm = HttpCrm::new(limits, Arc::new(SystemLookup), clock);
    UseCases::new(&Setup {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        crm: Arc::new(crm),
        budget: Arc::new(db.clone()),
        vault: Arc::new(Vault::new(&derived_key(secret, "import-tokens"))),
        clock: Arc::clone(&process.clock),
        ids: Arc::clone(&process.ids),
        owner: process.owner.clone(),
        policy: checked.policy,
    })
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
