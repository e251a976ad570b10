//! One process of `audience-service`, and what can be done to it.

use std::{
    fs::File,
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Command, ExitStatus},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use test_kit::program::Program;

use crate::servers::until;

/// Longest wait for a replica to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a replica is started, always on the same port.
pub struct Replica {
    program: PathBuf,
    environment: Vec<(String, String)>,
    address: SocketAddr,
    log: PathBuf,
    process: Mutex<Option<Program>>,
}

impl Replica {
    /// A replica that is not started yet.
    ///
    /// # Errors
    /// When no port is free.
    pub fn new(
        program: PathBuf,
        environment: Vec<(String, String)>,
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        // Free now, and nobody else is given it while it was used a moment ago.
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Ok(Self {
            program,
            environment,
            address,
            log,
            process: Mutex::new(None),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<Program>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(&self) -> anyhow::Result<()> {
        self.start_with(&[]).await
    }

    /// The same with more in its environment.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_with(&self, environment: &[(&str, &str)]) -> anyhow::Result<()> {
        let ready = self.launch(environment).await?;
        let log = self.log.display();
        ensure!(ready, "a replica did not start, see {log}");
        Ok(())
    }

    /// Starts it to end itself at a crash point, maybe before it is ready.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start_until(&self, crash_at: &str) -> anyhow::Result<()> {
        self.launch(&[("CRASH_AT", crash_at)]).await.map(drop)
    }

    /// Whether it became ready; else it has ended.
    async fn launch(&self, environment: &[(&str, &str)]) -> anyhow::Result<bool> {
        let log = File::options().append(true).create(true).open(&self.log)?;
        // The replica ends with this process, however that ends.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(&self.program)
            .args(["serve", "--listen", &self.address.to_string()])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("CRASH_AT")
            .envs(environment.iter().copied())
            .stderr(log);
        let started = Program::spawn(&mut command);
        let (program, starting) = started.with_context(|| self.program.display().to_string())?;
        *self.locked() = Some(program);
        let ready = starting.ready().await;
        Ok(ready.context("a replica was not ready in time")?.is_some())
    }

    /// Sends it a signal; `false` when it does not run.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<bool> {
        match self.locked().as_mut() {
            Some(program) => Ok(program.signal(signal)?),
            None => Ok(false),
        }
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        let mut program = self.locked();
        program.as_mut().is_some_and(|program| !program.has_ended())
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it does not within `patience`.
    pub async fn ended(&self, patience: Duration) -> anyhow::Result<ExitStatus> {
        until("a replica to end", patience, async || !self.runs()).await?;
        let program = self.locked().take();
        Ok(program.context("it was never started")?.wait()?)
    }

    /// Kills it.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn kill(&self) -> anyhow::Result<()> {
        if self.signal(Signal::KILL)? {
            self.ended(PATIENCE).await?;
        }
        Ok(())
    }

    /// Asks it to stop, as a deployment does, and waits for its exit.
    ///
    /// # Errors
    /// When it does not end in time, or with another code than 0.
    pub async fn stop(&self) -> anyhow::Result<()> {
        ensure!(self.signal(Signal::TERM)?, "it did not run");
        let status = self.ended(PATIENCE).await?;
        let told = status
            .signal()
            .map_or_else(String::new, |s| format!(", signal {s}"));
        ensure!(
            status.success(),
            "after SIGTERM it ended with {status}{told}"
        );
        Ok(())
    }

    /// Runs it again if it does not run.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn ensure_runs(&self) -> anyhow::Result<()> {
        if !self.runs() {
            self.start().await?;
        }
        Ok(())
    }
}
