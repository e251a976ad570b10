//! What every program owes that stands on a database and the broker. The services' own tests call it
//! with their program.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests, which have no settings of their own"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Nobody listens there.
const NOWHERE: &str = "127.0.0.1:9";
/// The longest that a start which fails may take.
const SECONDS: Duration = Duration::from_secs(20);

fn server(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; `make test` starts servers"))
}

/// The program with every setting it needs; its tables and queues are its own.
fn command(program: &str, arguments: &[&str]) -> Command {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let name = format!("t{:x}_{}", now.as_micros(), std::process::id());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("PLATEIA__LISTEN", "127.0.0.1:0")
        .env(
            "PLATEIA__POSTGRES__URL",
            server("PLATEIA_TEST_POSTGRES_URL"),
        )
        .env("PLATEIA__POSTGRES__SCHEMA", &name)
        .env("PLATEIA__POSTGRES__MAX_CONNECTIONS", "4")
        .env(
            "PLATEIA__RABBITMQ__URL",
            server("PLATEIA_TEST_RABBITMQ_URL"),
        )
        .env("PLATEIA__RABBITMQ__PREFIX", &name)
        .env(
            "PLATEIA__SECRETS__KEY",
            "a key of thirty-two characters, at least",
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A start with a bad setting ends within seconds, with exit code 1 and one line that names the key.
pub fn refuses_bad_settings(program: &str) {
    let name = Path::new(program).file_name().unwrap().to_str().unwrap();
    let postgres = format!("postgres://user:hunter2@{NOWHERE}/x");
    let rabbitmq = format!("amqp://user:hunter2@{NOWHERE}");
    for (variable, value, key) in [
        ("PLATEIA__POSTGRES__URL", "", "postgres.url"),
        ("PLATEIA__POSTGRES__URL", postgres.as_str(), "postgres.url"),
        (
            "PLATEIA__RABBITMQ__URL",
            "http://user:hunter2@x",
            "rabbitmq.url",
        ),
        ("PLATEIA__RABBITMQ__URL", rabbitmq.as_str(), "rabbitmq.url"),
        ("PLATEIA__RABBITMQ__PREFIX", "No", "rabbitmq.prefix"),
        (
            "PLATEIA__POSTGRES__CA_FILE",
            "/nowhere/ca.pem",
            "postgres.ca_file: certificates in /nowhere/ca.pem",
        ),
        (
            "PLATEIA__RABBITMQ__CA_FILE",
            "/nowhere/ca.pem",
            "rabbitmq.ca_file: certificates in /nowhere/ca.pem",
        ),
        ("PLATEIA__ROLES", "api,nothing", "roles"),
        ("PLATEIA__NOTHING", "1", "nothing"),
    ] {
        let begun = Instant::now();
        let output = command(program, &["serve"])
            .env(variable, value)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(output.status.code(), Some(1), "{variable}={value}: {said}");
        assert!(last.starts_with(&format!("{name}: ")), "{said}");
        assert!(last.contains(key), "{variable}={value}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(begun.elapsed() < SECONDS, "took {:?}", begun.elapsed());
    }
}

/// `config check` reaches for no server, only for files; `migrate` may be repeated.
pub fn checks_and_migrates(program: &str) {
    let unreachable = format!("postgres://{NOWHERE}/x");
    let mut check = command(program, &["config", "check"]);
    check.env("PLATEIA__POSTGRES__URL", unreachable);
    assert!(check.output().unwrap().status.success());
    check.env("PLATEIA__RABBITMQ__CA_FILE", "/nowhere/ca.pem");
    assert!(!check.output().unwrap().status.success());
    let mut migrate = command(program, &["migrate"]);
    for _ in 0..2 {
        let output = migrate.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
}

/// It says where it answers, is ready, and ends in order when it is told to.
pub fn serves_until_it_is_told_to_end(program: &str) {
    let mut running = Running(
        command(program, &["serve"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let address = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.strip_prefix("ready http://")?.to_owned()))
        .unwrap();
    let ready = get(&address, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert!(ready.contains(r#""postgres":"ok""#), "{ready}");
    assert!(get(&address, "/livez").starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/nowhere").starts_with("HTTP/1.1 404"));
    let pid = running.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Ended with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
