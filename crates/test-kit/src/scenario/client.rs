//! What a user asks of audiences, each request of the next replica.

use api_types::{
    audiences::AudienceJson, contacts::ContactsJson, notifications::NotificationJson,
    operations::OperationJson,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    blocking::{until, wait},
    http::{Call, Client, Reply},
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
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        self.send("GET", path).read(200)
    }

    /// Sends JSON.
    pub fn json(&self, method: &str, path: &str, body: &impl Serialize) -> Reply {
        wait(self.call(method, path).json(body).send())
    }

    /// Posts JSON under an idempotency key.
    pub fn once(&self, path: &str, key: &str, body: &impl Serialize) -> Reply {
        let call = self.call("POST", path).header("Idempotency-Key", key);
        wait(call.json(body).send())
    }

    /// Begins the stream of notifications; each call of the answer waits for the next event, and answers
    /// it where it is one.
    pub fn notifications(&self) -> impl FnMut() -> Option<NotificationJson> {
        let call = self.call("GET", "/api/v1/notifications/stream");
        let mut events = wait(call.header("Accept", "text/event-stream").follow());
        move || {
            let (_, _, data) = wait(events.next()).expect("the stream goes on");
            serde_json::from_value(data).ok()
        }
    }

    /// Documents of an audience by a walk from the first to the last.
    pub fn walk(&self, audience: &str) -> Vec<String> {
        let (mut documents, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/audiences/{audience}/contacts?limit=1000{cursor}");
            let page: ContactsJson = self.get(&path);
            documents.extend(page.data.into_iter().map(|contact| contact.document));
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return documents,
            }
        }
    }

    /// An audience as it is now.
    pub fn audience(&self, id: &str) -> AudienceJson {
        self.get(&format!("/api/v1/audiences/{id}"))
    }

    /// Contacts of an audience by its counter.
    pub fn count(&self, audience: &str) -> i64 {
        self.audience(audience).contacts
    }

    /// Waits for the end of the operation that an answer of 202 is.
    #[track_caller]
    pub fn ended(&self, accepted: &Reply) -> OperationJson {
        let OperationJson { id, .. } = accepted.read(202);
        until("the end of an operation", || {
            let seen: OperationJson = self.get(&format!("/api/v1/operations/{id}"));
            seen.has_ended().then_some(seen)
        })
    }
}
