//! Programs as processes of their own: started, waited for, signalled, and killed with the test.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{sync::oneshot, time::timeout};

use crate::blocking::wait;

/// Longest wait for a program to be ready.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a program says once it is ready.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Where it listens.
    pub address: SocketAddr,
    /// Lines before the one that says so.
    pub before: Vec<String>,
}

/// Yields what a program says, or nothing when it ends before it is ready.
pub struct Starting(oneshot::Receiver<Ready>);

impl Starting {
    /// `Err` when it neither is ready nor ends in time.
    ///
    /// # Errors
    /// See above.
    pub async fn ready(self) -> Result<Option<Ready>, tokio::time::error::Elapsed> {
        Ok(timeout(PATIENCE, self.0).await?.ok())
    }
}

/// A process in a group of its own, which is killed when this is dropped.
pub struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Program {
    /// Starts a program whose output is a line `ready http://<address>` and others.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(command: &mut Command) -> std::io::Result<(Self, Starting)> {
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let (ready, starting) = oneshot::channel();
        let output = child.stdout.take();
        std::thread::spawn(move || {
            let lines = output.map(|output| BufReader::new(output).lines());
            let mut lines = lines.into_iter().flatten().map_while(Result::ok);
            let mut before = Vec::new();
            for line in &mut lines {
                let address = line.strip_prefix("ready http://");
                if let Some(Ok(address)) = address.map(|text| text.trim().parse()) {
                    // Nobody may be waiting any more.
                    let _ = ready.send(Ready { address, before });
                    break;
                }
                before.push(line);
            }
            // What else it says has to go somewhere.
            lines.for_each(drop);
        });
        Ok((Self(child), Starting(starting)))
    }

    /// Starts a program and waits until it is ready; `None` when it ends before.
    ///
    /// # Panics
    /// When it cannot be started, or neither is ready nor ends in time.
    pub fn start(command: &mut Command) -> Option<(Self, Ready)> {
        let (program, starting) = Self::spawn(command).expect("a program");
        let ready = wait(starting.ready()).expect("a program that is ready in time");
        Some((program, ready?))
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends a signal to it and what it started; `false` when it has ended.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn signal(&mut self, signal: Signal) -> std::io::Result<bool> {
        if self.has_ended() {
            return Ok(false);
        }
        let group = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        kill_process_group(group.ok_or(std::io::ErrorKind::NotFound)?, signal)?;
        Ok(true)
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(Some(_)))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.0.wait()
    }

    /// Asks it to stop, as a deployment does, and waits for its end.
    ///
    /// # Panics
    /// When it cannot be asked.
    pub fn stop(&mut self) -> ExitStatus {
        // It may have ended on its own.
        self.signal(Signal::TERM).expect("a signal");
        self.wait().expect("an end")
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        // It may have ended on its own.
        let _ = self.signal(Signal::KILL);
        let _ = self.wait();
    }
}
