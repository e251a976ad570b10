//! A client as it should be: it repeats under the same key until it has an answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use api_types::ProblemBody;
use rand::Rng;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use test_kit::http::{Reply, Request};
use tokio::time::{Instant, sleep};

use crate::history::History;

/// Shared with the replicas: its headers say who calls.
pub const GATEWAY_SECRET: &str = "a-gateway-for-chaos-of-38-characters-ok";
/// Longest wait for one answer.
const ONE: Duration = Duration::from_secs(20);
/// Longest time until a command has its answer: leases of a dead replica are part of it.
const PATIENCE: Duration = Duration::from_secs(240);
/// Longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(1_000);

/// Replicas of one service.
#[derive(Debug)]
pub struct Target {
    pub addresses: Vec<SocketAddr>,
}

/// One user of one workspace.
pub struct Caller {
    target: Arc<Target>,
    pub workspace: String,
    user: String,
    next: AtomicUsize,
}

/// The answer to a command.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub body: Value,
    /// It was sent more than once.
    pub repeated: bool,
}

impl Answered {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The code, where it is a problem.
    pub fn code(&self) -> String {
        code(&self.body)
    }

    /// The body as it is read.
    ///
    /// # Errors
    /// When it is none of this kind.
    pub fn read<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        T::deserialize(&self.body).with_context(|| self.told())
    }

    /// In one line.
    pub fn told(&self) -> String {
        format!("{} {}", self.status, self.body)
    }
}

/// The code of a problem; empty where the body is none.
fn code(body: &Value) -> String {
    ProblemBody::deserialize(body).map_or_else(|_| String::new(), |problem| problem.code.into())
}

/// The beginning of a body, for messages.
fn beginning(answer: &Reply) -> String {
    answer.text.chars().take(300).collect()
}

/// Whether an answer may come out another way when the request is repeated.
fn is_passing(answer: &Reply) -> bool {
    answer.status >= 500
        || matches!(answer.status, 408 | 429)
        || answer.status == 409 && code(&answer.body) == "idempotency_in_progress"
}

/// What must not be answered, whatever happens.
fn is_improper(answer: &Reply) -> bool {
    match answer.status {
        503 => answer.header("Retry-After").is_empty(),
        status => status >= 500,
    }
}

impl Caller {
    pub fn new(target: Arc<Target>, workspace: &str, user: &str) -> Self {
        Self {
            target,
            workspace: workspace.to_owned(),
            user: user.to_owned(),
            next: AtomicUsize::new(rand::random_range(0..16)),
        }
    }

    /// The next replica.
    fn address(&self) -> anyhow::Result<SocketAddr> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let addresses = &self.target.addresses;
        let address = addresses.get(next % addresses.len().max(1));
        address.copied().context("no replica")
    }

    fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, path)
            .header("workSpaceId", &self.workspace)
            .header("userId", &self.user)
            .header("x-gateway-secret", GATEWAY_SECRET)
    }

    /// A request of JSON, or with an empty body.
    pub fn json(&self, method: &str, path: &str, key: &str, body: &impl Serialize) -> Request {
        if method == "DELETE" {
            return self.delete(path);
        }
        let request = self.request(method, path).header("Idempotency-Key", key);
        request.json(body)
    }

    /// A request that takes no key: repeated, it finds that it was done.
    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    /// A request with a file.
    pub fn file(&self, key: &str, content: String) -> Request {
        let path = "/api/v1/uploads?file_name=people.csv";
        let request = self.request("POST", path).header("Idempotency-Key", key);
        request.body("text/csv", content)
    }

    /// Sends a request until it has an answer that stays, which has to be a success.
    ///
    /// # Errors
    /// When none comes, or when it is none.
    pub async fn command(
        &self,
        request: &Request,
        history: &History,
        abandon: u8,
    ) -> anyhow::Result<Answered> {
        let answer = self.answer(request, history, abandon).await?;
        let (method, path) = (&request.method, &request.path);
        ensure!(answer.is_success(), "{method} {path}: {}", answer.told());
        Ok(answer)
    }

    /// Sends a request until it has an answer that stays; with a chance of `abandon` in 100, it goes
    /// away in the middle of the first try.
    ///
    /// # Errors
    /// When none comes.
    pub async fn answer(
        &self,
        request: &Request,
        history: &History,
        abandon: u8,
    ) -> anyhow::Result<Answered> {
        let mut repeated = false;
        if rand::random_range(0..100) < abandon {
            let share = rand::random();
            let wait = Duration::from_millis(rand::rng().random_range(0..30));
            request.abandon(self.address()?, share, wait).await;
            history.abandoned();
            repeated = true;
        }
        let begun = Instant::now();
        let mut pause = Duration::from_millis(50);
        let (method, path) = (&request.method, &request.path);
        let mut last = String::new();
        while begun.elapsed() < PATIENCE {
            match request.send(self.address()?, ONE).await {
                Ok(answer) => {
                    last = format!("{} {}", answer.status, beginning(&answer));
                    if is_improper(&answer) {
                        history.anomaly(format!("{method} {path}: {last}"));
                    }
                    if !is_passing(&answer) {
                        return Ok(Answered {
                            status: answer.status,
                            body: answer.body,
                            repeated,
                        });
                    }
                }
                Err(error) => last = format!("{error:#}"),
            }
            history.retried();
            repeated = true;
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE);
        }
        bail!("{method} {path}: no answer: {last}")
    }

    /// Reads once; `None` when it cannot be read now.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, history: &History) -> Option<T> {
        let request = self.request("GET", path);
        let answer = request.send(self.address().ok()?, ONE).await.ok()?;
        if answer.status != 200 {
            if is_improper(&answer) || answer.status < 500 && !matches!(answer.status, 408 | 429) {
                let (status, text) = (answer.status, beginning(&answer));
                history.anomaly(format!("GET {path}: {status} {text}"));
            }
            return None;
        }
        history.read();
        let read = T::deserialize(answer.body);
        read.map_err(|error| history.anomaly(format!("GET {path}: {error}")))
            .ok()
    }

    /// Reads what has to be there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn must_get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let request = self.request("GET", path);
        let mut last = String::new();
        for _ in 0..300 {
            match request.send(self.address()?, ONE).await {
                Ok(answer) if answer.status == 200 => {
                    return T::deserialize(answer.body).with_context(|| format!("GET {path}"));
                }
                Ok(answer) => last = format!("{} {}", answer.status, beginning(&answer)),
                Err(error) => last = format!("{error:#}"),
            }
            sleep(Duration::from_millis(200)).await;
        }
        bail!("GET {path}: {last}")
    }
}
