//! In the process of another service, on a SQLite file of its own.

use std::sync::Arc;

use adapter_sql::sqlite::{Db, Idempotency};
use messaging::{OutboxRelay, Retention, RetentionSettings, Router, Signal};
use ports::{Clock, IdGenerator, StoreError, bus::InboxStore, importing::ImportStore};
use runtime::{Snowflakes, SystemClock};
use service_kit::{Heard, Host, Neighbour, Started};
use settings::Settings;

use super::{Checked, Process, StartError, app, state};
use crate::{consumers, http, workers};

/// The service, its store open.
pub struct Embedded {
    settings: Settings,
    checked: Checked,
    db: Db,
    process: Process,
    router: Router,
}

impl Embedded {
    /// Opens the store, and frees what a process that is gone had in its hands.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(settings: &Settings) -> Result<Self, StartError> {
        let checked = Checked::of(settings)?;
        let dir = settings.data_dir.as_path();
        std::fs::create_dir_all(dir).map_err(|e| StoreError::Unavailable(Box::new(e)))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // Ids of this service are apart from those of others, in tables of their own.
        let ids = Snowflakes::new(1, Arc::clone(&clock))
            .map_err(|e| StoreError::Internal(Box::new(e)))?;
        let ids: Arc<dyn IdGenerator> = Arc::new(ids);
        let db = Db::open(&dir.join("imports.db")).await?;
        db.migrate().await?;
        db.migrate_imports().await?;
        let mut unit = db.begin_import().await?;
        unit.operations().release_leases().await?;
        unit.commit().await?;
        let inbox: Arc<dyn InboxStore> = Arc::new(db.clone());
        let router = consumers::listen(Router::new(inbox, Arc::clone(&clock)));
        let process = Process {
            owner: format!("embedded-{}", ids.next()),
            clock,
            ids,
        };
        Ok(Self {
            settings: settings.clone(),
            checked,
            db,
            process,
            router,
        })
    }
}

impl Neighbour for Embedded {
    fn heard(&self) -> Vec<Heard> {
        let heard = |(binding, wake)| Heard {
            binding,
            inbox: Arc::new(self.db.clone()),
            wake,
        };
        self.router.bindings().into_iter().map(heard).collect()
    }

    fn start(self: Box<Self>, host: Host) -> Started {
        let Self {
            settings,
            checked,
            db,
            process,
            router,
        } = *self;
        let (life, clock) = (host.life, Arc::clone(&process.clock));
        let app = app(checked, &host.secret, &db, &process, &life);
        let store = Arc::new(db.clone());
        let signal = Signal::from(app.wake().on_outbox());
        let relay = OutboxRelay::new(store.clone(), host.publisher, clock.clone(), signal);
        let keep = RetentionSettings::default();
        let retention = Retention::new(store.clone(), store, clock.clone(), keep);
        life.spawn_named("imports relay", relay.run(life.soft()));
        life.spawn_named("imports retention", retention.run(life.soft()));
        life.spawn_named("imports router", router.run(life.soft()));
        workers::start(&app, &life, settings.imports.runs);
        let idempotency = Arc::new(Idempotency::new(db, clock, process.ids));
        let state = state(
            &settings,
            &host.secret,
            &app,
            host.authenticator,
            idempotency,
            &life,
        );
        let state = actix_web::web::Data::new(state);
        let routes = move |config: &mut actix_web::web::ServiceConfig| {
            config.app_data(state.clone());
            http::routes(config);
        };
        Started {
            routes: Arc::new(routes),
            document: http::document(),
            operations: app,
        }
    }
}
