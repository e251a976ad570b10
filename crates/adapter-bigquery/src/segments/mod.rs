//! The customers of a workspace, in tables of any names and columns.

mod error;
mod mapping;
mod people;
mod results;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::segment::{BigQuerySource, SegmentQuery, SourceCredentials};
use ports::{
    segments::SegmentCounts,
    warehouse::{
        Question, Warehouse, WarehouseColumn, WarehouseError, WarehousePeople, Warehouses,
    },
};
use segment_sql::{GoogleSql, Want, statement};

use crate::{BigQuery, Credentials, Mode, Param, Query, Settings, Timer, Value};
use error::{contradicts, told};
use people::{Origin, People};
use results::{Key, Results};

/// How warehouses are reached.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the API is.
    pub endpoint: String,
    /// Where the machine's metadata server is, when it is not where Google's machines have it.
    pub metadata_endpoint: Option<String>,
    /// Whether the account of the machine may be asked as.
    pub machine_account: bool,
    /// For how long a request other than a running query is repeated while BigQuery fails.
    pub retry_for: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            endpoint: Settings::ENDPOINT.to_owned(),
            metadata_endpoint: None,
            machine_account: true,
            retry_for: Duration::from_secs(30),
        }
    }
}

/// Reaches BigQuery.
pub struct BigQueryWarehouses {
    options: Options,
    timer: Arc<dyn Timer>,
    results: Arc<Results>,
}

impl BigQueryWarehouses {
    /// Reaches it so.
    pub fn new(options: Options, timer: Arc<dyn Timer>) -> Self {
        Self {
            options,
            timer,
            results: Arc::default(),
        }
    }
}

impl Warehouses for BigQueryWarehouses {
    fn open(
        &self,
        source: &BigQuerySource,
        credentials: &SourceCredentials,
    ) -> Result<Arc<dyn Warehouse>, WarehouseError> {
        let credentials = match credentials {
            SourceCredentials::Metadata if !self.options.machine_account => {
                let detail = "this installation does not let workspaces ask as its own account";
                return Err(WarehouseError::Refused {
                    code: "metadata_not_allowed",
                    detail: detail.to_owned(),
                });
            }
            SourceCredentials::Metadata => Credentials::Metadata {
                endpoint: self.options.metadata_endpoint.clone(),
            },
            SourceCredentials::ServiceAccount(key) => {
                Credentials::ServiceAccount(key.reveal().into())
            }
        };
        let settings = Settings {
            endpoint: self.options.endpoint.clone(),
            retry_for: self.options.retry_for,
            ..Settings::new(&source.project, credentials)
        };
        let client = BigQuery::new(&settings, Arc::clone(&self.timer)).map_err(told)?;
        Ok(Arc::new(Tables {
            client,
            source: source.clone(),
            timer: Arc::clone(&self.timer),
            results: Arc::clone(&self.results),
        }))
    }
}

/// The tables of a source.
struct Tables {
    client: BigQuery,
    source: BigQuerySource,
    timer: Arc<dyn Timer>,
    results: Arc<Results>,
}

impl Tables {
    fn timeout(&self) -> Duration {
        Duration::from_secs(self.source.timeout_seconds.into())
    }

    fn query(
        &self,
        query: &SegmentQuery,
        question: Question,
        most: Option<u64>,
    ) -> Result<Query, WarehouseError> {
        let want = match question {
            Question::Counts => Want::Counts,
            Question::People(limit) => {
                Want::Members(limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX)))
            }
        };
        // Days begin where the conditions have them begin.
        let mapping = mapping::of(&self.source, query.predicate.notation.zone.name());
        let asked = statement(query, want, &GoogleSql(&mapping));
        let asked = asked.map_err(|missing| WarehouseError::Missing(missing.0))?;
        let params = asked.params.into_iter().map(param);
        Ok(Query {
            sql: asked.text,
            params: (1..).map(|n| format!("p{n}")).zip(params).collect(),
            location: self.source.location.clone(),
            maximum_bytes_billed: most,
            timeout: self.timeout(),
        })
    }
}

#[async_trait]
impl Warehouse for Tables {
    async fn columns(&self, table: &str) -> Result<Option<Vec<WarehouseColumn>>, WarehouseError> {
        let columns = self.client.table(&self.source.dataset, table).await;
        let column = |column: crate::Column| WarehouseColumn {
            of_type: match column.mode {
                Mode::Repeated => "ARRAY".to_owned(),
                Mode::Nullable | Mode::Required => column.of_type.name().to_owned(),
            },
            name: column.name,
        };
        let columns = columns.map_err(told)?;
        Ok(columns.map(|columns| columns.into_iter().map(column).collect()))
    }

    async fn cost(&self, query: &SegmentQuery, question: Question) -> Result<u64, WarehouseError> {
        let asked = self.query(query, question, None)?;
        let key = Key::of(query, &asked);
        match self.results.find(&key, self.timer.now()) {
            Some(_) => Ok(0),
            None => self.client.dry_run(&asked).await.map_err(told),
        }
    }

    async fn counts(
        &self,
        query: &SegmentQuery,
        most: u64,
    ) -> Result<(SegmentCounts, u64), WarehouseError> {
        let query = self.query(query, Question::Counts, Some(most))?;
        let mut rows = self.client.run(&query).await.map_err(told)?;
        let page = rows.next_page().await.map_err(told)?.unwrap_or_default();
        let text = match page.first().and_then(|row| row.first()) {
            Some(Value::Text(text)) => text.clone(),
            _ => return Err(contradicts("no_counts")),
        };
        let numbers: Result<Vec<i64>, _> = text.split(',').map(str::parse).collect();
        let mut numbers = numbers.map_err(|_| contradicts("no_counts"))?.into_iter();
        let billed = rows.bytes().await.map_err(told)?.billed;
        let counts = SegmentCounts {
            matched: numbers.next().unwrap_or_default(),
            looked_at: numbers.next().unwrap_or_default(),
            by_condition: numbers.collect(),
            bytes: billed,
        };
        Ok((counts, billed))
    }

    async fn people(
        &self,
        query: &SegmentQuery,
        limit: Option<usize>,
        most: u64,
    ) -> Result<Box<dyn WarehousePeople>, WarehouseError> {
        let asked = self.query(query, Question::People(limit), Some(most))?;
        let key = Key::of(query, &asked);
        let found = self.results.find(&key, self.timer.now());
        let (rows, from) = match (found, limit) {
            (Some(begun), _) => (
                self.client.again(&begun, self.timeout()),
                Origin::Result(key),
            ),
            (None, limit) => {
                let rows = self.client.run(&asked).await.map_err(told)?;
                // Parts are asked for once; whoever asks for all compares first, and then fills.
                let from = limit.map_or(Origin::Kept(key), |_| Origin::Query);
                (rows, from)
            }
        };
        Ok(Box::new(People {
            rows,
            from,
            results: Arc::clone(&self.results),
            timer: Arc::clone(&self.timer),
        }))
    }
}

fn param(param: segment_sql::Param) -> Param {
    use segment_sql::Param as Asked;
    match param {
        Asked::Text(text) => Param::Text(text),
        Asked::Texts(texts) => Param::Texts(texts),
        Asked::Int(number) => Param::Int(number),
        Asked::Ints(numbers) => Param::Ints(numbers),
        Asked::Decimal(digits) => Param::BigDecimal(digits),
        Asked::Decimals(digits) => Param::BigDecimals(digits),
        Asked::Instant(at) => Param::Timestamp(at),
        Asked::Flag(flag) => Param::Bool(flag),
    }
}
