//! import-job-service: imports from outside CRMs.
//!
//! `application` holds the use cases; `http`, `consumers` and `workers` call them; `module` puts adapters
//! and use cases together.

pub mod application;
pub mod http;
pub mod module;
pub mod workers;
