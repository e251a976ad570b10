//! Replicas in a place of their own on the servers, with a proxy before each server.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use anyhow::Context;
use tempfile::TempDir;
use test_kit::proxy::Proxy;

use crate::{
    broker::{Broker, Message},
    check::{Violation, check},
    history::History,
    load::client::{GATEWAY_SECRET, Target},
    observe,
    replica::Replica,
    servers::Servers,
};

/// Sessions of one replica with PostgreSQL.
const CONNECTIONS: usize = 8;
/// Longest wait until everything has come to rest.
const REST: Duration = Duration::from_secs(150);

/// Records operations that change hands before their lease has run out.
const WATCH_LEASES: &str = "
    CREATE TABLE stolen (operation BIGINT NOT NULL);
    CREATE FUNCTION watch_lease() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO stolen VALUES (OLD.id);
        RETURN NEW;
    END $$;
    CREATE TRIGGER watch_lease BEFORE UPDATE ON operations FOR EACH ROW
    WHEN (OLD.state = 'running' AND NEW.state = 'running' AND OLD.owner <> NEW.owner
          AND OLD.lease_until > clock_timestamp())
    EXECUTE FUNCTION watch_lease();";

/// How a place differs from the usual.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub replicas: usize,
    /// Sessions of each replica with PostgreSQL.
    pub connections: usize,
}

impl Options {
    pub const USUAL: Self = Self {
        replicas: 2,
        connections: CONNECTIONS,
    };
    /// Few sessions.
    pub const NARROW: Self = Self {
        connections: 2,
        ..Self::USUAL
    };
    /// Many replicas.
    pub const MANY: Self = Self {
        replicas: 4,
        ..Self::USUAL
    };
}

/// A place.
pub struct Rig<'a> {
    pub servers: &'a Servers,
    /// Schema, database and prefix.
    pub name: String,
    pub postgres: Proxy,
    pub mongodb: Proxy,
    pub rabbitmq: Proxy,
    pub replicas: Vec<Replica>,
    /// Dead letters that the case makes.
    pub dead_expected: AtomicU64,
    /// Whether the outside subscriber could hear everything.
    pub hears_everything: bool,
    heard: Mutex<Vec<Message>>,
    dir: TempDir,
}

impl<'a> Rig<'a> {
    /// Starts replicas in a new place; `case` is part of its name.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start(
        servers: &'a Servers,
        program: &Path,
        case: &str,
        options: Options,
    ) -> anyhow::Result<Self> {
        let number: u32 = rand::random();
        let name = format!("{}_{number:08x}", case.to_ascii_lowercase());
        let postgres = Proxy::before(&servers.postgres_url).await?;
        let mongodb = Proxy::before(&servers.mongodb_url).await?;
        let rabbitmq = Proxy::before(&servers.rabbitmq_url).await?;
        let mut rig = Self {
            servers,
            name,
            postgres,
            mongodb,
            rabbitmq,
            replicas: Vec::new(),
            dead_expected: AtomicU64::new(0),
            hears_everything: true,
            heard: Mutex::default(),
            dir: tempfile::tempdir()?,
        };
        rig.broker().await?.subscribe().await?;
        for number in 0..options.replicas {
            let log = rig.log(number);
            let environment = rig.environment(number, options.connections)?;
            let replica = Replica::new(program.to_owned(), environment, log)?;
            replica.start().await?;
            rig.replicas.push(replica);
        }
        rig.sql().await?.batch_execute(WATCH_LEASES).await?;
        Ok(rig)
    }

    fn log(&self, number: usize) -> PathBuf {
        self.dir.path().join(format!("replica-{number}.log"))
    }

    fn environment(
        &self,
        number: usize,
        connections: usize,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let data = self.dir.path().join(format!("data-{number}"));
        // Found by its set's members, the server would be reached past the proxy.
        let mongodb = format!(
            "mongodb://{}/?directConnection=true",
            self.mongodb.address()
        );
        let postgres = self.postgres.url(&self.servers.postgres_url);
        let rabbitmq = self.rabbitmq.url(&self.servers.rabbitmq_url);
        let pairs = [
            ("DATA_DIR", data.to_str().context("not text")?),
            ("GATEWAY_SECRET", GATEWAY_SECRET),
            ("SECRETS__KEY", "a-secret-for-chaos-of-37-characters-ok"),
            ("POSTGRES__URL", &postgres),
            ("POSTGRES__SCHEMA", &self.name),
            ("POSTGRES__MAX_CONNECTIONS", &connections.to_string()),
            ("MONGODB__URL", &mongodb),
            ("MONGODB__DATABASE", &self.name),
            ("RABBITMQ__URL", &rabbitmq),
            ("RABBITMQ__PREFIX", &self.name),
            ("TELEMETRY__LEVEL", "info"),
        ];
        let named = |(name, value): (&str, &str)| (format!("PLATEIA__{name}"), value.to_owned());
        Ok(pairs.into_iter().map(named).collect())
    }

    /// Where requests go.
    pub fn target(&self) -> Arc<Target> {
        let addresses: Vec<SocketAddr> = self.replicas.iter().map(Replica::address).collect();
        Arc::new(Target { addresses })
    }

    /// A session with the tables, past the proxy.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn sql(&self) -> anyhow::Result<tokio_postgres::Client> {
        self.servers.postgres(&self.name).await
    }

    /// A connection to the broker, past the proxy.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn broker(&self) -> anyhow::Result<Broker> {
        Broker::connect(self.servers, &self.name).await
    }

    /// Takes in what the outside subscriber has heard since the last time.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn hear(&self) -> anyhow::Result<()> {
        let heard = self.broker().await?.heard().await?;
        self.messages().extend(heard);
        Ok(())
    }

    fn messages(&self) -> std::sync::MutexGuard<'_, Vec<Message>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was taken in so far.
    pub fn heard(&self) -> Vec<Message> {
        self.messages().clone()
    }

    /// Faults of the proxies so far.
    pub fn faults(&self) -> u64 {
        self.postgres.faults() + self.mongodb.faults() + self.rabbitmq.faults()
    }

    /// Everything passes and runs again.
    ///
    /// # Errors
    /// When a server or a replica does not start.
    pub async fn heal(&self) -> anyhow::Result<()> {
        for proxy in [&self.postgres, &self.mongodb, &self.rabbitmq] {
            proxy.heal();
        }
        self.servers.ready().await?;
        for replica in &self.replicas {
            replica.signal(rustix::process::Signal::CONT)?;
            replica.ensure_runs().await?;
        }
        Ok(())
    }

    /// Waits for rest; what still moves after a long time.
    pub async fn rest(&self) -> Option<Violation> {
        let error = observe::rest(self, REST).await.err()?;
        Some(Violation {
            invariant: "rest",
            what: format!("{error:#}"),
        })
    }

    /// Looks at everything, and answers what does not hold.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub async fn verdict(&self, history: &History) -> anyhow::Result<Vec<Violation>> {
        Ok(check(history, &observe::observe(self, history).await?))
    }

    /// Stops the replicas in order and leaves nothing behind on the broker.
    ///
    /// # Errors
    /// When a replica does not end well.
    pub async fn finish(&self) -> anyhow::Result<()> {
        for replica in &self.replicas {
            replica.stop().await?;
        }
        let sql = self.sql().await?;
        sql.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.name))
            .await?;
        self.servers
            .mongodb()
            .await?
            .database(&self.name)
            .drop()
            .await?;
        self.broker().await?.clean().await
    }

    /// Keeps the logs of the replicas in a directory.
    ///
    /// # Errors
    /// When they cannot be copied.
    pub fn keep_logs(&self, directory: &Path) -> anyhow::Result<()> {
        let directory = directory.join(&self.name);
        std::fs::create_dir_all(&directory)?;
        for number in 0..self.replicas.len() {
            let log = self.log(number);
            let name = log.file_name().context("no name")?;
            std::fs::copy(&log, directory.join(name))?;
        }
        Ok(())
    }
}
