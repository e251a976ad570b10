//! Replicas with a schema, a database and queues of their own on the servers of the test run.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use contract_tests::scenario::Service;
use tempfile::TempDir;

pub const KEY: &str = "a-key-for-tests-of-32-characters-in-all";
const SECRET: &str = "a-secret-for-tests-of-38-characters-ok";

/// Names and directories that replicas share.
pub struct Place {
    name: String,
    dir: TempDir,
}

/// One process.
pub struct Replica {
    process: Child,
    pub address: String,
}

/// Replicas in one place.
pub struct Stack {
    place: Place,
    replicas: Vec<Replica>,
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "where the test's servers are")]
pub fn server(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; `make test` starts servers"))
}

impl Place {
    #[expect(
        clippy::disallowed_methods,
        reason = "names that no other run has used"
    )]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            name: format!("t{:x}_{}_{next}", now.as_millis(), std::process::id()),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// The program with every setting it needs.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audience-service"));
        command
            .args(arguments)
            .env_remove("CRASH_AT")
            .env("PLATEIA_API_KEY", KEY)
            .env("PLATEIA__LISTEN", "127.0.0.1:0")
            .env("PLATEIA__DATA_DIR", self.dir.path())
            .env(
                "PLATEIA__POSTGRES__URL",
                server("PLATEIA_TEST_POSTGRES_URL"),
            )
            .env("PLATEIA__POSTGRES__SCHEMA", &self.name)
            .env("PLATEIA__POSTGRES__MAX_CONNECTIONS", "6")
            .env("PLATEIA__MONGODB__URL", server("PLATEIA_TEST_MONGODB_URL"))
            .env("PLATEIA__MONGODB__DATABASE", &self.name)
            .env(
                "PLATEIA__RABBITMQ__URL",
                server("PLATEIA_TEST_RABBITMQ_URL"),
            )
            .env("PLATEIA__RABBITMQ__PREFIX", &self.name)
            .env("PLATEIA__SECRETS__KEY", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end; its output, and standard error as text.
    pub fn run(&self, change: impl FnOnce(&mut Command), arguments: &[&str]) -> (Output, String) {
        let mut command = self.command(arguments);
        change(&mut command);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output, said)
    }

    /// Starts a replica and waits until it answers.
    pub fn start(&self, change: impl FnOnce(&mut Command)) -> Replica {
        let mut command = self.command(&["serve"]);
        change(&mut command);
        let mut process = command.stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("ready http://")?.to_owned()));
        let Some(address) = address else {
            let ended = process.wait().unwrap();
            panic!("the replica ended before it was ready: {ended}");
        };
        Replica { process, address }
    }
}

impl Stack {
    pub fn start(replicas: usize) -> Self {
        let place = Place::new();
        let start = |_| place.start(|_| {});
        Self {
            replicas: (0..replicas).map(start).collect(),
            place,
        }
    }

    /// What replicas call their schema, database and queues.
    pub fn name(&self) -> &str {
        &self.place.name
    }

    pub fn service(&self) -> Service {
        let addresses = self.replicas.iter().map(|r| r.address.clone()).collect();
        Service::new(addresses, KEY)
    }
}
