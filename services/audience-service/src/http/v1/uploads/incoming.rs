//! The bytes of a file on their way in: from a form or a bare body, on the connection's thread, to
//! the task that stores them.

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{
    dev::{self, Decompress},
    error::PayloadError,
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName},
    },
    web::Bytes,
};
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use http_kit::Problem;
use ports::files::FileOptions;
use tokio::sync::mpsc;

use super::options::{self, FileParameters, refused};
use crate::upload::Received;

/// Chunks between the connection and the disk.
const IN_FLIGHT: usize = 8;
/// Bytes read on after a file was refused, so that a client that is still sending reads the answer.
const DRAIN: usize = 16 << 20;
/// Longest name of a file in characters.
const MAX_NAME: usize = 255;
/// Longest text field of a form.
const MAX_FIELD: usize = 256;
/// Media types of files that are sent without a form.
const MEDIA_TYPES: [&str; 10] = [
    "text/csv",
    "text/plain",
    "text/tab-separated-values",
    "application/csv",
    "application/vnd.ms-excel",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
];

/// The file cut short by the client.
#[derive(Debug, thiserror::Error)]
#[error("the body ended before the file did")]
pub struct CutShort;

/// The chunks of a file as its receiver sees them.
pub type Chunks = BoxStream<'static, Result<Bytes, CutShort>>;

enum Part {
    Chunk(Bytes),
    End,
}

enum Source {
    Form { field: Box<Field>, rest: Multipart },
    Body(Decompress<dev::Payload>),
}

/// A file whose bytes come next.
pub struct Incoming {
    source: Source,
    file_name: Option<String>,
    content_type: Option<String>,
    length: Option<u64>,
    options: FileOptions,
}

impl Incoming {
    /// Reads up to the first byte of the file.
    ///
    /// # Errors
    /// 400 for an empty or broken body, 415 for another kind of body, 422 for a form without a file.
    pub async fn open(
        headers: &HeaderMap,
        payload: dev::Payload,
        parameters: &FileParameters,
    ) -> Result<Self, Problem> {
        let encoded = check_encoding(headers)?;
        let length = text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok());
        if length == Some(0) {
            return Err(empty());
        }
        let content_type = text(headers, CONTENT_TYPE).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        let options = parameters.options()?;
        let body = Decompress::from_headers(payload, headers);
        let length = length.filter(|_| !encoded);
        if essence == "multipart/form-data" {
            return Self::form(Multipart::new(headers, body), length, options).await;
        }
        if !MEDIA_TYPES.contains(&essence.as_str()) {
            let detail =
                "send a form (multipart/form-data) with a file, or a CSV, NDJSON or XLSX file";
            return Err(Problem::unsupported_media_type(detail));
        }
        Ok(Self {
            source: Source::Body(body),
            file_name: parameters.file_name.as_deref().and_then(file_name),
            content_type: Some(essence),
            length,
            options,
        })
    }

    async fn form(
        mut form: Multipart,
        length: Option<u64>,
        mut options: FileOptions,
    ) -> Result<Self, Problem> {
        while let Some(field) = form.next().await {
            let mut field = field.map_err(|error| broken_form(&error))?;
            match field.name().unwrap_or_default() {
                "file" => {
                    let named = field.content_disposition().and_then(|d| d.get_filename());
                    return Ok(Self {
                        file_name: named.and_then(file_name),
                        content_type: field.content_type().map(|t| t.essence_str().to_owned()),
                        source: Source::Form {
                            field: Box::new(field),
                            rest: form,
                        },
                        length,
                        options,
                    });
                }
                name => {
                    let name = name.to_owned();
                    let given = field_text(&mut field, &name).await?;
                    options::set(&mut options, &name, &given)?;
                }
            }
        }
        Err(refused("/file", "required", "the form has no field `file`"))
    }

    /// The end that stays with the connection, and the one that goes to the disk.
    pub fn split(self) -> (Pump, Received<Chunks>) {
        let (sender, receiver) = mpsc::channel(IN_FLIGHT);
        let received = Received {
            chunks: chunks(receiver),
            file_name: self.file_name,
            content_type: self.content_type,
            length: self.length,
            options: self.options,
        };
        let pump = Pump {
            source: self.source,
            sender,
        };
        (pump, received)
    }
}

/// A closed channel is no end: the client may be gone.
fn chunks(receiver: mpsc::Receiver<Part>) -> Chunks {
    let next = |receiver: Option<mpsc::Receiver<Part>>| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Part::Chunk(bytes)) => Some((Ok(bytes), Some(receiver))),
            Some(Part::End) => None,
            None => Some((Err(CutShort), None)),
        }
    };
    stream::unfold(Some(receiver), next).boxed()
}

/// Moves a file from its connection to the task that stores it.
pub struct Pump {
    source: Source,
    sender: mpsc::Sender<Part>,
}

impl Pump {
    /// Runs until the file ends, or is wanted no more.
    ///
    /// # Errors
    /// 400 where the body ends early or is empty, 422 for what follows the file in a form.
    pub async fn run(self) -> Result<(), Problem> {
        let Self { source, sender } = self;
        match source {
            Source::Body(mut body) => {
                let cut = |_: PayloadError| cut_short();
                match forward(&mut body, &sender, cut).await? {
                    Forwarded::All(0) => return Err(empty()),
                    Forwarded::All(_) => {}
                    Forwarded::Refused => {
                        drain(&mut body).await;
                        return Ok(());
                    }
                }
            }
            Source::Form {
                mut field,
                mut rest,
            } => {
                let broken = |error: MultipartError| broken_form(&error);
                if let Forwarded::Refused = forward(&mut field, &sender, broken).await? {
                    drain(&mut field).await;
                    return Ok(());
                }
                drop(field);
                if let Some(more) = rest.next().await {
                    let more = more.map_err(|error| broken_form(&error))?;
                    return Err(match more.name().unwrap_or_default() {
                        "file" => refused("/file", "duplicate_field", "send one file at a time"),
                        name => {
                            let pointer = format!("/{name}");
                            refused(&pointer, "misplaced_field", "the file is the last field")
                        }
                    });
                }
            }
        }
        // The receiver is gone only when it has an answer already.
        let _ = sender.send(Part::End).await;
        Ok(())
    }
}

enum Forwarded {
    /// So many bytes, up to the end.
    All(usize),
    /// The receiver wants no more.
    Refused,
}

async fn forward<E>(
    source: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    sender: &mpsc::Sender<Part>,
    problem: impl Fn(E) -> Problem,
) -> Result<Forwarded, Problem> {
    let mut bytes = 0;
    while let Some(chunk) = source.next().await {
        let chunk = chunk.map_err(&problem)?;
        bytes += chunk.len();
        if sender.send(Part::Chunk(chunk)).await.is_err() {
            return Ok(Forwarded::Refused);
        }
    }
    Ok(Forwarded::All(bytes))
}

async fn drain<E>(source: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin)) {
    let mut left = DRAIN;
    while let Some(Ok(chunk)) = source.next().await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => break,
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether the body is packed.
fn check_encoding(headers: &HeaderMap) -> Result<bool, Problem> {
    let encoding = text(headers, CONTENT_ENCODING).map(str::to_ascii_lowercase);
    match encoding.as_deref() {
        None | Some("identity") => Ok(false),
        Some("gzip" | "deflate") => Ok(true),
        Some(_) => {
            let detail = "the content encoding must be gzip, deflate or identity";
            Err(Problem::unsupported_media_type(detail))
        }
    }
}

/// The last part of a path, as some clients send one, without control characters.
fn file_name(given: &str) -> Option<String> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME)
        .collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The text of a short field.
async fn field_text(field: &mut Field, name: &str) -> Result<String, Problem> {
    let pointer = format!("/{name}");
    let wrong = |detail| refused(&pointer, "invalid_value", detail);
    let read = field.bytes(MAX_FIELD).await;
    let read = read.map_err(|_| wrong("the field is too long"))?;
    let read = read.map_err(|error| broken_form(&error))?;
    String::from_utf8(read.to_vec()).map_err(|_| wrong("the field is not UTF-8 text"))
}

fn empty() -> Problem {
    Problem::bad_request("empty_body", "the body is empty")
}

fn cut_short() -> Problem {
    Problem::bad_request("body_incomplete", CutShort.to_string())
}

fn broken_form(error: &MultipartError) -> Problem {
    match error {
        MultipartError::Payload(_) | MultipartError::Incomplete => cut_short(),
        _ => Problem::new(StatusCode::BAD_REQUEST, "malformed_form").with_detail(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_paths() {
        for (given, name) in [
            ("base.csv", Some("base.csv")),
            ("C:\\dados\\base.csv", Some("base.csv")),
            ("../../etc/passwd", Some("passwd")),
            ("a\u{0}\nb", Some("ab")),
            ("x/", None),
            (" ", None),
        ] {
            assert_eq!(file_name(given).as_deref(), name, "{given:?}");
        }
        assert_eq!(
            file_name(&"é".repeat(300)).unwrap().chars().count(),
            MAX_NAME
        );
    }

    #[tokio::test]
    async fn a_closed_channel_is_no_end() {
        let (sender, receiver) = mpsc::channel(2);
        sender
            .send(Part::Chunk(Bytes::from_static(b"a")))
            .await
            .unwrap();
        drop(sender);
        let mut cut = chunks(receiver);
        assert_eq!(cut.next().await.unwrap().unwrap(), "a");
        assert!(cut.next().await.unwrap().is_err());
        assert!(cut.next().await.is_none());
        let (sender, receiver) = mpsc::channel(2);
        sender.send(Part::End).await.unwrap();
        assert!(chunks(receiver).next().await.is_none());
    }
}
