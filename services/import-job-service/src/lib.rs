//! import-job-service: imports from other systems.
//!
//! `consumers` says what it listens to; `wiring` puts it together.

pub mod consumers;
pub mod wiring;
