//! The HTTP faces: translations between requests and use cases, nothing decided here.

pub mod contact_json;
pub mod cursors;
pub mod face_l;
pub mod openapi;
pub mod state;
pub mod v1;

pub use state::{ApiState, Caller};
