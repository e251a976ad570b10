//! V1: clients, runs, and what was imported.

pub mod clients;
pub mod imports;
mod json;
mod operations;
pub mod rows;

use actix_web::{
    http::{Method, StatusCode},
    web::{self, ServiceConfig},
};
use domain::shared::{Instant, Violation};
use http_kit::{Problem, resource};

/// Registers the paths below `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    use Method as M;
    config
        .service(resource(
            "/clients",
            [
                (M::GET, web::to(clients::list)),
                (M::POST, web::to(clients::create)),
            ],
        ))
        .service(resource(
            "/clients/ensure",
            [(M::POST, web::to(clients::ensure))],
        ))
        .service(resource(
            "/clients/{id}",
            [
                (M::GET, web::to(clients::get)),
                (M::PATCH, web::to(clients::change)),
                (M::DELETE, web::to(clients::deactivate)),
            ],
        ))
        .service(resource(
            "/clients/{id}/tickets",
            [(M::GET, web::to(rows::tickets))],
        ))
        .service(resource(
            "/clients/{id}/tickets/{ticket}/messages",
            [(M::GET, web::to(rows::messages))],
        ))
        .service(resource(
            "/imports",
            [
                (M::GET, web::to(imports::list)),
                (M::POST, web::to(imports::start)),
            ],
        ))
        .service(resource("/imports/{id}", [(M::GET, web::to(imports::get))]))
        .service(resource(
            "/imports/{id}/cancel",
            [(M::POST, web::to(imports::cancel))],
        ))
        .service(resource(
            "/imports/{id}/retry",
            [(M::POST, web::to(imports::retry))],
        ));
}

/// To JSON of the wrong shape.
const INVALID: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// 422 about one member of a body or parameter of a query.
fn broken(pointer: &str, code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::unprocessable(vec![Violation::new(pointer, code, detail)])
}

/// An instant of a query.
fn instant(name: &str, text: Option<&str>) -> Result<Option<Instant>, Problem> {
    let parse = |text: &str| chrono::DateTime::parse_from_rfc3339(text);
    let read = text.map(parse).transpose();
    let read = read.map_err(|_| broken(&format!("/{name}"), "invalid_instant", "not RFC 3339"))?;
    Ok(read.map(|at| at.to_utc()))
}
