//! V1: the complete API.

pub mod audiences;
pub mod bus;
pub mod contacts;
pub mod customers;
pub mod exports;
pub mod notifications;
pub mod operations;
pub mod outcomes;
pub mod recycle;
pub mod uploads;

use actix_web::web;

/// Registers the paths below `/api/v1`.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .configure(contacts::configure)
        .configure(audiences::configure)
        .configure(notifications::configure)
        .configure(recycle::configure)
        .configure(exports::configure)
        .configure(outcomes::configure)
        .configure(customers::configure)
        .configure(uploads::configure)
        .configure(bus::configure);
}
