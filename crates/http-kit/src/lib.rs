//! What every HTTP face shares: problems, bodies, principals, idempotency, paging, preconditions,
//! tokens, health, event streams and the log of requests.
//!
//! Depends on `api-types`, `domain`, `ports`, `runtime` and `telemetry`. Each helper answers with an error of
//! its own that a face renders in its own shape; all of them turn into a [`Problem`].

mod answer;
mod api;
mod arriving;
pub mod auth;
pub mod body;
mod caller;
mod changes;
mod connection;
pub mod context;
mod described;
mod error_shape;
pub mod etag;
mod exchange;
pub mod extract;
pub mod health;
mod holding;
pub mod idempotency;
pub mod openapi;
pub mod operations;
pub mod paging;
pub mod prefer;
mod problem;
mod refusal;
mod resource;
mod routes;
mod server;
mod shape;
pub mod sse;
pub mod trace;

pub use answer::Answer;
pub use api::{ApiContext, Body};
pub use auth::{AuthError, Authenticator, Principal, SharedToken};
pub use caller::{Api, ApiResult, Authenticated, Caller, Cursors};
pub use changes::spawned;
pub use connection::Limits;
pub use error_shape::{ErrorShape, ErrorShapes};
pub use extract::{
    Arguments, Extract, Id, Idempotent, Ids, JsonBody, Nothing, Once, OptionalBody, Query, Wait,
};
pub use idempotency::{Idempotency, IdempotencyError};
pub use problem::Problem;
pub use resource::{allow, fallbacks, resource};
pub use routes::Routes;
pub use sealing::{ContactIds, Sealer};
pub use server::Server;

#[doc(hidden)]
pub use pastey;

/// An instant as every face but the older ones writes it: RFC 3339, UTC, milliseconds.
pub fn timestamp(at: domain::shared::Instant) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
