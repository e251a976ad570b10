//! Requests, and what the server's refusals mean.

use std::{fmt, time::Duration};

use anyhow::{Context, anyhow, bail};
use reqwest::{
    Client, Method, RequestBuilder, Response, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
};
use serde::Deserialize;
use serde_json::Value;

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

/// An answer that is no error.
#[derive(Debug)]
pub struct Reply {
    /// Its body; null where there is none.
    pub body: Value,
    location: Option<String>,
}

impl Reply {
    /// Id of the operation that was started: the end of `Location`, else the body's.
    pub fn operation_id(&self) -> anyhow::Result<String> {
        let from_location = self
            .location
            .as_deref()
            .and_then(|path| path.rsplit('/').next());
        let in_body = || {
            ["operation_id", "id"]
                .iter()
                .find_map(|name| self.body.get(name)?.as_str())
        };
        let id = from_location.or_else(in_body);
        id.map(ToOwned::to_owned)
            .context("the server's answer names no operation")
    }
}

/// The server said no.
#[derive(Debug, Deserialize)]
pub struct Refused {
    status: u16,
    /// Stable code in snake_case.
    #[serde(default)]
    pub code: String,
    title: Option<String>,
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<Place>,
    trace_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Place {
    pointer: String,
    detail: String,
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self
            .detail
            .as_deref()
            .or(self.title.as_deref())
            .unwrap_or("no reason given");
        write!(
            f,
            "the server refused ({} {}): {said}",
            self.status, self.code
        )?;
        for place in &self.errors {
            write!(f, "\n  {}: {}", place.pointer, place.detail)?;
        }
        match (self.status, &self.trace_id) {
            (401, _) => f.write_str("\n  set PLATEIA_API_KEY to a key of the workspace"),
            (500.., Some(id)) => write!(f, "\n  trace id {id}"),
            _ => Ok(()),
        }
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
        Ok(self.send(request).await?.body)
    }

    /// `POST` of a JSON body.
    pub async fn post(&self, path: &[&str], body: &Value) -> anyhow::Result<Reply> {
        self.send(self.request(Method::POST, path)?.json(body))
            .await
    }

    /// Every item of a list, page by page.
    pub async fn all(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut asked = query.to_vec();
            asked.push(("limit", "1000"));
            asked.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut page = self.get(path, &asked).await?;
            match page.get_mut("data").map(Value::take) {
                Some(Value::Array(data)) => items.extend(data),
                _ => bail!("the server's answer is no list"),
            }
            cursor = page
                .get("next_cursor")
                .and_then(Value::as_str)
                .map(ToOwned::to_owned);
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

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Reply> {
        let response = self.open(request).await?;
        let location = header(&response, LOCATION.as_str());
        let is_json = is_json(&response);
        let bytes = self.read(response).await?;
        let body = if is_json {
            serde_json::from_slice(bytes.as_ref())?
        } else {
            Value::Null
        };
        Ok(Reply { body, location })
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
        let body = if is_json(&response) {
            serde_json::from_slice(self.read(response).await?.as_ref())?
        } else {
            Value::Null
        };
        let refused = serde_json::from_value(body).unwrap_or(Refused {
            status: status.as_u16(),
            code: String::new(),
            title: status.canonical_reason().map(ToOwned::to_owned),
            detail: None,
            errors: Vec::new(),
            trace_id: None,
        });
        Err(refused.into())
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
    header(response, CONTENT_TYPE.as_str())
        .is_some_and(|t| t.contains("json") && !t.contains("ndjson"))
}

fn header(response: &Response, name: &str) -> Option<String> {
    response
        .headers()
        .get(name)?
        .to_str()
        .ok()
        .map(ToOwned::to_owned)
}
