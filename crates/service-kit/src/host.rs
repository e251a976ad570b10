//! What a process gives to the services in it: one server, one bus, one registry of metrics, one end.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{
    Scope,
    web::{self, Bytes, ServiceConfig},
};
use http_kit::{
    Api, ApiContext, Authenticator, ErrorShape, ErrorShapes, Idempotency, Sealer, Server,
    fallbacks, openapi,
    operations::{self, OperationService, Operations},
};
use messaging::{
    AllDeadLetters, DeadLetterQueue, OutboxRelay, Retention, RetentionSettings, Router, Signal,
};
use ports::{
    Clock, IdGenerator,
    bus::{
        DeadLetters, EnvironmentStore, EventPublisher, InboxStore, OutboxQueue, Subscribers,
        Subscription,
    },
    idempotency::IdempotencyStore,
};
use runtime::{Lifecycle, SystemClock, repeat};
use settings::{Roles, Settings};
use telemetry::Metrics;
use tokio::sync::Semaphore;
use utoipa::openapi::OpenApi;

use crate::{StartError, guard::Guard, metrics::Counted};

/// Threads that serve HTTP where the settings do not say: each has an idle cost.
const HTTP_WORKERS: usize = 2;
/// After this time a repetition takes over what a process that died was doing under an idempotency key.
const IDEMPOTENCY_LEASE: Duration = Duration::from_secs(30);

/// Pause between two looks for answers that nobody can ask for any more.
const REQUESTS_EVERY: Duration = Duration::from_secs(60);
/// Rows of a table deleted in one step, so that requests do not wait.
const PURGED_AT_ONCE: usize = 500;

/// What a service writes to the bus, and what it listens to.
pub struct Messaging {
    /// Its name in metrics.
    pub service: &'static str,
    /// Its events on their way out.
    pub outbox: Arc<dyn OutboxQueue>,
    /// Wakes who takes them there.
    pub signal: Signal,
    /// Events that came for it.
    pub inbox: Arc<dyn InboxStore>,
    /// Those that it gave up.
    pub dead: Arc<dyn DeadLetters>,
    /// What it does with them.
    pub router: Router,
    /// Whether it may send.
    pub environment: Arc<dyn EnvironmentStore>,
}

impl Messaging {
    /// A service whose store keeps all of it; `listen` adds its handlers.
    pub fn of<S>(
        service: &'static str,
        store: &S,
        signal: Signal,
        listen: impl FnOnce(Router) -> Router,
    ) -> Self
    where
        S: OutboxQueue + InboxStore + DeadLetters + EnvironmentStore + Clone + 'static,
    {
        let inbox: Arc<dyn InboxStore> = Arc::new(store.clone());
        Self {
            service,
            outbox: Arc::new(store.clone()),
            signal,
            dead: Arc::new(store.clone()),
            environment: Arc::new(store.clone()),
            router: listen(Router::new(Arc::clone(&inbox), Arc::new(SystemClock))),
            inbox,
        }
    }
}

/// Adds the paths of a service to a server.
pub type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// A service at work.
pub struct Started {
    /// Its paths, but for those of V1.
    pub routes: Routes,
    /// Its paths below `/api/v1`, where several services are.
    pub v1: Routes,
    /// What describes them.
    pub document: OpenApi,
    /// How its faces write errors that are no problems.
    pub errors: &'static [ErrorShape],
    /// Its callers, bodies and cursors.
    pub context: ApiContext,
    /// Its long operations, where it has any.
    pub operations: Option<Arc<dyn OperationService>>,
}

/// A service whose stores are open, and which waits for a process to live in.
pub trait Module: Send {
    /// What it writes to the bus and listens to. Asked once, before anything is published.
    fn messaging(&self) -> Messaging;

    /// Starts its work; `None` where it answers no requests.
    fn start(self: Box<Self>, host: &Host) -> Option<Started>;
}

/// What a process gives to the services in it.
pub struct Host {
    /// Start and end of the process.
    pub life: Lifecycle,
    /// What it measures.
    pub metrics: Metrics,
    /// What this replica does.
    pub roles: Roles,
    /// What it gave up of all events.
    pub dead_letters: DeadLetterQueue,
    /// What keys are derived from.
    pub secret: String,
    authenticator: Authenticator,
    streams: Arc<Semaphore>,
    guards: BTreeMap<&'static str, Guard>,
}

/// How the requests of a service are taken.
pub struct Requests {
    /// Answers under idempotency keys.
    pub store: Arc<dyn IdempotencyStore>,
    /// Identities of changes.
    pub ids: Arc<dyn IdGenerator>,
    /// What its cursors are sealed with.
    pub sealer: Sealer,
    /// Largest JSON body in bytes.
    pub body_limit: usize,
}

impl Host {
    /// Waits until a service may send; `false` where the process ends before. What a service sends by itself, and not
    /// by an event or a request, waits for this.
    pub fn may_send(&self, service: &'static str) -> impl Future<Output = bool> + Send + 'static {
        let guard = self.guards.get(service).cloned();
        async move {
            match guard {
                Some(guard) => guard.opened().await,
                None => true,
            }
        }
    }

    /// What the handlers of a service work with. On a replica with workers, answers of requests are
    /// deleted in time from now on.
    pub fn context(&self, requests: Requests) -> ApiContext {
        let Requests {
            store,
            ids,
            sealer,
            body_limit,
        } = requests;
        if self.roles.workers {
            let (store, soft) = (Arc::clone(&store), self.life.soft());
            let rounds = repeat(REQUESTS_EVERY, soft, move || purge(Arc::clone(&store)));
            self.life.spawn_named("requests", rounds);
        }
        let changes = self.life.changes();
        ApiContext {
            authenticator: self.authenticator.clone(),
            idempotency: Idempotency::new(store, ids, changes.clone(), IDEMPOTENCY_LEASE),
            changes,
            sealer,
            body_limit,
            streams: Arc::clone(&self.streams),
            stopping: self.life.soft(),
        }
    }
}

/// A process that answers.
pub struct Process {
    address: SocketAddr,
    made_key: Option<String>,
    life: Lifecycle,
    server: Server,
}

impl Process {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key of the first workspace, if it was just made.
    pub fn made_key(&self) -> Option<&str> {
        self.made_key.as_deref()
    }

    /// Start and end of the process, for signals.
    pub const fn lifecycle(&self) -> &Lifecycle {
        &self.life
    }

    /// Stops: takes no new requests, ends or hands back what runs. `true` when all of it ended in time.
    pub async fn stop(self) -> bool {
        self.server.stop(&self.life).await
    }
}

/// A bus that knows who listens.
pub(crate) struct Bus {
    pub publisher: Arc<dyn EventPublisher>,
    /// What it gave up itself.
    pub dead: Option<Arc<dyn DeadLetters>>,
}

/// What all ways to run begin with.
pub(crate) struct Beginning<'a> {
    pub settings: &'a Settings,
    pub life: Lifecycle,
    pub roles: Roles,
    pub secret: String,
    pub authenticator: Authenticator,
    pub made_key: Option<String>,
}

impl Beginning<'_> {
    /// Puts the services onto the bus and starts everything. When this returns, the process answers.
    pub fn serve(
        self,
        modules: Vec<Box<dyn Module>>,
        messaging: Vec<Messaging>,
        bus: Bus,
    ) -> Result<Process, StartError> {
        let metrics = Metrics::new();
        let (dead_letters, guards) = self.carry(messaging, bus, &metrics)?;
        let (life, settings) = (self.life, self.settings);
        let streams = settings.limits.sse.min(Semaphore::MAX_PERMITS);
        let host = Host {
            life: life.clone(),
            metrics: metrics.clone(),
            roles: self.roles,
            dead_letters,
            secret: self.secret,
            authenticator: self.authenticator,
            streams: Arc::new(Semaphore::new(streams)),
            guards,
        };
        let started = modules.into_iter().filter_map(|module| module.start(&host));
        let routes = routes(started.collect());
        let api = host.roles.api;
        let configure = move |config: &mut ServiceConfig| {
            if api {
                routes(config);
            }
        };
        let address = settings.listen;
        let workers = settings.workers.http.unwrap_or(HTTP_WORKERS);
        let server = Server::start(address, workers, &life, &metrics, configure)
            .map_err(|source| StartError::Listen { address, source })?;
        Ok(Process {
            address: server.address(),
            made_key: self.made_key,
            life,
            server,
        })
    }

    /// Starts relays, routers and retention, as far as the roles go.
    fn carry(
        &self,
        messaging: Vec<Messaging>,
        bus: Bus,
        metrics: &Metrics,
    ) -> Result<(DeadLetterQueue, BTreeMap<&'static str, Guard>), StartError> {
        let (clock, life, mut wakes) = (clock(), &self.life, Vec::new());
        let mut guards = BTreeMap::new();
        let mut dead: Vec<_> = bus.dead.into_iter().collect();
        for one in messaging {
            let counted = Arc::new(Counted::new(metrics, one.service)?);
            let own = &self.settings.environment.id;
            let guard = Guard::new(one.service, one.environment, own, life);
            guards.insert(one.service, guard.clone());
            dead.push(one.dead);
            let bindings = one.router.bindings();
            let listens = !bindings.is_empty();
            wakes.extend(bindings.into_iter().map(|(_, wake)| wake));
            if self.roles.relay {
                let publisher = Arc::clone(&bus.publisher);
                let relay = OutboxRelay::new(
                    Arc::clone(&one.outbox),
                    publisher,
                    clock.clone(),
                    one.signal,
                )
                .with_metrics(counted.clone());
                let keep = RetentionSettings::default();
                let retention = Retention::new(one.outbox, one.inbox, clock.clone(), keep);
                life.spawn_named("relay", guarded(guard.clone(), relay.run(life.soft())));
                life.spawn_named("retention", retention.run(life.soft()));
            }
            if self.roles.consumers && listens {
                let router = one.router.with_metrics(counted.clone());
                life.spawn_named("router", guarded(guard, router.run(life.soft())));
            }
        }
        let dead = Arc::new(AllDeadLetters::new(dead));
        Ok((DeadLetterQueue::new(dead, clock, wakes), guards))
    }
}

/// Runs what sends, once it may.
async fn guarded(guard: Guard, work: impl Future<Output = ()>) {
    if guard.opened().await {
        work.await;
    }
}

/// Deletes the answers of requests, and their receipts, that are kept no longer.
async fn purge(store: Arc<dyn IdempotencyStore>) {
    loop {
        match store.purge(PURGED_AT_ONCE).await {
            Ok(0) => return,
            Ok(count) => tracing::debug!(count, "answers of requests deleted"),
            Err(error) => {
                tracing::warn!(%error, "answers of requests could not be deleted");
                return;
            }
        }
    }
}

/// The paths of all services, and those that they share.
fn routes(started: Vec<Started>) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let (mut routes, mut v1) = (Vec::new(), Vec::new());
    let (mut services, mut shared, mut errors) = (Vec::new(), None, Vec::new());
    for one in started {
        shared = Some(match shared {
            None => (one.document, one.context),
            Some((document, context)) => (openapi::joined(document, [one.document]), context),
        });
        services.extend(one.operations);
        errors.extend_from_slice(one.errors);
        routes.push(one.routes);
        v1.push(one.v1);
    }
    let shared = shared.map(|(document, context)| {
        let text = Bytes::from(openapi::text(&document));
        let operations = operations::routes().serve(&Api::new(context, Operations::new(services)));
        (text, operations)
    });
    let errors = web::Data::new(ErrorShapes(errors));
    move |config| {
        config.app_data(errors.clone()).configure(fallbacks);
        for one in &routes {
            one(config);
        }
        // One scope for all: the first of several would take every path below it.
        let below = |scope: Scope, one: &Routes| scope.configure(|config| one(config));
        let mut scope = v1.iter().fold(web::scope("/api/v1"), below);
        if let Some((document, operations)) = &shared {
            config.configure(|config| crate::docs::configure(config, document.clone()));
            scope = scope.configure(operations);
        }
        config.service(scope);
    }
}

/// Who must listen to what, as every service's relay knows it.
pub(crate) fn required() -> Subscribers {
    let require = |all: Subscribers, (event, subscription): &(&str, &'static str)| {
        all.require(event, Subscription::from_static(subscription))
    };
    events::REQUIRED_SUBSCRIBERS
        .iter()
        .fold(Subscribers::default(), require)
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
