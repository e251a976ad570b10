//! Long work of the server, as a client asks for it.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use api_types::{
    audiences::{CreatedJson, NewAudience},
    operations::OperationJson,
    recycle::{RecycleBody, RulesBody},
    uploads::UploadJson,
};

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
    let upload: UploadJson = client.send(&request)?.json()?;
    Ok(upload.id)
}

/// Makes an audience of an uploaded file and waits for it. Answers its id.
pub fn create(client: &mut Client, name: &str, upload: &str) -> anyhow::Result<String> {
    let body = NewAudience {
        name: name.to_owned(),
        upload_id: Some(upload.to_owned()),
        ..NewAudience::default()
    };
    let operation: OperationJson = client.post("/api/v1/audiences", &body)?;
    let ended = wait(client, &operation.id)?;
    ended.audience_id.context("the operation made no audience")
}

/// Makes an audience of some contacts. Answers its id.
pub fn create_of(client: &mut Client, name: &str, items: &[String]) -> anyhow::Result<String> {
    let body = format!(r#"{{"name":"{name}","data":[{}]}}"#, items.join(","));
    let path = "/api/v1/audiences";
    let request = encode("POST", path, "application/json", body.as_bytes());
    let made: CreatedJson = client.send(&request)?.json()?;
    Ok(made.audience.id)
}

/// Waits until an operation has ended well; answers it.
pub fn wait(client: &mut Client, operation: &str) -> anyhow::Result<OperationJson> {
    let deadline = Instant::now() + PATIENCE;
    let path = format!("/api/v1/operations/{operation}");
    while Instant::now() < deadline {
        let seen: OperationJson = client.get(&path)?;
        match seen.state.as_ref() {
            "succeeded" => return Ok(seen),
            _ if seen.has_ended() => bail!("the operation ended as {seen:?}"),
            _ => std::thread::sleep(POLL),
        }
    }
    bail!("the operation did not end")
}

/// A recycling by the documents of an uploaded file.
pub fn by_upload(upload: String) -> RecycleBody {
    RecycleBody::from(RulesBody {
        upload_id: Some(upload),
        ..RulesBody::default()
    })
}

/// A recycling by documents.
pub fn by_documents(documents: Vec<String>) -> RecycleBody {
    RecycleBody::from(RulesBody {
        documents,
        ..RulesBody::default()
    })
}

/// Recycles and waits for the end; answers the operation.
pub fn recycle(
    client: &mut Client,
    audience: &str,
    body: &RecycleBody,
) -> anyhow::Result<OperationJson> {
    let path = format!("/api/v1/audiences/{audience}/recycle");
    let operation: OperationJson = client.post(&path, body)?;
    wait(client, &operation.id)
}

/// Undoes an operation; answers how long it took.
pub fn undo(client: &mut Client, operation: &str) -> anyhow::Result<Duration> {
    let path = format!("/api/v1/operations/{operation}/undo");
    let request = encode("POST", &path, "application/json", b"");
    let started = Instant::now();
    let answer = client.send(&request)?;
    let taken = started.elapsed();
    answer.json::<OperationJson>()?;
    Ok(taken)
}

/// A connection to a server.
pub fn connect(server: &Server) -> anyhow::Result<Client> {
    Client::connect(server.address)
}
