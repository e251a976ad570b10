use serde_json::json;

use super::*;

fn answered(status: u16, reason: &str, message: &str) -> Failed {
    let body = json!({ "error": {
        "code": status, "message": message, "errors": [{ "reason": reason, "message": message }],
    } });
    let status = StatusCode::from_u16(status).unwrap();
    by_answer(status, None, body.to_string().as_bytes())
}

fn invalid(message: &str) -> Error {
    Error::InvalidQuery {
        message: message.to_owned(),
    }
}

#[test]
fn a_reason_counts_for_more_than_a_status() {
    let forbidden = |reason: &str| Error::Forbidden {
        reason: reason.to_owned(),
    };
    let limited = || Error::RateLimited { retry_after: None };
    let failing = || unavailable("server_error", None);
    for (status, reason, error, again) in [
        (403, "rateLimitExceeded", limited(), Again::Same),
        (429, "", limited(), Again::Same),
        (400, "jobRateLimitExceeded", limited(), Again::OtherJob),
        (
            400,
            "jobBackendError",
            unavailable("job_failed", None),
            Again::OtherJob,
        ),
        (400, "backendError", failing(), Again::Same),
        (500, "internalError", failing(), Again::Same),
        (502, "", failing(), Again::Same),
        (408, "", failing(), Again::Same),
        (403, "quotaExceeded", forbidden("quotaExceeded"), Again::No),
        (403, "accessDenied", forbidden("accessDenied"), Again::No),
        (403, "<b>what</b>", forbidden("unknown"), Again::No),
        (401, "authError", Error::Unauthorized, Again::No),
        (400, "stopped", Error::Cancelled, Again::No),
        (400, "timeout", Error::TimedOut, Again::No),
        (400, "invalid", invalid("No"), Again::No),
        (403, "responseTooLarge", invalid("No"), Again::No),
        (
            409,
            "duplicate",
            Error::Refused("request_refused"),
            Again::No,
        ),
        (302, "", Error::Refused("redirected"), Again::No),
    ] {
        assert_eq!(
            answered(status, reason, "No"),
            Failed { error, again },
            "{status} {reason}"
        );
    }
    let html = |status| by_answer(StatusCode::from_u16(status).unwrap(), None, b"<html>").error;
    assert_eq!(html(404), Error::NotJson { status: 404 });
    assert_eq!(html(403), Error::NotJson { status: 403 });
    assert_eq!(html(503), unavailable("server_error", None));
}

#[test]
fn both_numbers_of_a_limit_are_read_whatever_the_status() {
    let message = "Query exceeded limit for bytes billed: 1000000. 10485760 or higher required.";
    for status in [400, 403, 500] {
        let failed = answered(status, "bytesBilledLimitExceeded", message);
        let error = Error::BytesLimit {
            limit: 1_000_000,
            needed: Some(10_485_760),
        };
        assert_eq!(failed, error.into());
    }
    let error = answered(400, "bytesBilledLimitExceeded", "?")
        .error
        .of_limit(Some(7));
    assert_eq!(
        error.to_string(),
        "the query is limited to 7 bytes billed; needed: unknown"
    );
}

#[test]
fn what_is_missing_is_named() {
    let what = |message| answered(404, "notFound", message).error.to_string();
    assert_eq!(
        what("Not found: Table p:d.t was not found in location US"),
        "table not found"
    );
    assert_eq!(what("Not found: Dataset p:d"), "data set not found");
    assert_eq!(what("Not found: Job p:US.j"), "job not found");
    assert_eq!(what("?"), "resource not found");
}

#[test]
fn messages_lose_what_they_quote() {
    for (message, kept) in [
        (
            "Unrecognized name: nam; Did you mean name? at [2:22]",
            "Unrecognized name at [2:22]",
        ),
        (
            "Syntax error: Unexpected identifier \"SELEC\" at [1:1]",
            "Syntax error at [1:1]",
        ),
        (
            "No matching signature for operator = for argument types: STRING, INT64. Supported \
             signature: ANY = ANY at [1:32]",
            "No matching signature for operator = for argument types at [1:32]",
        ),
        ("Bad int64 value: José da Silva", "Bad int64 value"),
        ("division by zero: 1 / 0", "division by zero"),
        (
            "Could not cast literal 'Maria' to type DATE at [1:10]",
            "Could not cast literal at [1:10]",
        ),
        ("Invalid date 2026-13-01", "Invalid date"),
        ("Out of range -12345 value", "Out of range"),
        ("José was not expected", ""),
        ("Array [secret:1] is no [12:x]", "Array"),
        ("No ] [", "No"),
    ] {
        assert_eq!(invalid_query(message), invalid(kept));
    }
}
