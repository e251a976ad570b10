//! A schema, a database, queues and a directory of their own for programs on the servers of a test run,
//! and what every such program owes.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tempfile::TempDir;

use crate::{
    blocking::wait,
    http::Client,
    mongodb_url,
    program::{Program, Ready},
    rabbitmq_url, required,
};

/// The key of a workspace in every place.
pub const KEY: &str = "a-key-for-tests-of-32-characters-in-all";
const SECRET: &str = "a-secret-for-tests-of-38-characters-ok";
/// Nobody listens there.
pub const NOWHERE: &str = "127.0.0.1:9";
/// The longest that a start which fails may take.
const SECONDS: Duration = Duration::from_secs(20);

/// A name and a directory that replicas of a program share.
pub struct Place {
    program: &'static str,
    pub name: String,
    dir: TempDir,
}

impl Place {
    /// A place of its own for a program, which is named by its path.
    ///
    /// # Panics
    /// When there can be no directory.
    #[expect(
        clippy::disallowed_methods,
        reason = "names that no other run has used"
    )]
    pub fn new(program: &'static str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("a time after 1970").as_millis();
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            program,
            name: format!("t{now:x}_{}_{next}", std::process::id()),
            dir: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    /// The program with every setting it needs.
    ///
    /// # Panics
    /// When the environment does not name the servers.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(arguments)
            .env_remove("CRASH_AT")
            .env("PLATEIA_API_KEY", KEY)
            .env("PLATEIA__LISTEN", "127.0.0.1:0")
            .env("PLATEIA__DATA_DIR", self.dir.path())
            .env("PLATEIA__POSTGRES__URL", required(crate::POSTGRES_URL))
            .env("PLATEIA__POSTGRES__SCHEMA", &self.name)
            .env("PLATEIA__POSTGRES__MAX_CONNECTIONS", "6")
            .env("PLATEIA__MONGODB__URL", mongodb_url())
            .env("PLATEIA__MONGODB__DATABASE", &self.name)
            .env("PLATEIA__RABBITMQ__URL", rabbitmq_url())
            .env("PLATEIA__RABBITMQ__PREFIX", &self.name)
            .env("PLATEIA__SECRETS__KEY", SECRET)
            .env("PLATEIA__AUDIENCE__URL", format!("http://{NOWHERE}"))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end with more settings; its output, and standard error as text.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str], settings: &[(&str, &str)]) -> (Output, String) {
        let mut command = self.command(arguments);
        let output = command.envs(settings.iter().copied()).output();
        let output = output.expect("a program");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output, said)
    }

    /// Starts a replica with more settings and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn start(&self, settings: &[(&str, &str)]) -> (Program, Ready) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut command = self.command(&["serve"]);
        // Each is a machine of its own: they share servers and nothing else.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let data = self.dir.path().join(format!("machine-{number}"));
        command.env("PLATEIA__DATA_DIR", data);
        command.envs(settings.iter().copied()).stderr(Stdio::null());
        Program::start(&mut command).expect("a program that does not end before it is ready")
    }

    /// Asserts that a start with a bad setting ends within seconds, with exit code 1 and one line that
    /// names the key.
    ///
    /// # Panics
    /// When it does not.
    pub fn refuses(&self, variable: &str, value: &str, key: &str) {
        let begun = Instant::now();
        let (output, said) = self.run(&["serve"], &[(variable, value)]);
        let name = Path::new(self.program).file_name();
        let name = name.and_then(|name| name.to_str()).expect("a name");
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(output.status.code(), Some(1), "{variable}={value}: {said}");
        assert!(last.starts_with(&format!("{name}: ")), "{said}");
        assert!(last.contains(key), "{variable}={value}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(begun.elapsed() < SECONDS, "took {:?}", begun.elapsed());
    }
}

/// Asserts what every program on PostgreSQL and RabbitMQ owes when a setting is bad.
///
/// # Panics
/// When it does not refuse.
pub fn refuses_bad_settings(program: &'static str) {
    let postgres = format!("postgres://user:hunter2@{NOWHERE}/x");
    let rabbitmq = format!("amqp://user:hunter2@{NOWHERE}");
    let place = Place::new(program);
    for (variable, value, key) in [
        ("POSTGRES__URL", "", "postgres.url"),
        ("POSTGRES__URL", "mysql://x", "postgres.url"),
        ("POSTGRES__URL", postgres.as_str(), "postgres.url"),
        ("POSTGRES__MAX_CONNECTIONS", "many", "max_connections"),
        ("RABBITMQ__URL", "http://user:hunter2@x", "rabbitmq.url"),
        ("RABBITMQ__URL", rabbitmq.as_str(), "rabbitmq.url"),
        ("RABBITMQ__PREFIX", "No", "rabbitmq.prefix"),
        (
            "POSTGRES__CA_FILE",
            "/nowhere/ca.pem",
            "postgres.ca_file: certificates in /nowhere/ca.pem",
        ),
        (
            "RABBITMQ__CA_FILE",
            "/nowhere/ca.pem",
            "rabbitmq.ca_file: certificates in /nowhere/ca.pem",
        ),
        ("ROLES", "api,nothing", "roles"),
        ("NOTHING", "1", "nothing"),
    ] {
        place.refuses(&format!("PLATEIA__{variable}"), value, key);
    }
}

/// Asserts that `config check` reaches for no server, only for files, and that `migrate` may be repeated.
///
/// # Panics
/// When it does not hold.
pub fn checks_and_migrates(program: &'static str) {
    let place = Place::new(program);
    let unreachable = format!("postgres://{NOWHERE}/x");
    let unreachable = ("PLATEIA__POSTGRES__URL", unreachable.as_str());
    let no_file = ("PLATEIA__RABBITMQ__CA_FILE", "/nowhere/ca.pem");
    for (settings, passes) in [(&[unreachable][..], true), (&[unreachable, no_file], false)] {
        let (output, said) = place.run(&["config", "check"], settings);
        assert_eq!(output.status.success(), passes, "{said}");
    }
    for _ in 0..2 {
        let (output, said) = place.run(&["migrate"], &[]);
        assert!(output.status.success(), "{said}");
    }
}

/// Asserts that it says where it listens, is ready, and ends in order when it is told to.
///
/// # Panics
/// When it does not.
pub fn serves_until_it_is_told_to_end(program: &'static str) {
    let place = Place::new(program);
    let (mut program, ready) = place.start(&[]);
    let client = Client::new([ready.address]);
    let answer = wait(client.get("/readyz"));
    answer.ok(200);
    assert!(
        answer.text.contains(r#""postgres":"ok""#),
        "{}",
        answer.text
    );
    wait(client.get("/livez")).ok(200);
    wait(client.get("/nowhere")).ok(404);
    assert_eq!(program.stop().code(), Some(0));
}
