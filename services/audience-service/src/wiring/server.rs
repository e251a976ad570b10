//! The HTTP server of the process.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{App as WebApp, HttpServer, dev::ServerHandle, middleware::from_fn, web::Data};
use adapter_sql::sqlite::{Db, Idempotency as SqlIdempotency};
use http_kit::{Authenticator, ContactIds, Idempotency, Sealer, health, trace};
use messaging::DeadLetterQueue;
use runtime::Lifecycle;
use settings::{ExposeSecret, Settings};
use telemetry::Metrics;
use tokio::sync::Semaphore;

use super::{StartError, secrets::Secrets};
use crate::{
    application::App,
    http::{self, ApiState},
};

/// How long a request under an idempotency key may take before a repetition takes it over: longer than
/// the longest wait that a client may ask for.
const IDEMPOTENCY_LEASE: Duration = Duration::from_secs(120);
/// How long a client may take to send its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// A server that listens.
pub(super) struct Running {
    address: SocketAddr,
    handle: ServerHandle,
}

impl Running {
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening, and waits for requests that are being answered.
    pub async fn stop(&self, grace: Duration) {
        // Streams end with the lifecycle; what is left after the grace period is cut.
        let _ = tokio::time::timeout(grace, self.handle.stop(true)).await;
    }
}

pub(super) fn start(
    settings: &Settings,
    app: &Arc<App>,
    db: &Db,
    secrets: &Secrets,
    life: &Lifecycle,
    dead_letters: DeadLetterQueue,
) -> Result<Running, StartError> {
    let listen = settings.listen;
    let failed = |source| StartError::Listen {
        address: listen,
        source,
    };
    let state = Data::new(state(settings, app, db, secrets, life, dead_letters));
    let metrics = Metrics::new();
    let readiness = life.readiness();
    let make = move || {
        let (readiness, metrics) = (readiness.clone(), metrics.clone());
        WebApp::new()
            .wrap(from_fn(trace::requests))
            .app_data(state.clone())
            .app_data(Data::new(metrics.clone()))
            .configure(move |config| health::configure(config, readiness, metrics))
            .configure(http::configure)
    };
    let workers = settings.workers.http.unwrap_or(2);
    let server = HttpServer::new(make)
        .workers(workers)
        .disable_signals()
        .client_request_timeout(HEADERS_WITHIN)
        .keep_alive(KEEP_ALIVE)
        .bind(listen)
        .map_err(failed)?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    let server = server.run();
    let handle = server.handle();
    let soft = life.soft();
    life.spawn_named("http", async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "the server ended");
        }
        // A server that was asked to stop ends before the lifecycle has heard of it.
        soft.cancelled().await;
    });
    Ok(Running { address, handle })
}

fn state(
    settings: &Settings,
    app: &Arc<App>,
    db: &Db,
    secrets: &Secrets,
    life: &Lifecycle,
    dead_letters: DeadLetterQueue,
) -> ApiState {
    let mut authenticator = Authenticator::new(Arc::new(db.clone()));
    if let Some(secret) = &settings.gateway_secret {
        authenticator = authenticator.with_gateway_secret(secret.expose_secret());
    }
    if settings.listen.ip().is_loopback() {
        authenticator = authenticator.with_embedded_loopback();
    }
    let deps = app.deps();
    let store = SqlIdempotency::new(db.clone(), deps.clock.clone(), deps.ids.clone());
    let (ids, changes) = (deps.ids.clone(), life.changes());
    let streams = settings.limits.sse.min(Semaphore::MAX_PERMITS);
    ApiState {
        app: Arc::clone(app),
        authenticator,
        idempotency: Idempotency::new(Arc::new(store), ids, changes, IDEMPOTENCY_LEASE),
        changes: life.changes(),
        sealer: Sealer::new(&secrets.tokens),
        contact_ids: ContactIds::new(&secrets.contact_ids),
        dead_letters,
        body_limit: settings.limits.body_bytes,
        item_limit: settings.limits.items,
        streams: Arc::new(Semaphore::new(streams)),
        stopping: life.soft(),
    }
}
