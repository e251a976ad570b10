//! An answer as plain data, so that a task on another runtime can make it.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web::Bytes,
};
use ports::idempotency::StoredAnswer;
use serde::Serialize;

use crate::{Problem, context::RequestContext, problem::CONTENT_TYPE_PROBLEM};

/// Headers that a replay repeats.
const KEPT_HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// A complete answer, `Send` where `HttpResponse` is not.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers in order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// An answer without a body.
    pub const fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// 200 with a JSON body.
    pub fn ok(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// An answer with a JSON body.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self::json_as(status, HeaderValue::from_static("application/json"), body)
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn json_as(status: StatusCode, content_type: HeaderValue, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self {
                status,
                headers: vec![(header::CONTENT_TYPE, content_type)],
                body: Bytes::from(body),
            },
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                Self::empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// What is kept of it for replay.
    pub(crate) fn to_stored(&self) -> StoredAnswer {
        let kept = self
            .headers
            .iter()
            .filter(|(name, _)| KEPT_HEADERS.contains(name));
        StoredAnswer {
            status: self.status.as_u16(),
            headers: kept
                .filter_map(|(name, value)| {
                    Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
                })
                .collect(),
            body: self.body.to_vec(),
        }
    }

    /// The answer that was kept, if it can be read.
    pub(crate) fn from_stored(stored: StoredAnswer) -> Option<Self> {
        let headers = stored.headers.into_iter().map(|(name, value)| {
            Some((
                name.parse::<HeaderName>().ok()?,
                HeaderValue::try_from(value).ok()?,
            ))
        });
        Some(Self {
            status: StatusCode::from_u16(stored.status).ok()?,
            headers: headers.collect::<Option<_>>()?,
            body: Bytes::from(stored.body),
        })
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let context = RequestContext::current();
        let shape = context.and_then(|context| Some((context.errors?, context.method)));
        let mut answer = match shape {
            Some((shape, method)) => {
                let status = (shape.status)(&problem, &method);
                Self::json(status, &(shape.body)(&problem))
            }
            None => {
                let content_type = HeaderValue::from_static(CONTENT_TYPE_PROBLEM);
                Self::json_as(problem.status(), content_type, &problem.body())
            }
        };
        answer.headers.extend(problem.headers().iter().cloned());
        answer
    }
}

impl From<Answer> for HttpResponse {
    fn from(answer: Answer) -> Self {
        let mut response = HttpResponse::build(answer.status);
        for header in answer.headers {
            response.append_header(header);
        }
        response.body(answer.body)
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.into()
    }
}
