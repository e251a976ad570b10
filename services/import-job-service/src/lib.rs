//! import-job-service: imports from outside CRMs.
//!
//! `application` holds the use cases; `http`, `consumers` and `workers` call them; `wiring` puts adapters
//! and use cases together.

pub mod application;
pub mod consumers;
pub mod http;
pub mod wiring;
pub mod workers;
