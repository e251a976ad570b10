//! Puts the service together: with `module/embedded.rs` and `module/replica.rs` the only files that name
//! adapters.

#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "replica")]
mod replica;

use std::sync::Arc;

use adapter_sql::Context;
use http_kit::{Api, Sealer};
use messaging::Signal;
use ports::{
    IdGenerator,
    bus::{DeadLetters, EnvironmentStore, InboxStore, OutboxQueue},
    idempotency::IdempotencyStore,
};
use runtime::Lifecycle;
use service_kit::{Host, Messaging, Module, Requests, Started, derived_key};

#[cfg(feature = "embedded")]
pub use embedded::embedded;
#[cfg(feature = "replica")]
pub use replica::SchedulerService;

use crate::{
    consumers,
    http::{self, ApiState, face_s},
    use_cases::UseCases,
    workers,
};

/// Name in metrics.
const NAME: &str = "schedules";
/// Largest body in bytes: 100,000 customers, and a message.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// What the database holds.
pub(crate) const CONTEXTS: &[Context] =
    &[Context::Messaging, Context::Operations, Context::Scheduling];

/// The service, its store open.
struct Schedules<Db> {
    cases: Arc<UseCases>,
    ids: Arc<dyn IdGenerator>,
    db: Db,
    idempotency: Arc<dyn IdempotencyStore>,
    /// Ties it to the process once that has begun.
    attach: Box<dyn FnOnce(&Lifecycle) + Send>,
}

impl<Db> Module for Schedules<Db>
where
    Db: OutboxQueue + InboxStore + DeadLetters + EnvironmentStore + Clone + 'static,
{
    fn messaging(&self) -> Messaging {
        let signal = Signal::from(self.cases.signals.wake().on_outbox());
        Messaging::of(NAME, &self.db, signal, |router| {
            consumers::listen(router, &self.cases)
        })
    }

    fn start(self: Box<Self>, host: &Host) -> Option<Started> {
        (self.attach)(&host.life);
        if host.roles.workers {
            workers::start(&self.cases, host.may_send(NAME), &host.life);
        }
        let context = host.context(Requests {
            store: self.idempotency,
            ids: self.ids,
            sealer: Sealer::new(&derived_key(&host.secret, "schedule-cursors")),
            body_limit: LARGEST_BODY,
        });
        let state = Api::new(context.clone(), ApiState { cases: self.cases });
        Some(Started {
            routes: Arc::new(face_s::routes().serve(&state)),
            v1: Arc::new(http::v1_routes().serve(&state)),
            document: http::document(),
            errors: &[],
            context,
            operations: None,
        })
    }
}
