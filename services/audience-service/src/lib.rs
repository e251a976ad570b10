//! audience-service: audiences, their contacts, recycling, uploads, operations and notifications.
//!
//! `application` holds the use cases and knows only `domain` and `ports`; `http`, `consumers` and
//! `workers` translate into it; `module` alone names concrete adapters.

pub mod application;
pub mod consumers;
pub mod http;
pub mod module;
pub mod workers;
