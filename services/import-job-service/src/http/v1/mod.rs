//! V1: clients, runs, and what was imported.

pub mod clients;
pub mod imports;
mod json;
mod operations;
pub mod rows;

use domain::shared::{Instant, Violation};
use http_kit::Problem;

use super::ApiState;

http_kit::routes! {
    ApiState;
    clients::{list, create, ensure, get, change, deactivate},
    imports::{list, start, get, cancel, retry},
    rows::{tickets, messages},
}

/// 422 about one member of a body or parameter of a query.
fn broken(pointer: &str, code: &'static str, detail: impl Into<String>) -> Problem {
    Violation::new(pointer, code, detail).into()
}

/// An instant of a query.
fn instant(name: &str, text: Option<&str>) -> Result<Option<Instant>, Problem> {
    let parse = |text: &str| chrono::DateTime::parse_from_rfc3339(text);
    let read = text.map(parse).transpose();
    let read = read.map_err(|_| broken(&format!("/{name}"), "invalid_instant", "not RFC 3339"))?;
    Ok(read.map(|at| at.to_utc()))
}
