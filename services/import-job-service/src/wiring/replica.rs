//! One replica on PostgreSQL and RabbitMQ.

use std::{net::SocketAddr, sync::Arc};

use actix_web::web::{Data, ServiceConfig};
use adapter_sql::pg::{Db, Idempotency, Tables};
use http_kit::Authenticator;
use http_kit::operations::Operations;
use messaging::Signal;
use ports::{
    Clock, IdGenerator, StoreError,
    auth::{ApiKeyOwner, ApiKeyStore},
};
use runtime::{Lifecycle, Snowflakes, SystemClock};
use service_kit::{Base, BaseError, Ground, Service, listen_to_replicas};
use settings::{ExposeSecret, Settings, SettingsError};
use sha2::{Digest, Sha256};

use super::{Checked, Process, StartError, app, state};
use crate::{consumers, http, workers};

/// The workspace that the first key opens.
const FIRST_WORKSPACE: &str = "ws_demo";
/// Id of that key, for `key:<id>` as the acting user.
const FIRST_KEY: &str = "first";

/// The program of one replica.
pub struct ImportJobService(Base);

impl Service for ImportJobService {
    const NAME: &'static str = "import-job-service";
    type Error = StartError;

    fn check(settings: &Settings) -> Result<(), SettingsError> {
        Base::check(settings)?;
        settings.secret_key()?;
        Checked::of(settings).map(drop)
    }

    async fn migrate(settings: &Settings) -> Result<(), StartError> {
        open(settings).await.map(drop)
    }

    async fn start(settings: &Settings) -> Result<Self, StartError> {
        start(settings).await.map(Self)
    }

    fn address(&self) -> SocketAddr {
        self.0.address()
    }

    fn lifecycle(&self) -> &Lifecycle {
        self.0.lifecycle()
    }

    async fn stop(self) -> bool {
        self.0.stop().await
    }
}

async fn open(settings: &Settings) -> Result<Ground, StartError> {
    let ground = Ground::open(settings, Tables::Imports).await?;
    let migrated = ground.db.migrate_imports().await;
    migrated.map_err(BaseError::Postgres)?;
    Ok(ground)
}

async fn start(settings: &Settings) -> Result<Base, StartError> {
    let checked = Checked::of(settings)?;
    let secret = settings.secret_key()?;
    let secret = secret.expose_secret();
    let ground = open(settings).await?;
    let (db, life, roles) = (ground.db.clone(), ground.life.clone(), ground.roles);
    let listener = db.listen().await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = Snowflakes::new(listener.node(), Arc::clone(&clock))
        .map_err(|e| StoreError::Internal(Box::new(e)))?;
    let ids: Arc<dyn IdGenerator> = Arc::new(ids);
    let process = Process {
        owner: format!("replica-{}-{}", listener.node(), ids.next()),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
    };
    let app = app(checked, secret, &db, &process, &life);
    listen_to_replicas(listener, app.wake().clone(), &life);
    if roles.workers {
        workers::start(&app, &life, settings.imports.runs);
    }
    know_first_key(settings, &db, clock.as_ref()).await?;
    let mut authenticator = Authenticator::new(Arc::new(db.clone()));
    if let Some(secret) = &settings.gateway_secret {
        authenticator = authenticator.with_gateway_secret(secret.expose_secret());
    }
    let idempotency = Arc::new(Idempotency::new(db, clock, ids));
    let state = state(settings, secret, &app, authenticator, idempotency, &life);
    let operations = Operations::new(state.context.clone(), vec![app.clone()]);
    let (state, operations) = (Data::new(state), Data::new(operations));
    let routes = move |config: &mut ServiceConfig| {
        if roles.api {
            config
                .app_data(state.clone())
                .app_data(operations.clone())
                .configure(http::configure);
        }
    };
    let outbox = Signal::from(app.wake().on_outbox());
    let base = ground
        .serve(settings, outbox, consumers::listen, routes)
        .await?;
    Ok(base)
}

/// Makes the configured key known.
async fn know_first_key(settings: &Settings, db: &Db, clock: &dyn Clock) -> Result<(), StoreError> {
    let Some(key) = &settings.api_key else {
        return Ok(());
    };
    let workspace = domain::shared::WorkspaceId::parse(FIRST_WORKSPACE)
        .map_err(|e| StoreError::Internal(Box::new(e)))?;
    let owner = ApiKeyOwner {
        workspace,
        key_id: FIRST_KEY.to_owned(),
    };
    let hash = Sha256::digest(key.expose_secret()).into();
    db.ensure(&hash, &owner, clock.now()).await
}
