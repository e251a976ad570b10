//! import-job-service: imports from outside CRMs.
//!
//! Each capability is a folder, each use case a file: `client`, `run`, `batch`, `row`. `http` and `workers` call
//! them; `use_cases` puts them on their ports, and `module` chooses the adapters behind these.

pub mod batch;
pub mod client;
pub mod http;
pub mod module;
pub mod row;
pub mod run;
pub mod use_cases;
pub mod workers;
