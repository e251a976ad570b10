//! Asks audience-service over HTTP what there is in a workspace.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    shared::{AudienceId, WorkspaceId},
    workspace::TimeZone,
};
use events::v1::CommunicationDue;
use http_client::{NoBody, Timeouts};
use kernel::directory::{Ask, DIRECTORY_PATH, Part, Question, RecipientSource, SERVICE_HEADER};
use ports::{StoreError, scheduling::Directory};
use reqwest::{Client, Url, header::HeaderValue};
use serde::de::DeserializeOwned;

/// Largest answer in bytes: a thousand recipients with the values of their texts.
const LARGEST: usize = 32 << 20;
/// Of each question.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(2),
    idle: Duration::from_secs(10),
    answer: Duration::from_secs(30),
};

/// Why it cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The URL is none, or not of HTTP.
    #[error("must be a URL such as http://audience-service:8080")]
    Url,
    /// There is no client.
    #[error("the client cannot be made")]
    Client(#[source] reqwest::Error),
}

/// Why there is no answer. Says nothing of the question.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("audience-service cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("audience-service answers {0}")]
    Status(u16),
    #[error("the answer of audience-service is cut off or too large")]
    Body,
}

/// audience-service, as another service of the installation asks it.
#[derive(Clone)]
pub struct HttpDirectory {
    http: Client,
    url: Url,
    token: HeaderValue,
}

impl HttpDirectory {
    /// Asks at a base URL, with the token that services share.
    ///
    /// # Errors
    /// When the URL is not of HTTP, or TLS cannot be set up.
    pub fn new(base: &str, token: &str) -> Result<Self, DirectoryError> {
        let mut url = Url::parse(base).map_err(|_| DirectoryError::Url)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(DirectoryError::Url);
        }
        url.path_segments_mut()
            .map_err(|()| DirectoryError::Url)?
            .pop_if_empty()
            .extend(DIRECTORY_PATH.trim_start_matches('/').split('/'));
        let mut token = HeaderValue::from_str(token).map_err(|_| DirectoryError::Url)?;
        token.set_sensitive(true);
        let http = http_client::builder(&TIMEOUTS).build();
        Ok(Self {
            http: http.map_err(DirectoryError::Client)?,
            url,
            token,
        })
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        workspace: &WorkspaceId,
        ask: Ask,
    ) -> Result<T, StoreError> {
        let unavailable = |error| StoreError::Unavailable(Box::new(error));
        let question = Question {
            workspace: workspace.to_string(),
            ask,
        };
        let request = self.http.post(self.url.clone());
        let request = request.header(SERVICE_HEADER, self.token.clone());
        let answer = request.json(&question).send().await;
        // The URL is the operator's, and errors are logged.
        let answer = answer.map_err(|e| unavailable(NoAnswer::Unreachable(e.without_url())))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(unavailable(NoAnswer::Status(status.as_u16())));
        }
        let body = http_client::body(answer, LARGEST).await;
        let body = body.map_err(|_: NoBody| unavailable(NoAnswer::Body))?;
        serde_json::from_slice(&body).map_err(|_| StoreError::Corrupt("answer of audience-service"))
    }
}

#[async_trait]
impl Directory for HttpDirectory {
    async fn unknown_customers(
        &self,
        workspace: &WorkspaceId,
        ids: &[i64],
    ) -> Result<Vec<i64>, StoreError> {
        self.ask(workspace, Ask::UnknownCustomers(ids.to_vec()))
            .await
    }

    async fn has_audience(
        &self,
        workspace: &WorkspaceId,
        id: AudienceId,
    ) -> Result<bool, StoreError> {
        self.ask(workspace, Ask::HasAudience(id.raw())).await
    }

    async fn time_zone(&self, workspace: &WorkspaceId) -> Result<TimeZone, StoreError> {
        let name: String = self.ask(workspace, Ask::TimeZone).await?;
        name.parse()
            .map_err(|_| StoreError::Corrupt("time zone of a workspace"))
    }
}

#[async_trait]
impl RecipientSource for HttpDirectory {
    async fn part(
        &self,
        workspace: &WorkspaceId,
        ask: CommunicationDue,
    ) -> Result<Part, StoreError> {
        self.ask(workspace, Ask::Recipients(Box::new(ask))).await
    }
}

#[cfg(test)]
mod tests;
