//! The HTTP server of the process.

use std::{sync::Arc, time::Duration};

use actix_web::web::{Bytes, Data, ServiceConfig};
use http_kit::operations::{OperationService, Operations};
use http_kit::{ApiContext, Authenticator, ContactIds, Idempotency, Sealer, Server, openapi};
use ports::auth::ApiKeyStore;
use runtime::Lifecycle;
use settings::{ExposeSecret, Settings};
use tokio::sync::Semaphore;

use super::{Doors, StartError};
use crate::{
    application::App,
    http::{self, ApiState},
};

/// After this time a repetition takes over what a process that died was doing under an idempotency key.
const IDEMPOTENCY_LEASE: Duration = Duration::from_secs(30);
/// Threads that serve HTTP where the configuration does not say: each has an idle cost.
const HTTP_WORKERS: usize = 2;

pub(super) fn start(
    settings: &Settings,
    app: &Arc<App>,
    mut doors: Doors,
    life: &Lifecycle,
) -> Result<Server, StartError> {
    let address = settings.listen;
    let api = doors.api;
    let mut document = http::openapi::document();
    let mut services: Vec<Arc<dyn OperationService>> = vec![app.clone()];
    let mut neighbours = Vec::new();
    for neighbour in std::mem::take(&mut doors.neighbours) {
        document = openapi::joined(document, [neighbour.document]);
        services.push(neighbour.operations);
        neighbours.push(neighbour.routes);
    }
    let document = openapi::text(&document).into();
    let state = state(settings, app, doors, life, document);
    let operations = Data::new(Operations::new(state.context.clone(), services));
    let state = Data::new(state);
    let workers = settings.workers.http.unwrap_or(HTTP_WORKERS);
    let configure = move |config: &mut ServiceConfig| {
        for routes in &neighbours {
            routes(config);
        }
        if api {
            config
                .app_data(state.clone())
                .app_data(operations.clone())
                .configure(http::configure);
        }
    };
    Server::start(address, workers, life, configure)
        .map_err(|source| StartError::Listen { address, source })
}

/// Tells who calls; where that is asked for, callers on this machine without a key.
pub(super) fn authenticator(
    settings: &Settings,
    keys: Arc<dyn ApiKeyStore>,
    trusts_loopback: bool,
) -> Authenticator {
    let mut authenticator = Authenticator::new(keys);
    if let Some(secret) = &settings.gateway_secret {
        authenticator = authenticator.with_gateway_secret(secret.expose_secret());
    }
    if trusts_loopback && settings.listen.ip().is_loopback() {
        authenticator = authenticator.with_embedded_loopback();
    }
    authenticator
}

fn state(
    settings: &Settings,
    app: &Arc<App>,
    doors: Doors,
    life: &Lifecycle,
    document: Bytes,
) -> ApiState {
    let deps = app.deps();
    let (ids, changes) = (deps.ids.clone(), life.changes());
    let streams = settings.limits.sse.min(Semaphore::MAX_PERMITS);
    let context = ApiContext {
        authenticator: doors.authenticator,
        idempotency: Idempotency::new(doors.idempotency, ids, changes, IDEMPOTENCY_LEASE),
        changes: life.changes(),
        sealer: Sealer::new(&doors.secrets.tokens),
        body_limit: settings.limits.body_bytes,
        streams: Arc::new(Semaphore::new(streams)),
        stopping: life.soft(),
    };
    ApiState {
        app: Arc::clone(app),
        context,
        contact_ids: ContactIds::new(&doors.secrets.contact_ids),
        dead_letters: doors.dead_letters,
        item_limit: settings.limits.items,
        document,
    }
}
