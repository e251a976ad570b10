//! The real program on a data directory, and requests to it that may stay without an answer.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// Longest time that anything here may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);
const KEY: &str = "a-key-for-tests-of-32-characters-in-all";

/// A server, killed when it goes out of scope.
pub struct Server {
    process: Child,
    address: String,
}

/// Waits for something, at most as long as patience lasts.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(PAUSE);
    }
}

impl Server {
    /// Starts a server that ends itself at `crash_at`; `None` when it came to that before it was ready.
    pub fn start(dir: &Path, crash_at: Option<&str>) -> Option<Self> {
        Self::start_with(dir, crash_at, &[])
    }

    /// As [`Self::start`], with more settings.
    pub fn start_with(
        dir: &Path,
        crash_at: Option<&str>,
        settings: &[(&str, &str)],
    ) -> Option<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plateia"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir)
            .env("PLATEIA_API_KEY", KEY)
            .env_remove("CRASH_AT")
            .envs(crash_at.map(|at| ("CRASH_AT", at)))
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            if let Some(url) = line.strip_prefix("ready http://") {
                let address = url.to_owned();
                return Some(Self { process, address });
            }
        }
        process.wait().unwrap();
        assert!(crash_at.is_some(), "the server ended before it was ready");
        None
    }

    pub fn client(&self) -> Client {
        Client {
            address: self.address.clone(),
        }
    }

    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    /// Tells it to stop; whether it did, and was not killed at a point that it had come to.
    pub fn stops_in_order(&mut self) -> bool {
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        self.process.wait().unwrap().success()
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Status and body of an answer.
pub type Answer = (u16, Value);

/// One caller of a server.
#[derive(Clone)]
pub struct Client {
    address: String,
}

impl Client {
    /// Sends a request on a connection of its own; `None` when no whole answer came.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<Answer> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let head = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {KEY}\r\n\
             Connection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let text = String::from_utf8(answer).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().ok())?
        });
        if length.is_some_and(|length| length != body.len()) {
            return None;
        }
        Some((status, serde_json::from_str(body).unwrap_or_default()))
    }

    pub fn post(&self, path: &str, key: &str, body: &Value) -> Option<Answer> {
        let headers = format!("Content-Type: application/json\r\nIdempotency-Key: {key}\r\n");
        self.send("POST", path, &headers, body.to_string().as_bytes())
    }

    /// A read that has to succeed, unless the server is gone.
    pub fn get(&self, path: &str) -> Option<Value> {
        let (status, body) = self.send("GET", path, "", b"")?;
        assert_eq!(status, 200, "{path}: {body}");
        Some(body)
    }

    /// Documents of an audience by a walk from the first to the last.
    pub fn walk(&self, audience: &str) -> Vec<String> {
        let mut documents = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self
                .get(&format!(
                    "/audiences/{audience}/contacts?limit=1000{cursor}"
                ))
                .unwrap();
            for contact in page["data"].as_array().unwrap() {
                documents.push(contact["document"].as_str().unwrap().to_owned());
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return documents,
            }
        }
    }

    /// Operations, newest first.
    pub fn operations(&self) -> Option<Vec<Value>> {
        let list = self.get("/operations?limit=100")?;
        Some(list["data"].as_array().unwrap().clone())
    }
}
