//! The HTTP client of tests and rigs: a connection for each request, and whole answers only.

use std::{
    net::SocketAddr,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use reqwest::{
    Method, Url,
    header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::timeout;

use crate::{events::Events, openapi::assert_declared, raw};

/// Longest time that one answer or event may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    // Whoever was first has installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .http1_only()
        .pool_max_idle_per_host(0)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .tls_certs_only([]);
    builder.build().expect("a client")
});

/// A request, which can be sent several times.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A request without a body.
    ///
    /// # Panics
    /// When the method is none.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.parse().expect("a method"),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Sets a header; an empty value takes it away.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        if !value.is_empty() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Adds a header beside those of the same name.
    #[must_use]
    pub fn and_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body and its media type.
    #[must_use]
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", media_type)
    }

    /// Sets a JSON body; null is an empty one.
    ///
    /// # Panics
    /// When it has no JSON.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        let text = match serde_json::to_value(body).expect("JSON") {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        self.body("application/json", text)
    }

    fn build(&self, address: SocketAddr) -> reqwest::RequestBuilder {
        let url = format!("http://{address}{}", self.path);
        let url: Url = url.parse().expect("a path");
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().expect("a name of a header");
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value of a header");
            headers.append(name, value);
        }
        let declared = headers.get(CONTENT_LENGTH).cloned();
        let builder = HTTP.request(self.method.clone(), url).headers(headers);
        let length = self.body.len().to_string();
        match declared {
            // The rest of what is declared never comes.
            Some(declared) if declared != *length => {
                let begun = futures::stream::iter([Ok::<_, std::io::Error>(self.body.clone())]);
                builder.body(reqwest::Body::wrap_stream(
                    begun.chain(futures::stream::pending()),
                ))
            }
            _ if self.body.is_empty() => builder,
            _ => builder.body(self.body.clone()),
        }
    }

    /// Sends it on a connection of its own and reads the answer.
    ///
    /// # Errors
    /// When no whole answer comes within `patience`.
    pub async fn send(&self, address: SocketAddr, patience: Duration) -> reqwest::Result<Reply> {
        let builder = self.build(address).header("Connection", "close");
        let response = builder.timeout(patience).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply::new(status, headers, response.bytes().await?.into()))
    }

    /// Sends the first `share` (of 256) of its bytes, waits, and closes the connection without reading an
    /// answer.
    pub async fn abandon(&self, address: SocketAddr, share: u8, wait: Duration) {
        raw::abandon(self, address, share, wait).await;
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    headers: HeaderMap,
    pub bytes: Vec<u8>,
    /// The body as text.
    pub text: String,
    /// The body as JSON, null if it is none.
    pub body: Value,
}

impl Reply {
    fn new(status: u16, headers: HeaderMap, bytes: Vec<u8>) -> Self {
        Self {
            status,
            headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            bytes,
        }
    }

    /// A header; empty where there is none, or no text.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// A member of the JSON object that is text.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn member(&self, name: &str) -> String {
        text(&self.body, name)
    }

    /// The JSON, when the status is the one expected.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body.clone()
    }

    /// The JSON as it is read, when the status is the one expected.
    ///
    /// # Panics
    /// When it is another, or the body is none of this kind.
    #[track_caller]
    pub fn read<T: DeserializeOwned>(&self, status: u16) -> T {
        assert_eq!(self.status, status, "{}", self.text);
        let read = serde_json::from_slice(&self.bytes);
        read.unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The first place that a problem document of this status and code names.
    ///
    /// # Panics
    /// When it is no such problem document.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> &str {
        let (problem, text) = (&self.body, &self.text);
        let seen = (self.status, problem["code"].as_str());
        assert_eq!(seen, (status, Some(code)), "{text}");
        let media_type = self.header("content-type");
        assert_eq!(media_type, "application/problem+json", "{text}");
        assert_eq!(problem["status"], status, "{text}");
        assert!(problem["trace_id"].is_string(), "{text}");
        problem["errors"][0]["pointer"].as_str().unwrap_or_default()
    }
}

/// A member of a JSON object that is text.
///
/// # Panics
/// When there is none.
#[track_caller]
pub fn text(value: &Value, name: &str) -> String {
    let text = value[name].as_str();
    text.unwrap_or_else(|| panic!("no {name} in {value}"))
        .to_owned()
}

/// Replicas of one service, which take turns, and what every request to them carries.
pub struct Client {
    /// Where the replicas listen.
    pub addresses: Vec<SocketAddr>,
    headers: Vec<(String, String)>,
    document: Option<&'static Value>,
    next: AtomicUsize,
}

impl Client {
    /// A client of replicas.
    ///
    /// # Panics
    /// When there are none.
    pub fn new(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        let addresses: Vec<_> = addresses.into_iter().collect();
        assert!(!addresses.is_empty(), "no replica");
        Self {
            addresses,
            headers: Vec::new(),
            document: None,
            next: AtomicUsize::new(0),
        }
    }

    /// Sends a header with each request that does not set it.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asserts that an OpenAPI document declares each answer.
    #[must_use]
    pub const fn described_by(mut self, document: &'static Value) -> Self {
        self.document = Some(document);
        self
    }

    /// The next replica.
    pub fn address(&self) -> SocketAddr {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.addresses[turn % self.addresses.len()]
    }

    /// A request to the next replica.
    ///
    /// # Panics
    /// When the method is none.
    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        let mut request = Request::new(method, path);
        request.headers.clone_from(&self.headers);
        Call {
            client: self,
            request,
        }
    }

    /// # Panics
    /// As [`Call::send`].
    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    /// Posts JSON.
    ///
    /// # Panics
    /// As [`Call::send`].
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path).json(&body).send().await
    }

    /// Sends a DELETE with a JSON body.
    ///
    /// # Panics
    /// As [`Call::send`].
    pub async fn delete(&self, path: &str, body: Value) -> Reply {
        self.call("DELETE", path).json(&body).send().await
    }
}

/// A request that is being put together.
pub struct Call<'a> {
    client: &'a Client,
    request: Request,
}

impl Call<'_> {
    fn map(self, change: impl FnOnce(Request) -> Request) -> Self {
        Self {
            request: change(self.request),
            ..self
        }
    }

    /// Sets a header; an empty value takes it away.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.map(|request| request.header(name, value))
    }

    /// Adds a header beside those of the same name.
    #[must_use]
    pub fn and_header(self, name: &str, value: &str) -> Self {
        self.map(|request| request.and_header(name, value))
    }

    #[must_use]
    pub fn workspace(self, id: &str) -> Self {
        self.header("workSpaceId", id)
    }

    /// Sets the body and its media type.
    #[must_use]
    pub fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.map(|request| request.body(media_type, body))
    }

    /// Sets a body that is declared as JSON.
    #[must_use]
    pub fn text(self, body: &str) -> Self {
        self.body("application/json", body)
    }

    /// Sets a JSON body; null is an empty one.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        self.map(|request| request.json(body))
    }

    /// The answer.
    ///
    /// # Panics
    /// When no whole one comes, or when the OpenAPI document does not declare it.
    pub async fn send(self) -> Reply {
        let Self { client, request } = self;
        let sent = request.send(client.address(), PATIENCE).await;
        let (method, path) = (request.method.as_str(), &request.path);
        let reply = sent.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        if let Some(document) = client.document {
            let media_type = reply.header("content-type");
            assert_declared(document, method, path, reply.status, media_type);
        }
        reply
    }

    /// The events of a stream.
    ///
    /// # Panics
    /// When it does not begin.
    pub async fn follow(self) -> Events {
        let builder = self.request.build(self.client.address());
        let sent = timeout(PATIENCE, builder.send()).await.expect("an answer");
        let response = sent.expect("an answer");
        assert_eq!(response.status(), 200, "{}", self.request.path);
        Events::of(response)
    }
}
