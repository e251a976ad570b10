//! The client of one base URL.

use std::sync::Arc;

use async_trait::async_trait;
use domain::importing::{
    ExternalId, Page,
    rows::{Contact, Message, Ticket},
    walk::Limits,
};
use http_client::{NoBody, Timeouts, headers};
use ports::{
    Clock,
    crm::{Crm, CrmEndpoint, SourceError, TicketSource},
};
use reqwest::{
    Client, Url,
    header::{ACCEPT, HeaderMap, HeaderValue},
};

use crate::{
    error::{by_cause, by_status},
    guard::{self, AllowedHosts, GuardedResolver, Lookup},
    wire::{self, Wire},
};

/// Limits of every request.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Hosts that may be private and speak plain http.
    pub allowed_hosts: AllowedHosts,
    /// Of time.
    pub timeouts: Timeouts,
    /// Largest answer in bytes.
    pub largest_answer: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowed_hosts: AllowedHosts::default(),
            timeouts: Timeouts::default(),
            largest_answer: 16 << 20,
        }
    }
}

/// CRMs over HTTP.
#[derive(Clone)]
pub struct HttpCrm {
    settings: Arc<Settings>,
    lookup: Arc<dyn Lookup>,
    clock: Arc<dyn Clock>,
}

impl HttpCrm {
    /// Opens CRMs within these limits, whose names `lookup` resolves.
    pub fn new(settings: Settings, lookup: Arc<dyn Lookup>, clock: Arc<dyn Clock>) -> Self {
        Self {
            settings: Arc::new(settings),
            lookup,
            clock,
        }
    }
}

impl Crm for HttpCrm {
    fn open(&self, endpoint: &CrmEndpoint) -> Result<Arc<dyn TicketSource>, SourceError> {
        let refused = |code| SourceError::Refused { code };
        let base = Url::parse(endpoint.base_url.as_str()).map_err(|_| refused("invalid_url"))?;
        let private_too = guard::check(&base, &self.settings.allowed_hosts)?;
        let mut key =
            HeaderValue::from_str(endpoint.token.reveal()).map_err(|_| refused("invalid_token"))?;
        key.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (reqwest::header::HeaderName::from_static("api-key"), key),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        let http = http_client::builder(&self.settings.timeouts)
            .default_headers(headers)
            .dns_resolver(Arc::new(GuardedResolver {
                lookup: Arc::clone(&self.lookup),
                private_too,
            }))
            .tls_danger_accept_invalid_certs(!endpoint.tls_verify)
            .build()
            .map_err(by_cause)?;
        Ok(Arc::new(HttpSource {
            http,
            base,
            largest_answer: self.settings.largest_answer,
            clock: Arc::clone(&self.clock),
        }))
    }
}

struct HttpSource {
    http: Client,
    base: Url,
    largest_answer: usize,
    clock: Arc<dyn Clock>,
}

impl HttpSource {
    async fn page<T: Wire>(
        &self,
        path: &[&str],
        page: u64,
        limits: Limits,
    ) -> Result<Page<T>, SourceError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| SourceError::Refused {
                code: "invalid_url",
            })?
            .pop_if_empty()
            .extend(path);
        url.query_pairs_mut()
            .append_pair("page", &page.to_string())
            .append_pair("limit", &limits.page_size.to_string());
        let answer = self.http.get(url).send().await.map_err(by_cause)?;
        let retry_after = headers::retry_after(answer.headers(), Some(self.clock.now()));
        if let Some(error) = by_status(answer.status(), retry_after) {
            return Err(error);
        }
        let clock = headers::clock(answer.headers());
        let body = http_client::body(answer, self.largest_answer).await;
        let body = body.map_err(|error| match error {
            NoBody::TooLarge => SourceError::Malformed {
                code: "answer_too_large",
            },
            NoBody::Lost(error) => by_cause(error),
        })?;
        let mut page = wire::page(&body).map_err(|code| SourceError::Malformed { code })?;
        page.clock = clock;
        Ok(page)
    }
}

#[async_trait]
impl TicketSource for HttpSource {
    async fn tickets(&self, page: u64) -> Result<Page<Ticket>, SourceError> {
        self.page(&["ticket"], page, Limits::LIST).await
    }

    async fn messages(&self, ticket: &ExternalId, page: u64) -> Result<Page<Message>, SourceError> {
        let path = ["ticket", ticket.as_str(), "messages"];
        self.page(&path, page, Limits::MESSAGES).await
    }

    async fn contacts(&self, page: u64) -> Result<Page<Contact>, SourceError> {
        self.page(&["contact"], page, Limits::LIST).await
    }
}
