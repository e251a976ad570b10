//! Long work of the server, as a client asks for it.

use std::{
    io::Write,
    path::Path,
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

/// Writes a file of contacts.
pub fn csv(path: &Path, numbers: std::ops::Range<u64>) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
    out.write_all(data::HEADER.as_bytes())?;
    for n in numbers {
        out.write_all(data::row(n).as_bytes())?;
    }
    Ok(out.flush()?)
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

/// Waits until an operation has ended well.
pub fn wait(client: &mut Client, operation: &str) -> anyhow::Result<Value> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let path = format!("/api/v1/operations/{operation}");
        let seen = client.json("GET", &path, &Value::Null)?;
        match seen.get("state").and_then(Value::as_str) {
            Some("succeeded") => return Ok(seen),
            Some("failed" | "cancelled") => bail!("the operation ended as {seen}"),
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    bail!("the operation did not end")
}

/// Recycles by an uploaded list of documents. Answers the operation, and how long it took.
pub fn recycle(
    client: &mut Client,
    audience: &str,
    rules: &Value,
) -> anyhow::Result<(String, Duration)> {
    let started = Instant::now();
    let path = format!("/api/v1/audiences/{audience}/recycle");
    let operation = client.json("POST", &path, &json!({ "rules": rules }))?;
    let id = text(&operation, "id")?;
    wait(client, &id)?;
    Ok((id, started.elapsed()))
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
