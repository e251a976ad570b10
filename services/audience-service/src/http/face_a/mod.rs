//! Face A: audiences as the clients of the gateway know them. One path, whose bodies say by their `type`
//! what is to be done; every error is `{"message"}`.

mod body;
mod change;
mod delete;
mod json;
mod list;
mod query;
mod update;

use std::str::FromStr;

use actix_web::http::{Method, StatusCode};
use http_kit::{ErrorShape, Problem};
use serde_json::{Value, json};

use super::ApiState;
use crate::AppError;

http_kit::routes! {
    ApiState;
    list::{list},
    change::{post},
    update::{put},
    delete::{delete},
}

const INVALID: &str = "Invalid request";
const NOT_FOUND: &str = "Audience not found";
const NAME_TAKEN: &str = "Audience with the same name already exists.";
const IN_USE: &str = "Audience is in use";
const INCOMPLETE: &str = "Please choose a valid rule";

/// How this face writes errors.
pub const ERRORS: ErrorShape = ErrorShape {
    has: |path| path.ends_with("/api/audience") && !path.starts_with("/api/"),
    body,
    status: |problem, method| match problem.status() {
        StatusCode::UNAUTHORIZED if *method == Method::POST => StatusCode::BAD_REQUEST,
        status => status,
    },
    schema: "AudienceError",
};

fn body(problem: &Problem) -> Value {
    if problem.code() == "audience_in_use" {
        return json!({ "message": IN_USE, "usedBy": problem.member("used_by") });
    }
    let message = match problem.status() {
        StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST => match problem.code() {
            "name_taken" => NAME_TAKEN,
            "incomplete" => INCOMPLETE,
            _ => INVALID,
        },
        StatusCode::NOT_FOUND => NOT_FOUND,
        _ => problem.detail(),
    };
    match problem.errors().is_empty() {
        true => json!({ "message": message }),
        false => json!({ "message": message, "errors": problem.errors() }),
    }
}

/// The language of a path: any, such as `es` or `pt-BR`.
#[derive(Debug)]
pub struct Locale;

impl FromStr for Locale {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (language, region) = text.split_once('-').unwrap_or((text, "XX"));
        let lower = language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase());
        let upper = region.len() == 2 && region.bytes().all(|b| b.is_ascii_uppercase());
        match lower && upper {
            true => Ok(Self),
            false => Err(()),
        }
    }
}

/// This face answers 400 to broken rules, and to a name that is taken.
fn refused(error: AppError) -> Problem {
    match error {
        AppError::Conflict { code, detail, .. } if code != "audience_in_use" => {
            Problem::new(StatusCode::BAD_REQUEST, code).with_detail(detail)
        }
        error => Problem::of(error, StatusCode::BAD_REQUEST),
    }
}

/// One broken rule.
fn broken(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "validation_failed").with_detail(detail)
}
