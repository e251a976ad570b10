//! Puts the service together: with `module/embedded.rs` and `module/replica.rs` the only files that name
//! adapters.

#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "replica")]
mod replica;

use std::sync::Arc;

use adapter_bigquery::{
    SystemTimer,
    segments::{BigQueryWarehouses, Options},
};
use adapter_sql::Context;
use chrono::TimeDelta;
use http_kit::{Api, ContactIds, Sealer, SharedToken};
use kernel::directory::SERVICE_PURPOSE;
use messaging::Signal;
use ports::{
    SecretVault,
    bus::{DeadLetters, EnvironmentStore, InboxStore, OutboxQueue},
    idempotency::IdempotencyStore,
    scheduling::Directory,
    warehouse::Warehouses,
};
use runtime::Lifecycle;
use sealing::Vault;
use service_kit::{
    Host, Messaging, Module, Requests, StartError, Started, derived_key, shared_token,
};
use settings::Settings;

#[cfg(feature = "embedded")]
pub use embedded::{Embedded, embedded};
#[cfg(feature = "replica")]
pub use replica::AudienceService;

use crate::{
    UseCases, consumers,
    http::{self, ApiState},
    segment::SizeGuard,
    workers,
};

/// What the database holds.
const CONTEXTS: &[Context] = &[
    Context::Messaging,
    Context::Operations,
    Context::Audience,
    Context::Customer,
];

/// The service, its stores open.
struct Audiences<Db> {
    settings: Settings,
    app: Arc<UseCases>,
    db: Db,
    idempotency: Arc<dyn IdempotencyStore>,
    directory: Arc<dyn Directory>,
    /// Ties it to the process once that has begun.
    attach: Box<dyn FnOnce(&Lifecycle) + Send>,
}

impl<Db> Module for Audiences<Db>
where
    Db: OutboxQueue + InboxStore + DeadLetters + EnvironmentStore + Clone + 'static,
{
    fn messaging(&self) -> Messaging {
        let signal = Signal::from(self.app.wake.on_outbox());
        let listen = |router| consumers::listen(router, &self.app);
        Messaging::of("audiences", &self.db, signal, listen)
    }

    fn start(self: Box<Self>, host: &Host) -> Option<Started> {
        (self.attach)(&host.life);
        let help = "Members whom a nightly refresh of a live audience had to add or take away.";
        match host.metrics.counter("live_corrections_total", help, &[]) {
            Ok(counter) => {
                let counter = counter.with_label_values::<&str>(&[]);
                self.app
                    .corrections
                    .tell(move |members| counter.inc_by(members));
            }
            Err(error) => tracing::error!(%error, "corrections are not counted"),
        }
        if host.roles.workers {
            workers::start(&self.app, &host.life, self.settings.workers.operations);
        }
        let limits = &self.settings.limits;
        let context = host.context(Requests {
            store: self.idempotency,
            ids: Arc::clone(&self.app.ids),
            sealer: Sealer::new(&derived_key(&host.secret, "tokens")),
            body_limit: limits.body_bytes,
        });
        let state = Api::new(
            context.clone(),
            ApiState {
                app: Arc::clone(&self.app),
                contact_ids: ContactIds::new(&derived_key(&host.secret, "contact-ids")),
                directory: self.directory,
                peers: SharedToken::new(Some(&shared_token(&host.secret, SERVICE_PURPOSE))),
                dead_letters: self.app.dead_letters(host.dead_letters.clone()),
                item_limit: limits.items,
                environment: self.settings.environment.id.clone(),
            },
        );
        let older = http::face_l::routes().and(http::face_g::routes());
        let older = older.and(http::face_a::routes());
        let older = older.and(http::internal::routes());
        Some(Started {
            routes: Arc::new(older.serve(&state)),
            v1: Arc::new(http::v1::routes().serve(&state)),
            document: http::openapi::document(),
            errors: http::ERRORS,
            context,
            operations: Some(self.app.operations.clone()),
        })
    }
}

fn files(error: ports::files::FileError) -> StartError {
    StartError::DataDir(std::io::Error::other(error))
}

/// Customers outside.
fn warehouses(settings: &Settings) -> Arc<dyn Warehouses> {
    let options = Options {
        endpoint: settings.bigquery.endpoint.clone(),
        machine_account: settings.bigquery.machine_account,
        ..Options::default()
    };
    Arc::new(BigQueryWarehouses::new(options, Arc::new(SystemTimer)))
}

/// What seals credentials at rest.
fn vault(secret: &str) -> Arc<dyn SecretVault> {
    Arc::new(Vault::new(&derived_key(secret, "segment-sources")))
}

fn customer_events_kept(settings: &Settings) -> TimeDelta {
    TimeDelta::days(i64::from(settings.retention.customer_events_days))
}

const fn size_guard(settings: &Settings) -> SizeGuard {
    SizeGuard {
        from: settings.segments.guard_from,
        percent: settings.segments.guard_percent,
    }
}
