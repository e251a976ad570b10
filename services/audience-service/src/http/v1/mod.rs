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
pub mod rfm;
pub mod segment_source;
pub mod segments;
pub mod suppressions;
pub mod uploads;
pub mod usages;
pub mod workspace;

use http_kit::Routes;

use super::ApiState;

/// The paths below `/api/v1`.
pub fn routes() -> Routes<ApiState> {
    audiences::routes()
        .and(bus::routes())
        .and(contacts::routes())
        .and(customers::routes())
        .and(exports::routes())
        .and(notifications::routes())
        .and(outcomes::routes())
        .and(recycle::routes())
        .and(rfm::routes())
        .and(segment_source::routes())
        .and(segments::routes())
        .and(suppressions::routes())
        .and(uploads::routes())
        .and(usages::routes())
        .and(workspace::routes())
}
