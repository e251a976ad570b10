//! The client of one project.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use http_client::Timeouts;
use reqwest::{Method, Url};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use crate::{
    answer::{Results, Table},
    api::{Api, Call},
    credentials::Credentials,
    error::{Error, Failed},
    query::Query,
    rows::{Begun, Rows},
    timer::Timer,
    value::Column,
};

/// How a project is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API is.
    pub endpoint: String,
    /// The project that asks, and is billed.
    pub project: String,
    /// Who asks.
    pub credentials: Credentials,
    /// Of one request.
    pub timeouts: Timeouts,
    /// For how long a request other than a query is repeated while BigQuery fails.
    pub retry_for: Duration,
    /// Largest answer in bytes.
    pub largest_answer: usize,
    /// Most rows of a page. BigQuery sends fewer when they are large.
    pub page_rows: u32,
}

impl Settings {
    /// Google's endpoint, which is the default.
    pub const ENDPOINT: &str = "https://bigquery.googleapis.com";

    /// The defaults.
    pub fn new(project: impl Into<String>, credentials: Credentials) -> Self {
        Self {
            endpoint: Self::ENDPOINT.to_owned(),
            project: project.into(),
            credentials,
            timeouts: Timeouts::default(),
            retry_for: Duration::from_mins(2),
            largest_answer: 32 << 20,
            page_rows: 10_000,
        }
    }

    /// The endpoint, if credentials may be sent there.
    fn checked_endpoint(&self) -> Result<Url, Error> {
        let invalid = Error::Settings("endpoint");
        let url = Url::parse(&self.endpoint).map_err(|_| invalid.clone())?;
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_loopback = address.map_or(host == "localhost", |address| address.is_loopback());
        let is_anonymous = matches!(self.credentials, Credentials::Anonymous);
        if is_anonymous && self.endpoint == Self::ENDPOINT {
            return Err(Error::Settings("credentials"));
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_anonymous || is_loopback => Ok(url),
            _ => Err(invalid),
        }
    }
}

/// A client of one project. Clones are the same client.
#[derive(Clone)]
pub struct BigQuery(Arc<Api>);

impl BigQuery {
    /// A client; nothing is sent yet. Needs a Tokio runtime, in which tokens are renewed while the client lives.
    ///
    /// # Errors
    /// When a setting is invalid, or the key of a service account lacks a member.
    pub fn new(settings: &Settings, timer: Arc<dyn Timer>) -> Result<Self, Error> {
        let mut base = settings.checked_endpoint()?;
        if !is_name(&settings.project) {
            return Err(Error::Settings("project"));
        }
        base.path_segments_mut()
            .map_err(|()| Error::Settings("endpoint"))?
            .pop_if_empty()
            .extend(["bigquery", "v2", "projects", &settings.project]);
        let http = http_client::builder(&settings.timeouts).build();
        let api = Api {
            http: http.map_err(|_| Error::Settings("tls"))?,
            base,
            issuer: settings.credentials.issuer()?,
            largest_answer: settings.largest_answer,
            answer_timeout: settings.timeouts.answer,
            longest_poll: (settings.timeouts.idle / 2).min(Duration::from_secs(10)),
            retry_for: settings.retry_for,
            page_rows: settings.page_rows,
            timer,
        };
        Ok(Self(Arc::new(api)))
    }

    /// How many bytes the query would process. It costs nothing.
    ///
    /// # Errors
    /// When the query is invalid or BigQuery fails.
    pub async fn dry_run(&self, query: &Query) -> Result<u64, Error> {
        let call = Call {
            method: Method::POST,
            path: &["queries"],
            query: &[],
            body: Some(query.body([("dryRun", true.into())])),
        };
        let deadline = self.0.timer.now() + self.0.retry_for.min(query.timeout);
        let answer: Results = self.0.call(&call, deadline).await?;
        let bytes = answer.total_bytes_processed;
        bytes.map_or(Err(Error::Malformed("no_bytes")), |bytes| Ok(bytes.0))
    }

    /// Begins the query. Its job is cancelled when this future or the rows are dropped before it has ended.
    ///
    /// # Errors
    /// When the query is invalid, over its limit of bytes or of time, or BigQuery fails.
    pub async fn run(&self, query: &Query) -> Result<Rows, Error> {
        let api = &self.0;
        let deadline = api.timer.now() + query.timeout;
        let limit = query.maximum_bytes_billed;
        // By its number a request that is repeated begins no second job.
        let number = format!("{:032x}", rand::random::<u128>());
        let begun = api.retry(deadline, |left, jobs| {
            let body = query.body([
                ("requestId", format!("{number}-{jobs}").into()),
                ("maxResults", api.page_rows.into()),
                ("timeoutMs", api.poll_millis(left).into()),
                ("jobTimeoutMs", query.timeout.as_millis().to_string().into()),
                (
                    "maximumBytesBilled",
                    limit.map(|bytes| bytes.to_string()).into(),
                ),
                ("formatOptions", json!({ "useInt64Timestamp": true })),
            ]);
            begin(Arc::clone(api), body, limit, deadline)
        });
        begun.await.map_err(|error| error.of_limit(limit))
    }

    /// The result of a query that was run before, from its first row on. It is not billed again.
    pub fn again(&self, begun: &Begun, timeout: Duration) -> Rows {
        let deadline = self.0.timer.now() + timeout;
        Rows::again(Arc::clone(&self.0), begun, deadline)
    }

    /// The columns of a table. `None` when there is no such table, or no such data set.
    ///
    /// # Errors
    /// When the account may not see it, or BigQuery fails.
    pub async fn table(&self, dataset: &str, table: &str) -> Result<Option<Vec<Column>>, Error> {
        if !is_name(dataset) || !is_name(table) {
            return Err(Error::Settings("table"));
        }
        let call = Call {
            method: Method::GET,
            path: &["datasets", dataset, "tables", table],
            query: &[("view", "BASIC".to_owned())],
            body: None,
        };
        let deadline = self.0.timer.now() + self.0.retry_for;
        match self.0.call::<Table>(&call, deadline).await {
            Ok(table) => Ok(Some(
                table.schema.map_or_else(Vec::new, |schema| schema.fields),
            )),
            Err(Error::NotFound {
                what: "table" | "data set",
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A name of BigQuery's that stays one segment of a path.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 1_024 && name != "." && name != ".."
}

/// One request that begins a job, in a task of its own: when nobody waits for the rows any more, they are dropped there,
/// which cancels the job.
async fn begin(
    api: Arc<Api>,
    body: Map<String, Value>,
    limit: Option<u64>,
    deadline: Instant,
) -> Result<Rows, Failed> {
    let (give, rows) = oneshot::channel();
    tokio::spawn(async move {
        let call = Call {
            method: Method::POST,
            path: &["queries"],
            query: &[],
            body: Some(body),
        };
        let answer = api.once(&call, api.left(deadline)).await;
        let rows = answer.and_then(|answer| Ok(Rows::of(api, answer, limit, deadline)?));
        drop(give.send(rows));
    });
    rows.await.unwrap_or_else(|_| Err(Error::Cancelled.into()))
}
