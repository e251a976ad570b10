//! The server as a process of its own: its address, its time, its memory.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

use crate::{
    Setup,
    http::{Client, KEY, encode},
};

/// Longest wait for a server to be ready.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub started_in: Duration,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the program on what is stored under a name, and waits until it answers.
    pub fn start(setup: &Setup, name: &str) -> anyhow::Result<Self> {
        let (program, data) = (&setup.program, setup.dir(name)?);
        let started = Instant::now();
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("PLATEIA__DATA_DIR", &data)
            .env("PLATEIA_API_KEY", KEY)
            .env("PLATEIA__TELEMETRY__LEVEL", "warn")
            .envs(setup.stack.iter().flat_map(|stack| stack.settings(name)))
            .stdout(Stdio::piped())
            .stderr(fs::File::create(data.with_extension("log"))?)
            .spawn()
            .with_context(|| format!("{} does not start", program.display()))?;
        let out = child.stdout.take().context("no output")?;
        let mut server = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            started_in: Duration::ZERO,
        };
        server.address = announced(out)
            .recv_timeout(PATIENCE)
            .context("the server was not ready in time")?;
        // Ready is when it answers, not when it says so.
        let probe = encode("GET", "/readyz", "text/plain", b"");
        let answer = Client::connect(server.address)?.send(&probe)?;
        ensure!(
            answer.status == 200,
            "ready, but answered {}",
            answer.status
        );
        server.started_in = started.elapsed();
        Ok(server)
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Processor time used so far.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of(&self.child.id().to_string())
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
            format!("/proc/{}/clear_refs", self.child.id()),
            "5",
        )?)
    }

    fn status(&self, name: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
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

/// The address, once it is printed. Reads on, so that the server can always print.
fn announced(out: ChildStdout) -> mpsc::Receiver<SocketAddr> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let address = line.strip_prefix("ready http://");
            if let Some(Ok(address)) = address.map(|text| text.trim().parse()) {
                // Nobody may be waiting any more.
                let _ = sender.send(address);
            }
        }
    });
    receiver
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
