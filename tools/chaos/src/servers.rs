//! PostgreSQL, MongoDB and RabbitMQ of this run, and what can be done to them.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use lapin::{Connection, ConnectionProperties};
use mongodb::bson::{Document, doc};
use test_kit::proxy::authority;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

/// Longest wait for a server to come up or go down.
const PATIENCE: Duration = Duration::from_secs(60);

/// One of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Postgres,
    Mongodb,
    Rabbitmq,
}

impl Server {
    const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mongodb => "mongodb",
            Self::Rabbitmq => "rabbitmq",
        }
    }
}

/// Where the servers are, and the script that runs them.
pub struct Servers {
    script: PathBuf,
    dir: PathBuf,
    pub postgres_url: String,
    pub mongodb_url: String,
    pub rabbitmq_url: String,
}

fn variable(name: &str) -> anyhow::Result<String> {
    let value = std::env::var_os(name).with_context(|| format!("{name} is not set"))?;
    value.into_string().ok().context("not text")
}

impl Servers {
    /// The servers that `deploy/dev/servers run` started for this process.
    ///
    /// # Errors
    /// Names the variable that is not set.
    pub fn of_environment(script: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            script: script.to_owned(),
            dir: variable("PLATEIA_TEST_SERVERS_DIR")?.into(),
            postgres_url: variable("PLATEIA_TEST_POSTGRES_URL")?,
            mongodb_url: variable("PLATEIA_TEST_MONGODB_URL")?,
            rabbitmq_url: variable("PLATEIA_TEST_RABBITMQ_URL")?,
        })
    }

    async fn script(&self, arguments: &[&str]) -> anyhow::Result<()> {
        run(self.script.as_os_str().to_owned(), arguments, &self.dir).await
    }

    /// Its process.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pid(&self, server: Server) -> anyhow::Result<i32> {
        let file = self.dir.join(server.name()).join("pid");
        Ok(std::fs::read_to_string(file)?.trim().parse()?)
    }

    /// Ends a server by a signal, such as `TERM` or `KILL`, and waits until it has ended.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn down(&self, server: Server, signal: &str) -> anyhow::Result<()> {
        self.script(&["down", server.name(), signal]).await
    }

    /// Starts it again, on the port it had.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn up(&self, server: Server) -> anyhow::Result<()> {
        self.script(&["up", server.name()]).await
    }

    /// Runs `rabbitmqctl` on the broker.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn rabbitmqctl(&self, arguments: &[&str]) -> anyhow::Result<()> {
        run(self.dir.join("rabbitmqctl").into(), arguments, &self.dir).await
    }

    /// Lets commits outlive a killed server, which a server for tests does not promise by itself.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn keep_commits(&self) -> anyhow::Result<()> {
        let sql = self.postgres("public").await?;
        sql.batch_execute("ALTER ROLE CURRENT_USER SET synchronous_commit = on")
            .await?;
        Ok(())
    }

    /// Starts what is down.
    ///
    /// # Errors
    /// When a server does not start.
    pub async fn restore(&self) -> anyhow::Result<()> {
        for (server, url) in [
            (Server::Postgres, &self.postgres_url),
            (Server::Mongodb, &self.mongodb_url),
            (Server::Rabbitmq, &self.rabbitmq_url),
        ] {
            if !answers(url).await {
                self.up(server).await?;
            }
        }
        self.ready().await
    }

    /// A session of PostgreSQL, whose statements go to `schema`.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn postgres(&self, schema: &str) -> anyhow::Result<tokio_postgres::Client> {
        let connecting = tokio_postgres::connect(&self.postgres_url, tokio_postgres::NoTls);
        let (client, connection) = timeout(PATIENCE, connecting).await??;
        // It ends with its client.
        tokio::spawn(connection);
        client
            .batch_execute(&format!("SET search_path = {schema}"))
            .await?;
        Ok(client)
    }

    /// A client of MongoDB.
    ///
    /// # Errors
    /// When the URL is none.
    pub async fn mongodb(&self) -> anyhow::Result<mongodb::Client> {
        let mut options = mongodb::options::ClientOptions::parse(&self.mongodb_url).await?;
        options.app_name = Some("chaos".to_owned());
        options.server_selection_timeout = Some(PATIENCE);
        Ok(mongodb::Client::with_options(options)?)
    }

    /// Runs a command of MongoDB's administrator.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn mongodb_admin(&self, command: Document) -> anyhow::Result<Document> {
        let admin = self.mongodb().await?.database("admin");
        Ok(timeout(PATIENCE, admin.run_command(command)).await??)
    }

    /// A connection to the broker.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn rabbitmq(&self) -> anyhow::Result<Connection> {
        let connecting = Connection::connect(&self.rabbitmq_url, ConnectionProperties::default());
        Ok(timeout(PATIENCE, connecting).await??)
    }

    /// Waits until all of them answer.
    ///
    /// # Errors
    /// When one of them does not in time.
    pub async fn ready(&self) -> anyhow::Result<()> {
        until("the servers", PATIENCE, async || {
            self.postgres("public").await.is_ok()
                && self.mongodb_admin(doc! { "ping": 1 }).await.is_ok()
                && self.rabbitmq().await.is_ok()
        })
        .await
    }
}

/// Whether somebody listens at the address of a URL.
async fn answers(url: &str) -> bool {
    match authority(url) {
        Some(address) => TcpStream::connect(address).await.is_ok(),
        None => false,
    }
}

/// Runs a program to its end; its output is told only when it fails.
async fn run(program: OsString, arguments: &[&str], servers: &Path) -> anyhow::Result<()> {
    let told = arguments.join(" ");
    let mut command = Command::new(&program);
    // Files, as what it starts in the background would keep pipes open.
    let (out, errors) = (tempfile::tempfile()?, tempfile::NamedTempFile::new()?);
    command
        .args(arguments)
        .env("PLATEIA_TEST_SERVERS_DIR", servers)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(errors.reopen()?);
    let mut child = command.spawn()?;
    for _ in 0..PATIENCE.as_millis() / 20 {
        if let Some(status) = child.try_wait()? {
            let text = std::fs::read_to_string(errors.path()).unwrap_or_default();
            ensure!(status.success(), "{told}: {status}: {text}");
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    child.kill()?;
    child.wait()?;
    bail!("{told} did not end in time")
}

/// Waits until `look` says so.
///
/// # Errors
/// When it does not within `patience`.
pub async fn until(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> bool,
) -> anyhow::Result<()> {
    let waiting = async {
        while !look().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(patience, waiting)
        .await
        .with_context(|| format!("waited {} s for {what}", patience.as_secs()))
}
