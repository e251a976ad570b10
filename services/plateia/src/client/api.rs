//! Requests, and what the server's refusals mean.

use std::{fmt, time::Duration};

use anyhow::{Context, anyhow};
use api_types::{List, ProblemBody, operations::OperationJson};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::cli::Connection;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest silence of the server: it inspects a large upload before it answers.
const READ_TIMEOUT: Duration = Duration::from_secs(300);

/// The HTTP API of a server, as one caller.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    base: Url,
}

/// An answer, or a part of one, as it is read.
///
/// # Errors
/// When it is none of this kind.
pub fn read<T: DeserializeOwned>(answer: &Value) -> anyhow::Result<T> {
    T::deserialize(answer).context("the server's answer is not as expected")
}

/// The server said no.
#[derive(Debug)]
pub struct Refused(ProblemBody);

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProblemBody {
            status,
            code,
            detail,
            errors,
            trace_id,
            ..
        } = &self.0;
        write!(f, "the server refused ({status} {code}): {detail}")?;
        for place in errors {
            write!(f, "\n  {}: {}", place.pointer, place.detail)?;
        }
        match status {
            401 => f.write_str("\n  set PLATEIA_API_KEY to a key of the workspace"),
            500.. if !trace_id.is_empty() => write!(f, "\n  trace id {trace_id}"),
            _ => Ok(()),
        }
    }
}

impl Refused {
    /// What a server or proxy said, if need be with its status alone.
    fn new(status: StatusCode, said: &[u8]) -> Self {
        let problem = serde_json::from_slice(said).unwrap_or_else(|_| ProblemBody {
            kind: "about:blank".into(),
            title: String::new(),
            status: status.as_u16(),
            detail: status
                .canonical_reason()
                .unwrap_or("no reason given")
                .to_owned(),
            instance: None,
            code: "".into(),
            errors: Vec::new(),
            trace_id: String::new(),
            extra: Map::new(),
        });
        Self(problem)
    }
}

impl Api {
    /// A client of the server that the command line names.
    pub fn new(connection: &Connection) -> anyhow::Result<Self> {
        let base = Url::parse(&connection.server)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let base = base.with_context(|| {
            format!(
                "--server {:?} must be an http or https URL",
                connection.server
            )
        })?;
        let mut headers = HeaderMap::new();
        let secret = |text: &str| {
            let mut value = HeaderValue::from_str(text)?;
            value.set_sensitive(true);
            Ok::<_, anyhow::Error>(value)
        };
        match &connection.api_key {
            Some(key) => {
                let bearer = secret(&format!("Bearer {key}")).context("the API key")?;
                headers.insert("authorization", bearer);
            }
            None => {
                let workspace =
                    HeaderValue::from_str(&connection.workspace).context("--workspace")?;
                headers.insert("workspaceid", workspace);
                headers.insert("userid", HeaderValue::from_static("cli"));
            }
        }
        Self::with_headers(base, headers)
    }

    /// A client of a server on this machine, as a user of a workspace.
    pub fn local(base: &str, headers: HeaderMap) -> anyhow::Result<Self> {
        Self::with_headers(Url::parse(base)?, headers)
    }

    fn with_headers(base: Url, headers: HeaderMap) -> anyhow::Result<Self> {
        let http = Client::builder()
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build()?;
        Ok(Self { http, base })
    }

    /// `GET` of a path given by its segments.
    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let request = self.request(Method::GET, path)?.query(query);
        self.send(request).await
    }

    /// `POST` of a JSON body.
    pub async fn post(&self, path: &[&str], body: &impl Serialize) -> anyhow::Result<Value> {
        self.send(self.request(Method::POST, path)?.json(body))
            .await
    }

    /// `POST` that starts an operation; answers its id.
    pub async fn start(&self, path: &[&str], body: &impl Serialize) -> anyhow::Result<String> {
        let started: OperationJson = read(&self.post(path, body).await?)?;
        Ok(started.id)
    }

    /// Every item of a list, page by page.
    pub async fn all(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut asked = query.to_vec();
            asked.push(("limit", "1000"));
            asked.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page: List<Value> = read(&self.get(path, &asked).await?)?;
            items.extend(page.data);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(items);
            }
        }
    }

    /// A request to a path below `/api/v1`.
    pub fn request(&self, method: Method, path: &[&str]) -> anyhow::Result<RequestBuilder> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow!("the server's URL can have no path"))?
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(path);
        Ok(self.http.request(method, url))
    }

    /// Sends a request and reads the answer: JSON as it came, null where it is none.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let response = self.open(request).await?;
        let is_json = is_json(&response);
        let bytes = self.read(response).await?;
        if !is_json {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(bytes.as_ref())?)
    }

    /// Sends a request; what comes is read by [`Api::chunk`].
    pub async fn open(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let said = self.read(response).await?;
        Err(Refused::new(status, said.as_ref()).into())
    }

    /// The next part of an answer; none at its end.
    pub async fn chunk(
        &self,
        response: &mut Response,
    ) -> anyhow::Result<Option<impl AsRef<[u8]> + use<>>> {
        let chunk = response.chunk().await;
        chunk.map_err(|error| self.unreachable(error))
    }

    async fn read(&self, response: Response) -> anyhow::Result<impl AsRef<[u8]> + use<>> {
        let bytes = response.bytes().await;
        bytes.map_err(|error| self.unreachable(error))
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        let server = &self.base;
        if error.is_connect() {
            return anyhow!(
                "no server answers at {server}\n  start one with `plateia serve`, or name another with --server"
            );
        }
        anyhow::Error::new(error.without_url()).context(format!("the connection to {server} broke"))
    }
}

fn is_json(response: &Response) -> bool {
    let media_type = response.headers().get(CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    media_type.is_some_and(|t| t.contains("json") && !t.contains("ndjson"))
}
