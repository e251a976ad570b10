//! What handlers read of a request.
//!
//! The first argument of a handler is [`Authenticated`], the others are read after it, one after another,
//! in the order of the signature; the first that fails is answered. (actix reads its own extractors at
//! once, so that an unreadable body could be answered before wrong credentials.) By convention: who
//! calls, the query, the path, preconditions and preferences, the body.

use std::{str::FromStr, sync::Arc, time::Duration};

use actix_web::{Error, HttpRequest, dev::Payload, http::StatusCode, web};
use kernel::RequestId;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    Answer, ApiContext, Body, Idempotency, IdempotencyError, Problem,
    caller::{Api, ApiResult, Authenticated, Caller},
    etag::IfMatch,
    idempotency::{Call, content_hash},
    prefer,
    shape::{self, Node},
};

/// An argument of a handler that works for `C`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no argument of a handler that works for `{C}`",
    note = "see `http_kit::extract` for what a handler can read of a request"
)]
pub trait Extract<C>: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// The answer to a request without it.
    fn extract(
        caller: &C,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> impl Future<Output = Result<Self, Problem>>;
}

/// The arguments of a handler: who calls, and what it reads of the request.
#[diagnostic::on_unimplemented(
    message = "a handler's first argument says who calls, such as `Caller`",
    note = "`{Self}` are no arguments of a handler on the state `{S}`"
)]
pub trait Arguments<S>: Sized {
    /// Reads them in their order.
    ///
    /// # Errors
    /// That of the first one that cannot be read.
    fn read(
        request: &HttpRequest,
        payload: Payload,
        api: &Arc<Api<S>>,
    ) -> impl Future<Output = Result<Self, Error>>;
}

impl<S, First: Authenticated<S>> Arguments<S> for (First,) {
    async fn read(request: &HttpRequest, _: Payload, api: &Arc<Api<S>>) -> Result<Self, Error> {
        Ok((First::authenticate(request, api).await?,))
    }
}

macro_rules! arguments {
    ($($name:ident: $kind:ident),+) => {
        impl<S, First: Authenticated<S>, $($kind: Extract<First>),+> Arguments<S>
            for (First, $($kind),+)
        {
            async fn read(
                request: &HttpRequest,
                mut payload: Payload,
                api: &Arc<Api<S>>,
            ) -> Result<Self, Error> {
                let first = First::authenticate(request, api).await?;
                $(let $name = $kind::extract(&first, request, &mut payload).await?;)+
                Ok((first, $($name),+))
            }
        }
    };
}

arguments!(a: A);
arguments!(a: A, b: B);
arguments!(a: A, b: B, c: C);
arguments!(a: A, b: B, c: C, d: D);

impl<C> Extract<C> for HttpRequest {
    async fn extract(_: &C, request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Ok(request.clone())
    }
}

/// The body as it comes, for whoever reads it in parts.
impl<C> Extract<C> for Payload {
    async fn extract(_: &C, _: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        Ok(payload.take())
    }
}

/// The parameters of the query. An unknown one, or one twice, is 400.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<C, T: DeserializeOwned> Extract<C> for Query<T> {
    async fn extract(_: &C, request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        let invalid = || Problem::new(StatusCode::BAD_REQUEST, "invalid_query");
        // One that cannot be decoded is no parameter either.
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let pairs = pairs.map_err(|_| invalid().with_detail("The query cannot be decoded."))?;
        let text = |(name, value): (String, String)| (name, Node::Text(value));
        let read = |pairs: Vec<_>| Node::Object(pairs.into_iter().map(text).collect());
        match shape::read(read(pairs.into_inner())) {
            Ok(query) => Ok(Self(query)),
            Err(mut broken) => {
                broken.detail = broken.detail.replace("member", "parameter");
                Err(invalid().with_violations(vec![broken]))
            }
        }
    }
}

/// The one parameter of a path. What cannot be an id names nothing: 404.
#[derive(Debug)]
pub struct Id<T>(pub T);

impl<C, T: FromStr> Extract<C> for Id<T> {
    async fn extract(_: &C, request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        parameter(request, 0).map(Self)
    }
}

/// The two parameters of a path.
#[derive(Debug)]
pub struct Ids<A, B>(pub A, pub B);

impl<C, A: FromStr, B: FromStr> Extract<C> for Ids<A, B> {
    async fn extract(_: &C, request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Ok(Self(parameter(request, 0)?, parameter(request, 1)?))
    }
}

/// The three parameters of a path.
#[derive(Debug)]
pub struct ThreeIds<A, B, C>(pub A, pub B, pub C);

impl<C, X: FromStr, Y: FromStr, Z: FromStr> Extract<C> for ThreeIds<X, Y, Z> {
    async fn extract(_: &C, request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        let (x, y) = (parameter(request, 0)?, parameter(request, 1)?);
        Ok(Self(x, y, parameter(request, 2)?))
    }
}

fn parameter<T: FromStr>(request: &HttpRequest, index: usize) -> Result<T, Problem> {
    let text = request.match_info().iter().nth(index).map(|(_, text)| text);
    // What separates the parts of a path is still encoded within one.
    let text = text.and_then(|text| percent_decode_str(text).decode_utf8().ok());
    text.and_then(|text| text.parse().ok())
        .ok_or_else(Problem::not_found)
}

impl<C> Extract<C> for IfMatch {
    async fn extract(_: &C, request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Ok(Self::from_headers(request.headers()))
    }
}

/// How long the client wants to wait for the end of what it starts.
#[derive(Debug, Clone, Copy)]
pub struct Wait(pub Option<Duration>);

impl<C> Extract<C> for Wait {
    async fn extract(_: &C, request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Ok(Self(prefer::wait(request.headers())))
    }
}

/// A JSON body: read within the limit of the service, then parsed. `INVALID` answers JSON of another shape.
#[derive(Debug)]
pub struct JsonBody<T, const INVALID: u16 = 422>(pub T);

/// As [`JsonBody`], where there need be no body; then it is the default.
#[derive(Debug)]
pub struct OptionalBody<T, const INVALID: u16 = 422>(pub T);

/// A body without meaning, which is an empty object where there is one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A body that is part of what an idempotency key repeats.
pub trait Content: Sized {
    /// Reads it, with the hash of its bytes.
    ///
    /// # Errors
    /// 400, 413, 415, and 422 or what stands for it.
    fn receive(
        context: &ApiContext,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> impl Future<Output = Result<(Self, [u8; 32]), Problem>>;
}

impl<T, const INVALID: u16> Content for JsonBody<T, INVALID>
where
    T: DeserializeOwned + Send + 'static,
{
    async fn receive(
        context: &ApiContext,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> Result<(Self, [u8; 32]), Problem> {
        let body = context.read_json(request, payload.take(), status(INVALID));
        let Body { hash, value } = body.await?;
        Ok((Self(value), hash))
    }
}

impl<T, const INVALID: u16> Content for OptionalBody<T, INVALID>
where
    T: DeserializeOwned + Default + Send + 'static,
{
    async fn receive(
        context: &ApiContext,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> Result<(Self, [u8; 32]), Problem> {
        let body = context.read_optional_json(request, payload.take(), status(INVALID));
        let Body { hash, value } = body.await?;
        Ok((Self(value), hash))
    }
}

/// A body that nobody reads.
impl Content for () {
    async fn receive(
        _: &ApiContext,
        _: &HttpRequest,
        _: &mut Payload,
    ) -> Result<((), [u8; 32]), Problem> {
        Ok(((), content_hash(&[])))
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)
}

impl<S, T, const INVALID: u16> Extract<Caller<S>> for JsonBody<T, INVALID>
where
    Self: Content,
{
    async fn extract(
        caller: &Caller<S>,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> Result<Self, Problem> {
        let (body, _) = Self::receive(caller.context(), request, payload).await?;
        Ok(body)
    }
}

impl<S, T, const INVALID: u16> Extract<Caller<S>> for OptionalBody<T, INVALID>
where
    Self: Content,
{
    async fn extract(
        caller: &Caller<S>,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> Result<Self, Problem> {
        let (body, _) = Self::receive(caller.context(), request, payload).await?;
        Ok(body)
    }
}

/// A POST that is run once for each idempotency key, and its body.
pub struct Idempotent<B>(pub Once, pub B);

impl<S, B: Content> Extract<Caller<S>> for Idempotent<B> {
    async fn extract(
        caller: &Caller<S>,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> Result<Self, Problem> {
        let context = caller.context();
        let (body, hash) = B::receive(context, request, payload).await?;
        let once = Once {
            idempotency: context.idempotency.clone(),
            call: Call::of(request, &caller.actor.workspace, hash),
        };
        Ok(Self(once, body))
    }
}

/// Runs a change once for each idempotency key.
pub struct Once {
    idempotency: Idempotency,
    /// A wrong key is answered after all else that is wrong with the request.
    call: Result<Call, IdempotencyError>,
}

impl Once {
    /// Runs the change to its end, even if the client goes away; or answers as the first time.
    ///
    /// # Errors
    /// What the key or the change answers.
    pub async fn run<C, F>(self, change: C) -> ApiResult
    where
        C: FnOnce(RequestId) -> F + Send + 'static,
        F: Future<Output = ApiResult> + Send + 'static,
    {
        let run = |request_id: RequestId| async move {
            Box::pin(change(request_id))
                .await
                .unwrap_or_else(Answer::from)
        };
        Ok(self.idempotency.run(self.call?, run).await?)
    }

    /// The call, where the change runs in a frame of its own.
    ///
    /// # Errors
    /// 400 for a wrong key.
    pub fn call(self) -> Result<Call, Problem> {
        Ok(self.call?)
    }
}
