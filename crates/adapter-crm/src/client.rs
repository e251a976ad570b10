//! The client of one base URL.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::importing::{
    ExternalId, Page,
    rows::{Contact, Message, Ticket},
    walk::Limits,
};
use ports::{
    Clock,
    crm::{Crm, CrmEndpoint, SourceError, TicketSource},
};
use reqwest::{
    Client, Response, Url,
    header::{ACCEPT, HeaderMap, HeaderValue},
    redirect::Policy,
};

use crate::{
    error::{by_cause, by_status},
    guard::{self, AllowedHosts, GuardedResolver, Lookup},
    headers,
    wire::{self, Wire},
};

/// Limits of every request.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Hosts that may be private and speak plain http.
    pub allowed_hosts: AllowedHosts,
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// Longest silence while an answer comes.
    pub idle_timeout: Duration,
    /// Until an answer is there in whole.
    pub answer_timeout: Duration,
    /// Largest answer in bytes.
    pub largest_answer: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowed_hosts: AllowedHosts::default(),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(20),
            answer_timeout: Duration::from_secs(60),
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
        // Whoever was first has installed the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .default_headers(headers)
            .user_agent("plateia")
            .dns_resolver(Arc::new(GuardedResolver {
                lookup: Arc::clone(&self.lookup),
                private_too,
            }))
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(self.settings.connect_timeout)
            .read_timeout(self.settings.idle_timeout)
            .timeout(self.settings.answer_timeout)
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
        let retry_after = headers::retry_after(answer.headers(), self.clock.now());
        if let Some(error) = by_status(answer.status(), retry_after) {
            return Err(error);
        }
        let clock = headers::clock(answer.headers());
        let body = self.body(answer).await?;
        let mut page = wire::page(&body).map_err(|code| SourceError::Malformed { code })?;
        page.clock = clock;
        Ok(page)
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>, SourceError> {
        let too_large = SourceError::Malformed {
            code: "answer_too_large",
        };
        let announced = answer.content_length().unwrap_or(0);
        if announced > self.largest_answer as u64 {
            return Err(too_large);
        }
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(by_cause)? {
            if body.len() + piece.len() > self.largest_answer {
                return Err(too_large);
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
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
