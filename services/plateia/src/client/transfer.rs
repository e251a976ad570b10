//! Sending a file.

use std::path::Path;

use anyhow::Context;
use futures::TryStreamExt;
use reqwest::{
    Body, Method,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use serde_json::Value;
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::{Api, Show};
use crate::cli::ReadingArgs;

/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;

/// Sends a file to be worked later and answers the upload as it came, with what was recognised in it.
///
/// # Errors
/// When the file cannot be read or the server refuses it.
pub async fn upload(
    api: &Api,
    show: Show,
    path: &Path,
    reading: &ReadingArgs,
) -> anyhow::Result<Value> {
    let named = || path.display().to_string();
    let file = File::open(path).await.with_context(named)?;
    let meta = file.metadata().await.with_context(named)?;
    anyhow::ensure!(meta.is_file(), "{} is not a file", path.display());
    let bar = show.bytes(meta.len());
    let counted = bar.clone();
    let chunks = ReaderStream::with_capacity(file, CHUNK)
        .inspect_ok(move |chunk| counted.inc(chunk.len() as u64));
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut request = api
        .request(Method::POST, &["uploads"])?
        .query(&[("file_name", file_name.as_ref())])
        .header(CONTENT_TYPE, content_type(path))
        .header(CONTENT_LENGTH, meta.len())
        .body(Body::wrap_stream(chunks));
    let said = [
        ("delimiter", reading.delimiter.map(String::from)),
        ("encoding", reading.encoding.clone()),
        ("header", reading.header.clone()),
        ("sheet", reading.sheet.clone()),
    ];
    for (name, value) in said {
        if let Some(value) = value {
            request = request.query(&[(name, value)]);
        }
    }
    let sent = api.send(request).await;
    bar.finish_and_clear();
    sent
}

fn content_type(path: &Path) -> &'static str {
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    match extension.as_str() {
        "ndjson" | "jsonl" => "application/x-ndjson",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "csv" | "tsv" | "txt" => "text/csv",
        _ => "application/octet-stream",
    }
}
