//! One replica of a service, on servers of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use adapter_rabbitmq::{RabbitBus, RabbitSettings, RabbitStartError};
use adapter_sql::{
    Context,
    pg::{self, Db, Listener, Notice},
};
use kernel::{Topic, Wake};
use ports::{StoreError, auth::ApiKeyStore};
use runtime::{Lifecycle, repeat};
use settings::{ExposeSecret, Settings, SettingsError};
use tokio::runtime::Handle;

use crate::{
    Module, Process, StartError,
    host::{Beginning, Bus, clock, required},
    identity::{authenticator, know_key},
};

/// Pause between two readings of the database's clock: how long a jump of either clock goes unnoticed.
const CLOCK_READ_EVERY: Duration = Duration::from_secs(5);
/// How long a reading may take that counts.
const LONGEST_WAY: Duration = Duration::from_millis(250);
/// How far the machine's clock may be off without a word.
const TOLERATED_MS: i64 = 2_000;

/// Starts one service, with callers known by `keys`. When this returns, it answers.
///
/// # Errors
/// See [`StartError`].
pub async fn replica(
    settings: &Settings,
    keys: Arc<dyn ApiKeyStore>,
    module: Box<dyn Module>,
) -> Result<Process, StartError> {
    if let Some(key) = &settings.api_key {
        know_key(keys.as_ref(), key.expose_secret()).await?;
    }
    let roles = settings.roles()?;
    let messaging = module.messaging();
    let mut bus = RabbitBus::new(rabbitmq(settings)?, clock(), required());
    let bindings = messaging.router.bindings();
    let heard: Vec<_> = bindings
        .iter()
        .map(|(b, _)| b.subscription.clone())
        .collect();
    if roles.consumers {
        for (binding, wake) in bindings {
            bus = bus.bind(binding, Arc::clone(&messaging.inbox), wake);
        }
    }
    check_broker(&bus, settings).await?;
    let life = Lifecycle::new(Handle::current());
    let carried = Bus {
        publisher: bus.publisher(),
        dead: Some(bus.dead_letters(heard)),
    };
    life.spawn_named("rabbitmq", bus.run(life.soft()));
    let beginning = Beginning {
        settings,
        life,
        roles,
        secret: settings.secret_key()?.expose_secret().to_owned(),
        authenticator: authenticator(settings, keys, false),
        made_key: None,
    };
    beginning.serve(vec![module], vec![messaging], carried)
}

/// Whether the settings hold what every service needs.
///
/// # Errors
/// Names the key.
pub fn check(settings: &Settings) -> Result<(), SettingsError> {
    postgres(settings)?;
    rabbitmq(settings)?;
    settings.secret_key()?;
    settings.roles().map(drop)
}

/// The service's database, with the tables of these contexts brought up to date.
///
/// # Errors
/// See [`StartError`].
pub async fn database(settings: &Settings, contexts: &'static [Context]) -> Result<Db, StartError> {
    let db = Db::open(&postgres(settings)?).map_err(server_failed("postgres.url"))?;
    let migrated = db.migrate(contexts).await;
    migrated.map_err(server_failed("postgres.url"))?;
    follow_clock(&db, false)
        .await
        .map_err(server_failed("postgres.url"))?;
    Ok(db)
}

/// Lets the clock of this process follow the database's, which all replicas have. Says so where the machine's is off.
/// A reading that took long says little, and counts only where there was none before.
async fn follow_clock(db: &Db, is_followed: bool) -> Result<(), StoreError> {
    let asked = Instant::now();
    let at = db.time().await?;
    let way = asked.elapsed();
    if way > LONGEST_WAY && is_followed {
        return Ok(());
    }
    // It was read somewhere on the way.
    let read = asked + way / 2;
    let ahead = runtime::follow(at, read);
    if ahead.abs() > TOLERATED_MS {
        tracing::warn!(
            milliseconds = ahead,
            "the clock of this machine is ahead of the database's, which counts"
        );
    }
    Ok(())
}

/// The server that this setting names cannot be used.
pub fn server_failed<E>(key: &'static str) -> impl FnOnce(E) -> StartError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| StartError::Server {
        key,
        source: Box::new(error),
    }
}

/// Makes the readiness of a replica that of its database, and its clock too.
pub fn watch_database(db: &Db, life: &Lifecycle) {
    let asked = db.clone();
    life.readiness().register("postgres", move || {
        let db = asked.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    });
    let followed = db.clone();
    let round = move || {
        let db = followed.clone();
        async move {
            if let Err(error) = follow_clock(&db, true).await {
                tracing::debug!(%error, "the database does not tell the time");
            }
        }
    };
    life.spawn_named("clock", repeat(CLOCK_READ_EVERY, life.soft(), round));
}

/// As [`watch_database`], and passes on to `wake` what other replicas commit.
pub fn attach(db: &Db, listener: Listener, wake: Wake, life: &Lifecycle) {
    watch_database(db, life);
    let soft = life.soft();
    life.spawn_named("signals", async move {
        tokio::select! {
            () = listener.run(move |notice| wake_by(notice, &wake)) => {}
            () = soft.cancelled() => {}
        }
    });
}

fn wake_by(notice: Notice, wake: &Wake) {
    match notice {
        Notice::Outbox => wake.outbox(),
        Notice::Work => wake.work(),
        Notice::Cancel(id) => wake.publish(Topic::Cancel(id)),
        Notice::Operation(id) => wake.publish(Topic::Operation(id)),
        Notice::Feed(workspace, user) => wake.publish(Topic::Feed(workspace, user)),
        // Streams and heartbeats look again within a second.
        Notice::Missed => {
            wake.outbox();
            wake.work();
        }
    }
}

/// How the settings say that the database is reached.
///
/// # Errors
/// Names the key that is missing, malformed or of no use.
fn postgres(settings: &Settings) -> Result<pg::Settings, SettingsError> {
    let mut postgres = pg::Settings::new(settings.database()?.expose_secret());
    if let Some(file) = &settings.postgres.ca_file {
        let trusting = postgres.trusting(file);
        postgres = trusting.map_err(|error| SettingsError::Unusable {
            key: "postgres.ca_file",
            reason: error.to_string(),
        })?;
    }
    postgres.schema.clone_from(&settings.postgres.schema);
    postgres.max_connections = settings.postgres.max_connections;
    Ok(postgres)
}

/// How the settings say that the broker is reached.
///
/// # Errors
/// Names the key that is missing, malformed or of no use.
fn rabbitmq(settings: &Settings) -> Result<RabbitSettings, SettingsError> {
    let url = settings.broker()?;
    let mut rabbit = RabbitSettings::new(url.expose_secret(), &settings.rabbitmq.prefix);
    if let Some(file) = &settings.rabbitmq.ca_file {
        rabbit = rabbit.and_then(|rabbit| rabbit.trusting(file));
    }
    rabbit.map_err(|error| SettingsError::Unusable {
        key: match error {
            RabbitStartError::Prefix => "rabbitmq.prefix",
            RabbitStartError::Authorities { .. } => "rabbitmq.ca_file",
            _ => "rabbitmq.url",
        },
        reason: error.to_string(),
    })
}

/// Checks the broker before a start. One that may be away and is stops nothing: events wait in the outbox.
async fn check_broker(bus: &RabbitBus, settings: &Settings) -> Result<(), StartError> {
    match bus.check().await {
        Err(error) if error.is_transient() && settings.rabbitmq.may_be_away => {
            tracing::warn!(%error, "rabbitmq.url");
            Ok(())
        }
        checked => checked.map_err(server_failed("rabbitmq.url")),
    }
}
