//! The server as a process of its own: its address, its time, its memory.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use test_kit::{blocking::wait, program::Program};

use crate::{
    Setup,
    http::{Client, KEY, encode},
};

/// A running server; killed when dropped.
pub struct Server {
    program: Program,
    pub address: SocketAddr,
    pub started_in: Duration,
}

impl Server {
    /// Starts the program on what is stored under a name, and waits until it answers.
    pub fn start(setup: &Setup, name: &str) -> anyhow::Result<Self> {
        Self::start_program(setup, &setup.program, name, &[])
    }

    /// The same of another program, with settings of its own.
    pub fn start_program(
        setup: &Setup,
        program: &Path,
        name: &str,
        own: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let data = setup.dir(name)?;
        let started = Instant::now();
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("PLATEIA__DATA_DIR", &data)
            .env("PLATEIA_API_KEY", KEY)
            .env("PLATEIA__TELEMETRY__LEVEL", "warn")
            .envs(setup.stack.iter().flat_map(|stack| stack.settings(name)))
            .envs(own.iter().map(|(name, value)| (name, value)))
            .stderr(fs::File::create(data.with_extension("log"))?);
        let spawned = Program::spawn(&mut command);
        let (program, starting) =
            spawned.with_context(|| format!("{} does not start", program.display()))?;
        let ready = wait(starting.ready()).context("the server was not ready in time")?;
        let address = ready
            .context("the server ended before it was ready")?
            .address;
        // Ready is when it answers, not when it says so.
        let probe = encode("GET", "/readyz", "text/plain", b"");
        let answer = Client::connect(address)?.send(&probe)?;
        ensure!(
            answer.status == 200,
            "ready, but answered {}",
            answer.status
        );
        Ok(Self {
            program,
            address,
            started_in: started.elapsed(),
        })
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) {
        self.program.kill();
    }

    /// Processor time used so far.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of(&self.program.id().to_string())
    }

    /// Resident memory now, in bytes.
    pub fn resident(&self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// Highest resident memory since the last reset, in bytes.
    pub fn peak(&self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    /// Begins a new peak.
    pub fn reset_peak(&self) -> anyhow::Result<()> {
        Ok(fs::write(
            format!("/proc/{}/clear_refs", self.program.id()),
            "5",
        )?)
    }

    fn status(&self, name: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.id()))?;
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .context("no such line")?;
        let kilobytes: u64 = line
            .split_whitespace()
            .nth(1)
            .context("no value")?
            .parse()?;
        Ok(kilobytes * 1024)
    }
}

/// Processor time of a process; `self` for this one.
pub fn cpu_of(process: &str) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold spaces; user and system time are fields 14 and 15 of all.
    let after = stat.rsplit_once(')').context("malformed stat")?.1;
    let mut fields = after.split_whitespace().skip(11);
    let user: u64 = fields.next().context("no user time")?.parse()?;
    let system: u64 = fields.next().context("no system time")?.parse()?;
    // Linux counts in hundredths of a second on every platform that Rust runs on.
    Ok(Duration::from_millis((user + system) * 10))
}
