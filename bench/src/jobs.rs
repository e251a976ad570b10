//! Long work of the server, as a client asks for it.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::{
    data,
    http::{Client, encode},
    server::Server,
};

/// Longest wait for an operation.
const PATIENCE: Duration = Duration::from_secs(900);
/// Between two looks at an operation: seldom enough to cost the server nothing.
const POLL: Duration = Duration::from_millis(10);

/// A file of contacts.
pub fn csv(numbers: Range<u64>) -> Vec<u8> {
    let mut out = data::HEADER.to_owned();
    numbers.for_each(|n| out.push_str(&data::row(n)));
    out.into_bytes()
}

/// A file of documents.
pub fn documents(documents: impl Iterator<Item = String>) -> Vec<u8> {
    let mut out = "document\n".to_owned();
    documents.for_each(|document| {
        out.push_str(&document);
        out.push('\n');
    });
    out.into_bytes()
}

/// Uploads a file and answers its id.
pub fn upload(client: &mut Client, body: &[u8]) -> anyhow::Result<String> {
    let request = encode("POST", "/api/v1/uploads?file_name=a.csv", "text/csv", body);
    text(&client.send(&request)?.json()?, "id")
}

/// Makes an audience of an uploaded file and waits for it. Answers its id.
pub fn create(client: &mut Client, name: &str, upload: &str) -> anyhow::Result<String> {
    let body = json!({ "name": name, "upload_id": upload });
    let operation = client.json("POST", "/api/v1/audiences", &body)?;
    let ended = wait(client, &text(&operation, "id")?)?;
    text(&ended, "audience_id")
}

/// Makes an audience of some contacts. Answers its id.
pub fn create_of(client: &mut Client, name: &str, items: &[String]) -> anyhow::Result<String> {
    let body = format!(r#"{{"name":"{name}","data":[{}]}}"#, items.join(","));
    let path = "/api/v1/audiences";
    let request = encode("POST", path, "application/json", body.as_bytes());
    text(&client.send(&request)?.json()?, "id")
}

/// Waits until an operation has ended well; answers it.
fn wait(client: &mut Client, operation: &str) -> anyhow::Result<Value> {
    let deadline = Instant::now() + PATIENCE;
    let path = format!("/api/v1/operations/{operation}");
    while Instant::now() < deadline {
        let seen = client.json("GET", &path, &Value::Null)?;
        match seen.get("state").and_then(Value::as_str) {
            Some("succeeded") => return Ok(seen),
            Some("failed" | "cancelled") => bail!("the operation ended as {seen}"),
            _ => std::thread::sleep(POLL),
        }
    }
    bail!("the operation did not end")
}

/// Recycles and waits for the end; answers the operation.
pub fn recycle(client: &mut Client, audience: &str, rules: &Value) -> anyhow::Result<Value> {
    let path = format!("/api/v1/audiences/{audience}/recycle");
    let operation = client.json("POST", &path, &json!({ "rules": rules }))?;
    wait(client, &text(&operation, "id")?)
}

/// Undoes an operation; answers how long it took.
pub fn undo(client: &mut Client, operation: &str) -> anyhow::Result<Duration> {
    let started = Instant::now();
    client.json(
        "POST",
        &format!("/api/v1/operations/{operation}/undo"),
        &Value::Null,
    )?;
    Ok(started.elapsed())
}

/// A connection to a server.
pub fn connect(server: &Server) -> anyhow::Result<Client> {
    Client::connect(server.address)
}

/// A member that is text.
pub fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    let found = value.get(name).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("no {name} in {value}"))?
        .to_owned())
}
