//! Acting on operations.

use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    path::Path,
    time::Duration,
};

use anyhow::Context;
use api_types::uploads::{FileInto, UploadJson};
use reqwest::{Method, header::ACCEPT};
use serde_json::json;

use super::{
    Api, Operation, Show, import,
    operation::{follow, watch},
    read, upload,
};
use crate::{
    cli::{ReadingArgs, ResubmitArgs, Wait},
    outcome::Outcome,
};

/// Shows an operation as it stands.
///
/// # Errors
/// When the server refuses.
pub async fn show_one(api: &Api, show: Show, id: &str) -> anyhow::Result<Outcome> {
    let operation = Operation::get(api, id).await?;
    show.result(&operation.raw, || operation.lines());
    Ok(Outcome::Done)
}

/// Asks an operation to stop, and waits so many seconds until it has. To have ended otherwise
/// meanwhile is a failure.
///
/// # Errors
/// When the server refuses.
pub async fn cancel(api: &Api, show: Show, id: &str, wait: u64) -> anyhow::Result<Outcome> {
    let asked = api.post(&["operations", id, "cancel"], &json!({})).await?;
    if wait == 0 {
        show.result(&asked, || vec![format!("{id} asked to stop")]);
        return Ok(Outcome::Done);
    }
    let stopped = watch(api, show, id, Some(Duration::from_secs(wait))).await?;
    let operation = stopped.operation();
    show.result(&operation.raw, || operation.lines());
    Ok(match operation.json.state.as_ref() {
        "cancelled" => Outcome::Done,
        _ => Outcome::Failed,
    })
}

/// Puts an operation that failed or was cancelled back into the queue and follows it.
///
/// # Errors
/// When the server refuses, or goes away.
pub async fn retry(api: &Api, show: Show, id: &str, wait: Wait) -> anyhow::Result<Outcome> {
    let queued = api.start(&["operations", id, "retry"], &json!({})).await?;
    follow(api, show, &queued, wait).await
}

/// Lets an operation go on that waits to be confirmed, and follows it.
///
/// # Errors
/// When the server refuses, or goes away.
pub async fn confirm(api: &Api, show: Show, id: &str, wait: Wait) -> anyhow::Result<Outcome> {
    let path = ["operations", id, "confirm"];
    let queued = api.start(&path, &json!({})).await?;
    follow(api, show, &queued, wait).await
}

/// Takes back what an operation did.
///
/// # Errors
/// When the server refuses.
pub async fn undo(api: &Api, show: Show, id: &str) -> anyhow::Result<Outcome> {
    let undone = api.post(&["operations", id, "undo"], &json!({})).await?;
    let operation = Operation::of(undone)?;
    show.result(&operation.raw, || {
        let mut lines = operation.lines();
        lines.insert(0, format!("{id} undone"));
        lines
    });
    Ok(Outcome::Done)
}

/// Downloads the rejected rows of an operation, as they come, to a file or to standard output.
///
/// # Errors
/// When the server refuses, the connection breaks, or the file cannot be written or is there.
pub async fn rejected(
    api: &Api,
    show: Show,
    id: &str,
    out: Option<&Path>,
) -> anyhow::Result<Outcome> {
    let accepted = if show.is_json() {
        "application/x-ndjson"
    } else {
        "text/csv"
    };
    let request = api.request(Method::GET, &["operations", id, "rejected"])?;
    let mut rows = api.open(request.header(ACCEPT, accepted)).await?;
    let name = out.map_or("standard output".to_owned(), |path| {
        path.display().to_string()
    });
    let mut writer: Box<dyn Write> = match out {
        Some(path) => Box::new(File::create_new(path).with_context(|| name.clone())?),
        None => Box::new(io::stdout().lock()),
    };
    while let Some(bytes) = api.chunk(&mut rows).await? {
        match writer.write_all(bytes.as_ref()) {
            // A reader such as `head` has had enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Outcome::Done),
            written => written.with_context(|| name.clone())?,
        }
    }
    writer.flush().context(name)?;
    Ok(Outcome::Done)
}

/// Brings a mended file of rejected rows into the audience of the operation that rejected them.
///
/// # Errors
/// When the file cannot be read, the server refuses, or goes away.
pub async fn resubmit(api: &Api, show: Show, args: ResubmitArgs) -> anyhow::Result<Outcome> {
    let uploaded = upload(api, show, &args.file, &ReadingArgs::default()).await?;
    let uploaded: UploadJson = read(&uploaded)?;
    let body = FileInto {
        upload_id: uploaded.id,
        mapping: import::mapping(args.maps),
        require_valid_document: args.require_valid_document,
    };
    let path = ["operations", args.id.as_str(), "resubmit"];
    let accepted = api.start(&path, &body).await?;
    follow(api, show, &accepted, args.wait).await
}
