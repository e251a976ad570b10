//! Requests, and their repetition.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use google_cloud_auth::credentials::Credentials as Issuer;
use http_client::headers::retry_after;
use reqwest::{Client, Method, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    answer::Job,
    credentials,
    error::{Again, Error, Failed, by_answer, by_body, by_cause},
    timer::Timer,
};

/// The first pause is of one to two seconds; each doubles, up to this and one second.
const LONGEST_PAUSE: Duration = Duration::from_secs(32);
/// For how long a cancellation is tried.
const CANCELLING: Duration = Duration::from_secs(10);

/// One project of the API.
pub struct Api {
    pub http: Client,
    /// Of the project.
    pub base: Url,
    pub issuer: Issuer,
    pub largest_answer: usize,
    /// Until an answer is there in whole.
    pub answer_timeout: Duration,
    /// For how long BigQuery may hold a request while a job runs.
    pub longest_poll: Duration,
    /// For how long a request other than of a running query is repeated.
    pub retry_for: Duration,
    pub page_rows: u32,
    pub timer: Arc<dyn Timer>,
}

/// A request.
pub struct Call<'a> {
    pub method: Method,
    /// Segments after the project's.
    pub path: &'a [&'a str],
    pub query: &'a [(&'static str, String)],
    pub body: Option<Map<String, Value>>,
}

impl Api {
    /// The answer, for which the request is repeated until the deadline.
    pub async fn call<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        deadline: Instant,
    ) -> Result<T, Error> {
        self.retry(deadline, |left, _| self.once(call, left)).await
    }

    /// Repeats what fails for a while only, as the API's documentation asks to. The attempt is given the time left,
    /// and how many jobs have failed.
    pub async fn retry<T, F>(
        &self,
        deadline: Instant,
        attempt: impl Fn(Duration, u32) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Failed>>,
    {
        let (mut failures, mut jobs) = (0, 0);
        let mut last = Error::TimedOut;
        loop {
            let left = self.left(deadline);
            if left.is_zero() {
                return Err(last);
            }
            let Failed { error, again } = match attempt(left, jobs).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            match again {
                Again::No => return Err(error),
                Again::Same => {}
                Again::OtherJob => jobs += 1,
            }
            let asked = error.retry_after().unwrap_or_default();
            let pause = pause(failures, rand::random()).max(asked);
            if pause >= self.left(deadline) {
                return Err(error);
            }
            self.timer.sleep(pause).await;
            failures += 1;
            last = error;
        }
    }

    pub fn left(&self, deadline: Instant) -> Duration {
        deadline.saturating_duration_since(self.timer.now())
    }

    /// For how long BigQuery is asked to hold a request.
    pub fn poll_millis(&self, left: Duration) -> u64 {
        u64::try_from(left.min(self.longest_poll).as_millis()).unwrap_or(u64::MAX)
    }

    /// One request.
    pub async fn once<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        left: Duration,
    ) -> Result<T, Failed> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Error::Settings("endpoint"))?
            .extend(call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        let time = left.min(self.answer_timeout);
        let headers = tokio::time::timeout(time, credentials::headers(&self.issuer)).await;
        let headers = headers.map_err(|_| Error::Unavailable {
            code: "no_token",
            retry_after: None,
        })??;
        let mut request = self.http.request(call.method.clone(), url);
        request = request.headers(headers).timeout(time);
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| by_cause(&error))?;
        let (status, retry_after) = (answer.status(), retry_after(answer.headers(), None));
        let body = http_client::body(answer, self.largest_answer).await;
        let body = body.map_err(|error| by_body(&error))?;
        if status != StatusCode::OK {
            return Err(by_answer(status, retry_after, &body));
        }
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first != Some(&b'{') {
            return Err(Error::NotJson { status: 200 }.into());
        }
        serde_json::from_slice(&body).map_err(|_| Error::Malformed("unexpected_json").into())
    }

    /// Cancels a job. BigQuery answers before it has stopped, and also when it has ended.
    pub async fn cancel(&self, job: &Job) -> Result<(), Error> {
        let call = Call {
            method: Method::POST,
            path: &["jobs", &job.id, "cancel"],
            query: &location(job),
            body: Some(Map::new()),
        };
        let deadline = self.timer.now() + CANCELLING;
        self.call::<Value>(&call, deadline).await.map(drop)
    }

    /// Cancels a job that nobody waits for any more.
    pub fn abandon(self: Arc<Self>, job: Job) {
        // A job that is out of reach ends by its own time limit.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { self.cancel(&job).await });
        }
    }
}

/// Where a job is: BigQuery looks for it in its two multi-regions only, if it is not told.
pub fn location(job: &Job) -> Vec<(&'static str, String)> {
    let location = job.location.iter();
    location.map(|at| ("location", at.clone())).collect()
}

/// The pause after so many failures; `jitter` is from 0 to 1.
fn pause(failures: u32, jitter: f64) -> Duration {
    let doubled = Duration::from_secs(1 << failures.min(5));
    doubled.min(LONGEST_PAUSE) + Duration::from_secs(1).mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds: Vec<_> = (0..8).map(|n| pause(n, 0.0).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 32, 32]);
        assert_eq!(pause(0, 0.5), Duration::from_millis(1_500));
    }
}
