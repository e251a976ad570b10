//! A client of the fake server, and a timer on which no time is lost.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use adapter_bigquery::{BigQuery, Credentials, Param, Query, Settings, Timer};
use serde_json::json;
pub use test_kit::bigquery::{Answer, Fake, KEY, TOKEN, bytes, refusal, running, service_account};

/// How the server is reached.
pub trait Reached {
    fn settings(&self) -> Settings;

    /// A client, and the pauses that it makes.
    fn client(&self) -> (BigQuery, Arc<Pauses>);
}

impl Reached for Fake {
    fn settings(&self) -> Settings {
        Settings {
            endpoint: self.url.clone(),
            ..Settings::new("p", Credentials::Anonymous)
        }
    }

    fn client(&self) -> (BigQuery, Arc<Pauses>) {
        let pauses = Arc::new(Pauses::default());
        let client = BigQuery::new(&self.settings(), Arc::clone(&pauses) as _).unwrap();
        (client, pauses)
    }
}

/// A timer whose pauses are over at once.
pub struct Pauses {
    begun: Instant,
    made: Mutex<Vec<Duration>>,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            made: Mutex::default(),
        }
    }
}

impl Pauses {
    pub fn made(&self) -> Vec<Duration> {
        self.made.lock().unwrap().clone()
    }

    pub fn total(&self) -> Duration {
        self.made().iter().sum()
    }
}

#[async_trait::async_trait]
impl Timer for Pauses {
    fn now(&self) -> Instant {
        self.begun + self.total()
    }

    async fn sleep(&self, time: Duration) {
        self.made.lock().unwrap().push(time);
        tokio::task::yield_now().await;
    }
}

pub fn query() -> Query {
    Query {
        sql: "SELECT id FROM d.t WHERE name = @name".to_owned(),
        params: vec![("name".to_owned(), Param::Text("a-private-value".to_owned()))],
        location: None,
        maximum_bytes_billed: Some(1_000_000),
        timeout: Duration::from_secs(60),
    }
}

/// A page of a result of so many rows, with these numbers.
pub fn page(total: u64, ids: impl IntoIterator<Item = u64>, token: Option<&str>) -> Answer {
    let rows = ids.into_iter().map(|id| vec![json!(id.to_string())]);
    test_kit::bigquery::rows(total, &[("id", "INTEGER")], rows, token)
}
