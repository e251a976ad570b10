//! One process of `audience-service`, and what can be done to it.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{sync::oneshot, time::timeout};

use crate::servers::until;

/// Longest wait for a replica to be ready or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a replica is started, always on the same port.
pub struct Replica {
    program: PathBuf,
    environment: Vec<(String, String)>,
    address: SocketAddr,
    log: PathBuf,
    process: Mutex<Option<Child>>,
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.signal(Signal::KILL);
        if let Some(mut child) = self.take() {
            let _ = child.wait();
        }
    }
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

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Child> {
        self.locked().take()
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
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(&self.program)
            .args(["serve", "--listen", &self.address.to_string()])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("CRASH_AT")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| self.program.display().to_string())?;
        let output = child.stdout.take().context("no output")?;
        *self.locked() = Some(child);
        let (ready, heard) = oneshot::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines().map_while(Result::ok);
            if lines.any(|line| line.starts_with("ready ")) {
                // Nobody may be waiting any more.
                let _ = ready.send(());
            }
            // What else it says has to go somewhere.
            lines.for_each(drop);
        });
        let ready = timeout(PATIENCE, heard).await;
        Ok(ready.context("a replica was not ready in time")?.is_ok())
    }

    /// Sends it a signal; `false` when it does not run.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<bool> {
        let mut process = self.locked();
        let Some(child) = process.as_mut() else {
            return Ok(false);
        };
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("no process id")?, signal)?;
        Ok(true)
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        let mut process = self.locked();
        let status = process.as_mut().map(Child::try_wait);
        matches!(status, Some(Ok(None)))
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it does not within `patience`.
    pub async fn ended(&self, patience: Duration) -> anyhow::Result<ExitStatus> {
        until("a replica to end", patience, async || !self.runs()).await?;
        let mut child = self.take().context("it was never started")?;
        Ok(child.wait()?)
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
