//! What a user asks of audiences, each request of the next replica.

use serde_json::Value;

use crate::{
    blocking::{until, wait},
    http::{Call, Client, Reply, text},
};

/// Replicas of one service that share their stores.
pub struct Service(Client);

impl Service {
    /// A service of these replicas, called with the key of a workspace.
    pub fn new(replicas: impl IntoIterator<Item = std::net::SocketAddr>, key: &str) -> Self {
        let client = Client::new(replicas);
        Self(client.with_header("Authorization", &format!("Bearer {key}")))
    }

    /// How many replicas there are.
    pub fn replicas(&self) -> usize {
        self.0.addresses.len()
    }

    /// A request that is being put together; [`Self::send`] sends it.
    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.0.call(method, path)
    }

    /// Sends a request without a body.
    pub fn send(&self, method: &str, path: &str) -> Reply {
        wait(self.call(method, path).send())
    }

    /// Reads what has to be there.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.send("GET", path).ok(200)
    }

    /// Sends JSON.
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Reply {
        wait(self.call(method, path).json(body).send())
    }

    /// Posts JSON under an idempotency key.
    pub fn once(&self, path: &str, key: &str, body: &Value) -> Reply {
        let call = self.call("POST", path).header("Idempotency-Key", key);
        wait(call.json(body).send())
    }

    /// Begins a stream of server-sent events; each call of the answer waits for the next one's data.
    pub fn events(&self, path: &str) -> impl FnMut() -> Value {
        let call = self.call("GET", path).header("Accept", "text/event-stream");
        let mut events = wait(call.follow());
        move || wait(events.next()).expect("the stream goes on").2
    }

    /// Documents of an audience by a walk from the first to the last.
    pub fn walk(&self, audience: &str) -> Vec<String> {
        let (mut documents, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/audiences/{audience}/contacts?limit=1000{cursor}");
            let page = self.get(&path);
            documents.extend(documents_of(&page));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return documents,
            }
        }
    }

    /// Contacts of an audience by its counter.
    pub fn count(&self, audience: &str) -> u64 {
        let seen = self.get(&format!("/api/v1/audiences/{audience}"));
        seen["contacts"].as_u64().unwrap()
    }

    /// Waits for the end of the operation that an answer of 202 names.
    pub fn ended(&self, accepted: &Value) -> Value {
        let id = text(accepted, "id");
        until("the end of an operation", || {
            let seen = self.get(&format!("/api/v1/operations/{id}"));
            let ended = ["succeeded", "failed", "cancelled"].contains(&seen["state"].as_str()?);
            ended.then_some(seen)
        })
    }
}

/// Documents of a page.
pub fn documents_of(page: &Value) -> Vec<String> {
    let contacts = page["data"].as_array().unwrap();
    contacts.iter().map(|c| text(c, "document")).collect()
}
