//! What HTTP asks of every exchange, whatever is served: HEAD as GET, old clients, text that is UTF-8,
//! and bodies that keep coming.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{ConnectionType, Method, StatusCode, Version},
    middleware::Next,
    web::Bytes,
};
use percent_encoding::percent_decode_str;

use crate::{Problem, arriving::Arriving, connection::Requests, holding::holding};

/// Middleware, within the log of requests. `patience` is how long a body may stand still.
///
/// # Errors
/// Those of the wrapped service.
pub(crate) async fn serve(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    patience: Duration,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let requests = request.conn_data::<Requests>().cloned();
    let serving = requests.as_ref().map(Requests::serve);
    if let Some(place) = garbled(&request) {
        let detail = format!("The {place} of the request is not UTF-8.");
        let refused = Problem::bad_request("invalid_utf8", detail).to_response();
        return Ok(request.into_response(refused));
    }
    let version = request.version();
    let bodiless = request.method() == Method::HEAD;
    if bodiless {
        request.head_mut().method = Method::GET;
    }
    let arriving = Arriving::watch(&mut request, patience);
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(arriving) = arriving {
        response = settled(response, arriving);
    }
    if version < Version::HTTP_11 && response.response().body().size() == BodySize::Stream {
        // Its length is told by the end of the connection.
        let head = response.response_mut().head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    if requests.is_some_and(|requests| requests.end()) {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    if bodiless {
        response = response.map_body(|_, body| BoxBody::new(Absent(body.size())));
    }
    if let Some(serving) = serving {
        response = response.map_body(|_, body| serving.until_sent(body));
    }
    Ok(response)
}

/// The answer, given what became of the body of the request.
fn settled(response: ServiceResponse, arriving: Arriving) -> ServiceResponse {
    let mut response = response;
    if arriving.stalled() {
        let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "body_stalled")
            .with_detail("Nothing more of the body came.");
        response = response.into_response(problem.to_response());
    }
    if arriving.ended() {
        return response;
    }
    // Nobody reads the rest of it, which need not ever come. It is held, so that the server closes the
    // connection: it would go on to read the rest of a chunked one that was let go, for as long as that takes.
    let head = response.response_mut().head_mut();
    head.set_connection_type(ConnectionType::Close);
    response.map_body(|_, body| holding(body, arriving))
}

/// Which part of a request is not UTF-8. Bodies are looked at where they are parsed.
fn garbled(request: &ServiceRequest) -> Option<&'static str> {
    let text = |text: &str| percent_decode_str(text).decode_utf8().is_ok();
    if !text(request.path()) {
        return Some("path");
    }
    if !text(request.query_string()) {
        return Some("query");
    }
    let mut headers = request.headers().iter();
    headers
        .any(|(_, value)| std::str::from_utf8(value.as_bytes()).is_err())
        .then_some("head")
}

/// The size of a body, without it.
struct Absent(BodySize);

impl MessageBody for Absent {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
