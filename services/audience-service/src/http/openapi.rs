//! The OpenAPI document and its browsable page.

use actix_web::web;

/// Registers the document and the page.
pub fn configure(_config: &mut web::ServiceConfig) {}
