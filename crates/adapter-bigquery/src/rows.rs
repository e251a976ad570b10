//! The result of a query, page by page.

use std::{
    collections::HashSet,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::Method;

use crate::{
    answer::{Job, JobState, Results},
    api::{Api, Call, location},
    error::{Again, Error, Failed},
    value::{self, Column, Row},
};

/// The pause between two questions whether a job has ended, at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// BigQuery may send a page without rows before those that have some.
const EMPTY_PAGES: u32 = 3;

/// What a query cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes {
    /// Bytes that were read.
    pub processed: u64,
    /// Bytes that are to be paid for: none of what was cached.
    pub billed: u64,
}

/// Where the next rows are.
enum Next {
    /// The job runs.
    Running,
    /// In an answer that is there.
    Answer(Box<Results>),
    /// Behind this token.
    Page(String),
    /// There are none.
    End,
}

/// The result of a query, of which one page is in memory. Dropping it cancels a job that still runs.
pub struct Rows {
    api: Arc<Api>,
    job: Job,
    limit: Option<u64>,
    deadline: Instant,
    next: Next,
    columns: Option<Vec<Column>>,
    bytes: Option<Bytes>,
    total: Option<u64>,
    delivered: u64,
    tokens: HashSet<String>,
    empty_pages: u32,
}

/// A query whose job exists, by which its result can be read again.
#[derive(Clone)]
pub struct Begun(pub(crate) Job);

impl Rows {
    /// The result of a job from its first row on, as it is read again.
    pub(crate) fn again(api: Arc<Api>, begun: &Begun, deadline: Instant) -> Self {
        Self {
            api,
            job: begun.0.clone(),
            limit: None,
            deadline,
            next: Next::Running,
            columns: None,
            bytes: None,
            total: None,
            delivered: 0,
            tokens: HashSet::new(),
            empty_pages: 0,
        }
    }

    /// What the result can be read again by.
    pub fn begun(&self) -> Begun {
        Begun(self.job.clone())
    }

    pub(crate) fn of(
        api: Arc<Api>,
        answer: Results,
        limit: Option<u64>,
        deadline: Instant,
    ) -> Result<Self, Error> {
        let mut rows = Self::again(api, &Begun(answer.job()?), deadline);
        rows.limit = limit;
        rows.arrived(answer);
        Ok(rows)
    }

    /// The columns of every row, from the first page on.
    pub fn columns(&self) -> &[Column] {
        self.columns.as_deref().unwrap_or_default()
    }

    /// How many rows there are, from the first page on.
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next rows, one or more; `None` after the last. The first call waits until the job has ended. After an
    /// error that is transient the same rows can be asked for again.
    ///
    /// # Errors
    /// When the query fails, is cancelled or takes too long, or when BigQuery fails or contradicts itself.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Row>>, Error> {
        loop {
            match &self.next {
                Next::Running => self.poll().await?,
                Next::Page(token) => {
                    let answer = self.page(token).await?;
                    if !answer.job_complete {
                        return Err(Error::Malformed("job_not_complete"));
                    }
                    self.next = Next::Answer(Box::new(answer));
                }
                Next::Answer(_) => {
                    let rows = self.take()?;
                    if !rows.is_empty() {
                        return Ok(Some(rows));
                    }
                }
                Next::End => return Ok(None),
            }
        }
    }

    /// What the query cost, when it has ended.
    ///
    /// # Errors
    /// When BigQuery fails, or does not say.
    pub async fn bytes(&self) -> Result<Bytes, Error> {
        if let Some(bytes) = self.bytes {
            return Ok(bytes);
        }
        let call = Call {
            method: Method::GET,
            path: &["jobs", &self.job.id],
            query: &location(&self.job),
            body: None,
        };
        let deadline = self.api.timer.now() + self.api.retry_for;
        let state: JobState = self.api.call(&call, deadline).await?;
        let query = state.statistics.query.as_ref();
        let bytes = query.and_then(|query| {
            Some(Bytes {
                processed: query.total_bytes_processed?.0,
                billed: query.total_bytes_billed?.0,
            })
        });
        bytes.ok_or(Error::Malformed("no_bytes"))
    }

    /// Cancels the job if it still runs.
    ///
    /// # Errors
    /// When BigQuery fails; the job then ends by its time limit.
    pub async fn cancel(mut self) -> Result<(), Error> {
        match mem::replace(&mut self.next, Next::End) {
            Next::Running => self.api.cancel(&self.job).await,
            _ => Ok(()),
        }
    }

    /// Waits until the job has ended, or its time is over.
    async fn poll(&mut self) -> Result<(), Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            let left = self.api.left(self.deadline);
            if left.is_zero() {
                return self.time_out().await;
            }
            let polled = self
                .api
                .retry(self.deadline, |left, _| self.once(None, left));
            match polled.await {
                Ok(answer) if answer.job_complete => {
                    self.arrived(answer);
                    return Ok(());
                }
                Ok(_) => {
                    self.api.timer.sleep(pause.min(left)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(Error::TimedOut) => return self.time_out().await,
                Err(error) => {
                    if error.ends_job() {
                        self.next = Next::End;
                    }
                    return Err(error.of_limit(self.limit));
                }
            }
        }
    }

    async fn time_out(&mut self) -> Result<(), Error> {
        // If this fails, the job ends by its own time limit.
        let _ = self.api.cancel(&self.job).await;
        self.next = Next::End;
        Err(Error::TimedOut)
    }

    async fn page(&self, token: &str) -> Result<Results, Error> {
        let deadline = self.api.timer.now() + self.api.retry_for;
        let page = self
            .api
            .retry(deadline, |left, _| self.once(Some(token), left));
        page.await
    }

    async fn once(&self, token: Option<&str>, left: Duration) -> Result<Results, Failed> {
        let mut query = location(&self.job);
        query.extend([
            ("maxResults", self.api.page_rows.to_string()),
            ("timeoutMs", self.api.poll_millis(left).to_string()),
            ("formatOptions.useInt64Timestamp", "true".to_owned()),
        ]);
        query.extend(token.map(|token| ("pageToken", token.to_owned())));
        let call = Call {
            method: Method::GET,
            path: &["queries", &self.job.id],
            query: &query,
            body: None,
        };
        let answer = self.api.once(&call, left).await;
        answer.map_err(|failed| match failed.again {
            // This job stays failed.
            Again::OtherJob => Failed {
                again: Again::No,
                ..failed
            },
            _ => failed,
        })
    }

    /// Looks at the answer that begins or ends the wait.
    fn arrived(&mut self, mut answer: Results) {
        if !answer.job_complete {
            return;
        }
        let schema = answer.schema.take();
        self.columns = schema.map(|schema| schema.fields);
        self.total = answer.total_rows.map(|rows| rows.0);
        self.bytes = answer.total_bytes_processed.and_then(|processed| {
            Some(Bytes {
                processed: processed.0,
                billed: answer.total_bytes_billed?.0,
            })
        });
        self.next = Next::Answer(Box::new(answer));
    }

    /// The rows of the answer that is there.
    fn take(&mut self) -> Result<Vec<Row>, Error> {
        let Next::Answer(answer) = mem::replace(&mut self.next, Next::End) else {
            return Ok(Vec::new());
        };
        let columns = self.columns();
        let rows = answer.rows.into_iter().map(|row| value::row(columns, row));
        let rows: Vec<Row> = rows
            .collect::<Result<_, _>>()
            .map_err(|_| Error::Malformed("row_not_of_schema"))?;
        self.delivered += rows.len() as u64;
        let contradicts = |total| match answer.page_token {
            Some(_) => self.delivered > total,
            None => self.delivered != total,
        };
        if self.total.is_some_and(contradicts) {
            return Err(Error::Malformed("number_of_rows"));
        }
        self.empty_pages = if rows.is_empty() {
            self.empty_pages + 1
        } else {
            0
        };
        if let Some(token) = answer.page_token {
            if self.empty_pages > EMPTY_PAGES {
                return Err(Error::Malformed("pages_without_rows"));
            }
            if !self.tokens.insert(token.clone()) {
                return Err(Error::Malformed("page_token_repeats"));
            }
            self.next = Next::Page(token);
        }
        Ok(rows)
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        if matches!(self.next, Next::Running) {
            Arc::clone(&self.api).abandon(self.job.clone());
        }
    }
}
