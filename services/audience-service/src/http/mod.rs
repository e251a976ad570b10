//! The HTTP faces: translations between requests and use cases, nothing decided here.

pub mod all_audiences;
pub mod contact_json;
pub mod cursors;
pub mod face_a;
pub mod face_g;
pub mod face_l;
pub mod internal;
pub mod openapi;
pub mod state;
pub mod v1;

pub use state::{ApiState, Caller};

/// How its faces write errors that are no problems.
pub const ERRORS: &[http_kit::ErrorShape] = &[face_a::ERRORS, face_g::ERRORS];
