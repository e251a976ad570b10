//! The real program on a data directory, and requests to it that may stay without an answer.

use std::{net::SocketAddr, path::Path, process::Command};

use api_types::contacts::ContactsJson;
use serde::Deserialize;
use serde_json::Value;
use test_kit::{
    blocking::wait,
    http::{PATIENCE, Request},
    place::KEY,
    program::Program,
};

/// A server, killed when it goes out of scope.
pub struct Server {
    pub program: Program,
    address: SocketAddr,
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
            .envs(settings.iter().copied());
        let Some((program, ready)) = Program::start(&mut command) else {
            assert!(crash_at.is_some(), "the server ended before it was ready");
            return None;
        };
        let address = ready.address;
        Some(Self { program, address })
    }

    pub const fn client(&self) -> Client {
        Client(self.address)
    }
}

/// Status and body of an answer.
pub type Answer = (u16, Value);

/// One caller of a server.
#[derive(Clone)]
pub struct Client(SocketAddr);

impl Client {
    /// A request to a path below `/api/v1`.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let request = Request::new(method, &format!("/api/v1{path}"));
        request.header("Authorization", &format!("Bearer {KEY}"))
    }

    /// Sends a request; `None` when no whole answer came.
    pub fn send(&self, request: &Request) -> Option<Answer> {
        let reply = wait(request.send(self.0, PATIENCE)).ok()?;
        Some((reply.status, reply.body))
    }

    pub fn post(&self, path: &str, key: &str, body: &Value) -> Option<Answer> {
        let request = self.request("POST", path).header("Idempotency-Key", key);
        self.send(&request.json(body))
    }

    /// A read that has to succeed, unless the server is gone.
    pub fn get(&self, path: &str) -> Option<Value> {
        let (status, body) = self.send(&self.request("GET", path))?;
        assert_eq!(status, 200, "{path}: {body}");
        Some(body)
    }

    /// Documents of an audience by a walk from the first to the last.
    pub fn walk(&self, audience: &str) -> Vec<String> {
        let (mut documents, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/audiences/{audience}/contacts?limit=1000{cursor}");
            let page = ContactsJson::deserialize(self.get(&path).unwrap()).unwrap();
            documents.extend(page.data.into_iter().map(|contact| contact.document));
            match page.next_cursor {
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
