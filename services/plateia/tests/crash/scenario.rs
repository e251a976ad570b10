//! What is interrupted: a request, the crash points on its way, and what must come of it.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use test_kit::blocking::until;

use super::server::{Answer, Client, Server};

/// What is done when the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    Create,
    Add,
    RemoveOne,
    Recycle,
    RecycleToNew,
    UploadNew,
    UploadInto,
    Clear,
    Undo,
    Refresh,
    Live,
    Derive,
}

const TOLD: [&str; 3] = ["relay.delivered", "relay.marked", "notify.stored"];
const CREATED: [&str; 3] = ["create.begun", "create.before_flip", "create.flipped"];
const WRITTEN: [&str; 3] = [
    "write.intent_committed",
    "write.contacts_stored",
    "write.closed",
];
const UPLOADED: [&str; 4] = [
    "upload.spooled",
    "upload.batch_stored",
    "upload.before_finish",
    "upload.finished",
];

impl Scenario {
    pub const ALL: [Self; 12] = [
        Self::Create,
        Self::Add,
        Self::RemoveOne,
        Self::Recycle,
        Self::RecycleToNew,
        Self::UploadNew,
        Self::UploadInto,
        Self::Clear,
        Self::Undo,
        Self::Refresh,
        Self::Live,
        Self::Derive,
    ];

    /// The crash points on the way.
    pub fn points(self) -> Vec<&'static str> {
        let own: &[&[&'static str]] = match self {
            Self::Create => &[&CREATED, &WRITTEN],
            Self::Add => &[&WRITTEN, &["request.before_answer"]],
            Self::RemoveOne => &[&["remove.tombstones_written", "remove.closed"]],
            Self::Recycle => &[
                &[
                    "recycle.started",
                    "recycle.batch_marked",
                    "recycle.checkpointed",
                ],
                &["recycle.before_flip", "recycle.flipped"],
                &TOLD,
            ],
            Self::RecycleToNew => &[&["recycle.started", "copy.batch_stored"], &WRITTEN],
            Self::UploadNew => &[&UPLOADED, &TOLD],
            Self::UploadInto => &[&UPLOADED, &WRITTEN],
            Self::Clear => &[&["clear.before_flip", "clear.flipped"], &TOLD],
            Self::Undo => &[&["undo.before_flip", "undo.flipped"]],
            Self::Refresh => &[&[
                "refresh.batch_stored",
                "refresh.before_flip",
                "refresh.flipped",
            ]],
            Self::Live => &[
                &["live.advanced", "changes.contacts_stored"],
                &["changes.tombstones_written", "live.applied"],
            ],
            Self::Derive => &[&[
                "derive.batch_stored",
                "derive.before_flip",
                "derive.flipped",
            ]],
        };
        own.concat()
    }
}

/// A data directory as it is before the request, to be copied for every run.
pub struct Prepared {
    dir: TempDir,
    scenario: Scenario,
    contacts: usize,
    audience: String,
    /// The id of the first contact.
    first: String,
    upload: String,
    recycle: String,
    ended: usize,
}

fn document(n: usize) -> String {
    format!("D{n:07}")
}

/// Every third contact is called so, and goes by a recycling.
fn contact(n: usize) -> Value {
    let name = if n.is_multiple_of(3) { "goes" } else { "stays" };
    json!({ "document": document(n), "name": name })
}

/// Writes people part by part, under keys that begin with this one.
fn fill(client: &Client, path: &str, key: &str, items: impl Iterator<Item = Value>) {
    let all: Vec<Value> = items.collect();
    for (number, part) in all.chunks(10_000).enumerate() {
        let key = format!("{key}{number}");
        created(client.post(path, &key, &json!({ "data": part })));
    }
}

/// Customers, each in a city.
fn in_cities(count: usize, is_in: fn(usize) -> bool) -> impl Iterator<Item = Value> {
    (0..count).map(move |n| {
        let city = if is_in(n) { "Recife" } else { "Natal" };
        json!({ "document": document(n), "city": city })
    })
}

/// Makes a segment of this type, and resolves it.
fn resolve(client: &Client, audience: &str, count: usize, of_type: &str) {
    fill(
        client,
        "/customers",
        "before",
        in_cities(count, is_in_before),
    );
    let condition =
        json!({ "kind": "property", "field": "city", "operator": "equals", "value": "Recife" });
    let conditions = json!({
        "groups": [{ "conditions": [condition] }], "audience_type": { "type": of_type },
    });
    let define = client.request("PUT", &format!("/audiences/{audience}/segment"));
    created(client.send(&define.json(&conditions)));
    until("the first refresh", || {
        all_told(client).filter(|all| !all.is_empty())
    });
}

/// Whether a customer is a member of the segment as it is first.
const fn is_in_before(n: usize) -> bool {
    !n.is_multiple_of(3)
}

/// Whether it is one after the refresh.
const fn is_in_after(n: usize) -> bool {
    n.is_multiple_of(2)
}

fn recycling() -> Value {
    let condition =
        json!({ "kind": "property", "field": "name", "operator": "equals", "value": "goes" });
    json!({ "rules": { "where": [{ "conditions": [condition] }], "opted_out": false } })
}

fn created(answer: Option<Answer>) -> Value {
    let (status, body) = answer.unwrap();
    assert!((200..300).contains(&status), "{status} {body}");
    body
}

impl Prepared {
    pub fn new(scenario: Scenario, contacts: usize) -> Self {
        let dir = TempDir::new().unwrap();
        let server = Server::start(dir.path(), None).unwrap();
        let client = server.client();
        let audience = created(client.post("/audiences", "a", &json!({ "name": "Crash" })));
        let audience = audience["id"].as_str().unwrap().to_owned();
        match scenario {
            Scenario::Live => resolve(&client, &audience, contacts, "live"),
            Scenario::Refresh => {
                resolve(&client, &audience, contacts, "static");
                let after = in_cities(contacts, is_in_after);
                fill(&client, "/customers", "after", after);
            }
            _ => {
                let path = format!("/audiences/{audience}/contacts");
                fill(&client, &path, "b", (0..contacts).map(contact));
            }
        }
        // Half of the file is there already.
        let rows =
            (contacts / 2..contacts + contacts / 2).map(|n| format!("{},file\n", document(n)));
        let file: String = ["document,name\n".to_owned()]
            .into_iter()
            .chain(rows)
            .collect();
        let upload = client.request("POST", "/uploads").body("text/csv", file);
        let upload = created(client.send(&upload));
        let page = format!("/audiences/{audience}/contacts?limit=1");
        let page = client.get(&page).unwrap();
        let mut prepared = Self {
            dir,
            first: page["data"][0]["contact_id"].as_str().unwrap().to_owned(),
            scenario,
            contacts,
            upload: upload["id"].as_str().unwrap().to_owned(),
            audience,
            recycle: String::new(),
            ended: 0,
        };
        if scenario == Scenario::Undo {
            let path = format!("/audiences/{}/recycle", prepared.audience);
            created(client.post(&path, "c", &recycling()));
            let ended = until("the recycling", || all_told(&client));
            prepared.recycle = ended[0]["id"].as_str().unwrap().to_owned();
        }
        if matches!(
            scenario,
            Scenario::Undo | Scenario::Refresh | Scenario::Live
        ) {
            prepared.ended = 1;
        }
        drop(server);
        prepared
    }

    /// A copy of the data directory.
    pub fn copy(&self) -> TempDir {
        let copy = TempDir::new().unwrap();
        copy_dir(self.dir.path(), copy.path());
        copy
    }

    /// Sends the request.
    pub fn request(&self, client: &Client) -> Option<Answer> {
        let audience = &self.audience;
        let removing = || {
            let path = format!("/audiences/{audience}/contacts/{}", self.first);
            let (status, body) = client.send(&client.request("DELETE", &path))?;
            // It takes no key: asked again, it may find that the contact is gone.
            Some((if status == 404 { 204 } else { status }, body))
        };
        let file = json!({ "upload_id": self.upload });
        let (path, body) = match self.scenario {
            Scenario::Create => {
                let data: Vec<Value> = (0..self.contacts).map(contact).collect();
                let body = json!({ "name": "Made", "data": data });
                ("/audiences".to_owned(), body)
            }
            Scenario::Add => {
                let data: Vec<Value> = self.new_contacts().map(contact).collect();
                (
                    format!("/audiences/{audience}/contacts"),
                    json!({ "data": data }),
                )
            }
            Scenario::Recycle => (format!("/audiences/{audience}/recycle"), recycling()),
            Scenario::RecycleToNew => {
                let mut body = recycling();
                body["target"] = json!({ "type": "new", "name": "Made" });
                (format!("/audiences/{audience}/recycle"), body)
            }
            Scenario::UploadNew => {
                let body = json!({ "name": "Made", "upload_id": self.upload });
                ("/audiences".to_owned(), body)
            }
            Scenario::UploadInto => (format!("/audiences/{audience}/uploads"), file),
            Scenario::Clear => (format!("/audiences/{audience}/clear"), json!({})),
            Scenario::Undo => (format!("/operations/{}/undo", self.recycle), json!({})),
            Scenario::Refresh => (format!("/audiences/{audience}/refresh"), json!({})),
            Scenario::Live => {
                let data: Vec<Value> = in_cities(self.contacts, is_in_after).collect();
                ("/customers".to_owned(), json!({ "data": data }))
            }
            Scenario::Derive => {
                let from = json!({ "union": [audience] });
                (
                    "/audiences".to_owned(),
                    json!({ "name": "Made", "from": from }),
                )
            }
            Scenario::RemoveOne => return removing(),
        };
        client.post(&path, "the-request", &body)
    }

    /// Contacts that are new with the request or the file.
    fn new_contacts(&self) -> std::ops::Range<usize> {
        self.contacts..self.contacts + self.contacts / 2
    }

    /// Members before and after, by audience name.
    pub fn members(&self, after: bool) -> Vec<(&'static str, Vec<String>)> {
        let all = 0..self.contacts;
        let stay = || {
            all.clone()
                .filter(|n| !n.is_multiple_of(3))
                .map(document)
                .collect()
        };
        let mut expected: Vec<(&'static str, Vec<String>)> = Vec::new();
        let (mut own, mut made): (Vec<String>, Option<Vec<String>>) =
            (all.clone().map(document).collect(), None);
        match (self.scenario, after) {
            (Scenario::Undo, false) | (Scenario::Recycle, true) => own = stay(),
            (Scenario::Add | Scenario::UploadInto, true) => {
                own.extend(self.new_contacts().map(document))
            }
            (Scenario::Clear, true) => own.clear(),
            (Scenario::Refresh | Scenario::Live, after) => {
                let is_in = if after { is_in_after } else { is_in_before };
                own = all.clone().filter(|n| is_in(*n)).map(document).collect();
            }
            (Scenario::RemoveOne, true) => drop(own.remove(0)),
            (Scenario::Create | Scenario::Derive, true) => {
                made = Some(all.clone().map(document).collect())
            }
            (Scenario::RecycleToNew, true) => made = Some(stay()),
            (Scenario::UploadNew, true) => {
                made = Some(
                    (self.contacts / 2..self.new_contacts().end)
                        .map(document)
                        .collect(),
                );
            }
            _ => {}
        }
        expected.push(("Crash", own));
        expected.extend(made.map(|made| ("Made", made)));
        expected
    }

    /// Counts that a reader may see, by audience name: those before and those after.
    fn may_see(&self, counts: &[(String, i64)]) -> bool {
        let fits = |after: bool| {
            let expected = self.members(after);
            let same =
                |((name, count), (expected, members)): (&(String, i64), &(&str, Vec<String>))| {
                    name == expected && *count == members.len() as i64
                };
            counts.len() == expected.len() && counts.iter().zip(&expected).all(same)
        };
        fits(false) || fits(true)
    }

    /// Watches what readers see until `stop`. Writes into an existing audience show part by part.
    pub fn watch(&self, client: &Client, stop: &AtomicBool) -> usize {
        let in_parts = matches!(
            self.scenario,
            Scenario::Add | Scenario::UploadInto | Scenario::Live
        );
        let mut looks = 0;
        while !stop.load(Ordering::Relaxed) {
            let Some(counts) = counts(client) else { break };
            assert!(in_parts || self.may_see(&counts), "a reader saw {counts:?}");
            looks += 1;
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        looks
    }

    /// Whether nothing of the request goes on any more. The members of a live audience follow what was asked.
    pub fn is_done(&self, client: &Client) -> bool {
        let follows = || {
            let audience = client.get(&format!("/audiences/{}", self.audience))?;
            let members = self.members(true);
            let expected = members.first().map(|(_, members)| members.len() as i64);
            (audience["contacts"].as_i64() == expected).then_some(())
        };
        let live = self.scenario == Scenario::Live;
        all_told(client).is_some() && (!live || follows().is_some())
    }

    /// Everything has ended as if nothing had happened on the way.
    pub fn check(&self, client: &Client) {
        until("the members", || self.is_done(client).then_some(()));
        if self.scenario == Scenario::Live {
            let path = format!("/audiences/{}/refresh", self.audience);
            created(client.post(&path, "after-all", &json!({})));
        }
        let operations = until("the operations", || all_told(client));
        let mut expected = self.ended;
        let at_once = [
            Scenario::Create,
            Scenario::Add,
            Scenario::RemoveOne,
            Scenario::Undo,
        ];
        expected += usize::from(!at_once.contains(&self.scenario));
        assert_eq!(operations.len(), expected, "{operations:?}");
        for operation in &operations {
            assert_eq!(operation["state"], "succeeded", "{operation}");
        }
        self.check_report(&operations);
        for (name, members) in self.members(true) {
            let audiences = client.get("/audiences").unwrap();
            let found = audiences["data"]
                .as_array()
                .unwrap()
                .iter()
                .find(|a| a["name"] == name)
                .cloned();
            let audience = found.unwrap_or_else(|| panic!("no audience {name}"));
            let walked = client.walk(audience["id"].as_str().unwrap());
            assert_eq!(walked.len() as i64, audience["contacts"], "count of {name}");
            assert!(
                walked == members,
                "{} members of {name}, expected {}",
                walked.len(),
                members.len()
            );
        }
    }

    fn check_report(&self, operations: &[Value]) {
        let third = (0..self.contacts).filter(|n| n.is_multiple_of(3)).count();
        let (rows, half) = (
            self.contacts / 2 + self.contacts - self.contacts / 2,
            self.contacts / 2,
        );
        let old = rows - half;
        let expected = match self.scenario {
            Scenario::Recycle | Scenario::RecycleToNew => {
                json!({ "total": self.contacts, "removed": third, "kept": self.contacts - third, "by_reason": { "where": third } })
            }
            Scenario::UploadInto => {
                json!({ "received": rows, "created": half, "updated": old, "unchanged": 0, "superseded": 0, "rejected": 0, "opted_out": 0 })
            }
            Scenario::UploadNew => {
                json!({ "received": rows, "created": rows, "updated": 0, "unchanged": 0, "superseded": 0, "rejected": 0, "opted_out": 0 })
            }
            Scenario::Refresh => {
                let count = |is: fn(usize) -> bool| (0..self.contacts).filter(|n| is(*n)).count();
                json!({
                    "size": count(is_in_after),
                    "entered": count(|n| is_in_after(n) && !is_in_before(n)),
                    "left": count(|n| !is_in_after(n) && is_in_before(n)),
                    "changed": 0,
                    "unsubscribed": 0,
                })
            }
            // What followed the changes has left nothing to a refresh.
            Scenario::Live => {
                let size = (0..self.contacts).filter(|n| is_in_after(*n)).count();
                json!({ "size": size, "entered": 0, "left": 0, "changed": 0, "unsubscribed": 0 })
            }
            Scenario::Derive => {
                json!({ "total": self.contacts, "removed": 0, "kept": self.contacts, "by_reason": {} })
            }
            Scenario::Create
            | Scenario::Add
            | Scenario::RemoveOne
            | Scenario::Clear
            | Scenario::Undo => return,
        };
        assert_eq!(operations[0]["report"], expected, "report");
    }
}

/// Names and counts of the audiences that readers see.
fn counts(client: &Client) -> Option<Vec<(String, i64)>> {
    let list = client.get("/audiences")?;
    let one = |a: &Value| {
        (
            a["name"].as_str().unwrap().to_owned(),
            a["contacts"].as_i64().unwrap(),
        )
    };
    Some(list["data"].as_array().unwrap().iter().map(one).collect())
}

/// The operations, once all have ended and each one was told of, exactly once.
pub fn all_told(client: &Client) -> Option<Vec<Value>> {
    let operations = client.operations()?;
    let ended =
        |o: &Value| ["succeeded", "failed", "cancelled"].contains(&o["state"].as_str().unwrap());
    if !operations.iter().all(ended) {
        return None;
    }
    let told = client.get("/notifications?limit=100")?;
    let told: Vec<String> = told["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["operation_id"].as_str().unwrap().to_owned())
        .collect();
    let once: BTreeSet<&String> = told.iter().collect();
    assert_eq!(once.len(), told.len(), "an end was told twice");
    (told.len() >= operations.len()).then_some(operations)
}

pub fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
