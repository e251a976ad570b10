//! The HTTP faces: translations between requests and use cases, nothing decided here.

pub mod face_j;
mod openapi;
mod state;
pub mod v1;

pub use openapi::document;
pub use state::{ApiState, Caller};
