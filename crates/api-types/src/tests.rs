use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    ProblemBody,
    audiences::{ClearedJson, NewAudience},
    imports::{ClientChange, NewClient},
    operations::{OperationJson, RemovalReportJson, UploadReportJson},
    recycle::{RecycleBody, RulesBody},
    uploads::{DetectedJson, HeaderJson},
};

fn read<T: DeserializeOwned>(json: Value) -> Result<T, serde_json::Error> {
    T::deserialize(json)
}

fn operation() -> Value {
    json!({
        "id": "op_1", "kind": "recycle", "state": "running", "result": null, "reason": null,
        "progress": {"done": 1, "total": null}, "rate": 0.5, "eta": null,
        "report": {"total": 3, "removed": 1, "kept": 2, "by_reason": {"documents": 1}},
        "error": null, "attempt": 1, "created_by": "ana",
        "created_at": "2026-01-01T00:00:00.000Z", "started_at": null, "finished_at": null,
        "undone_at": null, "undo_until": null, "audience_id": "aud_1",
        "links": {"self": "/api/v1/operations/op_1"},
    })
}

#[test]
fn answers_are_written_as_they_were_read() {
    let read: OperationJson = read(operation()).unwrap();
    assert_eq!(json!(read), operation());
    assert!(!read.has_ended());
    let report: RemovalReportJson = read.report_as().unwrap();
    assert_eq!((report.removed, report.by_reason["documents"]), (1, 1));
    assert_eq!(read.report_as::<UploadReportJson>(), None);
}

#[test]
fn answers_may_say_more_but_not_less() {
    let mut more = operation();
    more["unheard_of"] = json!(1);
    assert!(read::<OperationJson>(more).is_ok());
    for member in ["id", "state", "progress", "attempt", "links"] {
        let mut less = operation();
        less.as_object_mut().unwrap().remove(member);
        assert!(read::<OperationJson>(less).is_err(), "{member}");
    }
}

#[test]
fn what_is_flattened_is_read_and_written() {
    let cleared = json!({
        "id": "aud_1", "name": "A", "tags": [], "status": "active", "kind": "static",
        "contacts": 0, "source_id": "api", "collection": "contacts", "version": 2,
        "created_by": "ana", "created_at": "", "updated_at": "", "deleted_at": null,
        "operation_id": "op_1",
    });
    assert_eq!(
        json!(read::<ClearedJson>(cleared.clone()).unwrap()),
        cleared
    );
    let problem = json!({
        "type": "about:blank", "title": "Conflict", "status": 409, "detail": "d",
        "code": "plan_stale", "trace_id": "t", "removed": 7,
    });
    let read: ProblemBody = read(problem.clone()).unwrap();
    assert_eq!(read.extra["removed"], 7);
    assert_eq!(json!(read), problem);
}

#[test]
fn a_header_is_a_boolean_or_a_row() {
    let detected = |header: Value| {
        let json = json!({
            "format": "csv", "delimiter": ";", "encoding": "utf-8", "header": header,
            "columns": [], "mapping": {}, "sample": [], "sheet": null,
        });
        read::<DetectedJson>(json).map(|detected| detected.header)
    };
    let is_there = HeaderJson::Present(true);
    assert_eq!(detected(json!(true)).unwrap(), is_there);
    assert_eq!(detected(json!(3)).unwrap(), HeaderJson::Row(3));
    assert!(detected(json!("x")).is_err());
}

#[test]
fn requests_say_what_was_said_and_are_read_strictly() {
    let new = NewAudience {
        name: "A".to_owned(),
        ..NewAudience::default()
    };
    assert_eq!(json!(new), json!({ "name": "A" }));
    let body = RecycleBody {
        rules: RulesBody {
            opted_out: Some(false),
            ..RulesBody::default()
        },
        ..RecycleBody::default()
    };
    let written = json!({ "rules": { "opted_out": false } });
    assert_eq!(json!(body), written);
    assert_eq!(read::<RecycleBody>(written).unwrap(), body);
    assert!(read::<RecycleBody>(json!({ "rule": {} })).is_err());
}

#[test]
fn a_change_tells_null_from_absent() {
    let change = ClientChange {
        schedule: Some(None),
        ..ClientChange::default()
    };
    assert_eq!(json!(change), json!({ "schedule": null }));
    let read: ClientChange = read(json!({ "schedule": null })).unwrap();
    assert_eq!(read, change);
}

#[test]
fn tokens_are_not_shown() {
    let new = NewClient {
        slug: "a".to_owned(),
        token: "secret".to_owned(),
        ..NewClient::default()
    };
    assert!(!format!("{new:?}").contains("secret"));
}
