//! Files over HTTP, against a whole service: uploads, rejected rows, exports, and outcomes.

mod alike;
mod documents;
mod mending;
mod options;
mod service;

use serde_json::json;
use test_kit::http::{PATIENCE, Reply};
use tokio::time::timeout;

use service::{Service, form};

const CSV: &str = "CPF;Nome;Celular;vip\r\n123.456.789-09;Ana;+55 11 99999-0000;sim\r\n;sem;;\r\n\
                   AB-1;=x;;\r\n1;2;3;4;5\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_form_is_one_file() {
    let service = Service::start().await;
    let fields = [("delimiter", ";"), ("file", CSV)];
    let first = service.form("aaa", &fields, "k1").await;
    assert_eq!(first.status, 201, "{}", first.text);
    let found = &first.body["detected"];
    let columns = json!(["CPF", "Nome", "Celular", "vip", "column_5"]);
    assert_eq!(found["columns"], columns);
    let mapping = json!({
        "CPF": "document", "Nome": "name", "Celular": "phone", "vip": "vip", "column_5": "column_5"
    });
    assert_eq!(found["mapping"], mapping);
    assert_eq!(first.member("file_name"), "base.csv");
    let location = first.header("location");
    let again = service.get(location.strip_prefix("/api/v1").unwrap()).await;
    assert_eq!(again.body, first.body);
    // The boundary is no content.
    let replayed = service.form("bbb", &fields, "k1").await;
    assert_eq!(replayed.status, 201);
    assert_eq!(replayed.header("idempotent-replayed"), "true");
    assert_eq!(replayed.body, first.body);
    for other in [
        [("delimiter", ";"), ("file", "cpf\n1\n")],
        [("delimiter", ","), ("file", CSV)],
    ] {
        let other = service.form("aaa", &other, "k1").await;
        assert_eq!(other.status, 422);
        assert_eq!(other.member("code"), "idempotency_mismatch");
    }
    assert_eq!(service.stored_files(), 1);
}

/// Sends a body that must be refused, and sees that it is.
async fn refused(
    service: &Service,
    headers: &[(&str, &str)],
    body: &[u8],
    status: u16,
    code: &str,
) {
    let mut call = service.call("POST", "/uploads").body("", body);
    for (name, value) in headers {
        call = call.header(name, value);
    }
    let reply = call.send().await;
    let text = String::from_utf8_lossy(body.get(..99).unwrap_or(body)).into_owned();
    assert_eq!(reply.status, status, "{headers:?} {text}: {}", reply.text);
    assert_eq!(reply.member("code"), code, "{headers:?} {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_are_refused_and_leave_nothing() {
    let service = Service::start().await;
    let packed = ("Content-Encoding", "br");
    let plain = ("Accept", "*/*");
    for (content_type, more, body, status, code) in [
        ("text/csv", plain, Vec::new(), 400, "empty_body"),
        (
            "application/json",
            plain,
            b"{}".to_vec(),
            415,
            "unsupported_media_type",
        ),
        (
            "text/csv",
            packed,
            b"cpf\n1".to_vec(),
            415,
            "unsupported_media_type",
        ),
        ("text/csv", plain, vec![0; 300_000], 422, "binary_content"),
        (
            "text/csv",
            plain,
            b"<html></html>".to_vec(),
            422,
            "markup_content",
        ),
    ] {
        let headers = [("Content-Type", content_type), more];
        refused(&service, &headers, &body, status, code).await;
    }
    let wrong = service.call("DELETE", "/uploads").send().await;
    assert_eq!(wrong.status, 405);
    assert_eq!(service.get("/uploads/upl_1").await.status, 404);
    assert_eq!(service.stored_files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_forms_are_refused_and_leave_nothing() {
    let service = Service::start().await;
    let multipart = "multipart/form-data; boundary=b";
    let own = |fields: &[(&str, &str)]| form("b", fields).into_bytes();
    for (content_type, body, status, code) in [
        (multipart, own(&[]), 422, "validation_failed"),
        (multipart, own(&[("other", "x")]), 422, "validation_failed"),
        (
            multipart,
            own(&[("delimiter", "ab")]),
            422,
            "validation_failed",
        ),
        (multipart, own(&[("file", "")]), 422, "empty_file"),
        (
            multipart,
            own(&[("file", CSV), ("file", CSV)]),
            422,
            "validation_failed",
        ),
        (
            multipart,
            own(&[("file", CSV), ("delimiter", ";")]),
            422,
            "validation_failed",
        ),
        (multipart, b"x".to_vec(), 400, "body_incomplete"),
        ("multipart/form-data", b"x".to_vec(), 400, "malformed_form"),
    ] {
        let headers = [("Content-Type", content_type)];
        refused(&service, &headers, &body, status, code).await;
    }
    assert_eq!(service.stored_files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_leaves_no_file() {
    let service = Service::start().await;
    let part = format!("cpf;nome\n{}", "1;x\n".repeat(10_000));
    let call = service.call("POST", "/uploads").body("text/csv", part);
    let call = call.header("Content-Length", "1000000");
    let mut sending = Box::pin(call.send());
    // The file has begun.
    let begun = async {
        while service.stored_files() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        reply = &mut sending => panic!("answered {}", reply.status),
        begun = timeout(PATIENCE, begun) => begun.unwrap(),
    }
    drop(sending);
    let gone = async {
        while service.stored_files() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_are_mended_and_sent_again() {
    let service = Service::start().await;
    let audience = service.audience("Base").await;
    let upload = service.upload(CSV).await.member("id");
    let into = format!("/audiences/{audience}/uploads");
    let ended = service.post(&into, &json!({ "upload_id": upload })).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
    assert_eq!(ended.header("preference-applied"), "wait=20");
    let operation = ended.member("id");
    assert_eq!(
        ended.header("location"),
        format!("/api/v1/operations/{operation}")
    );
    let report = &ended.body["report"];
    assert_eq!(
        (&report["created"], &report["rejected"]),
        (&json!(3), &json!(1))
    );

    let path = format!("/operations/{operation}/rejected");
    let rejected = service.get(&path).await;
    assert_eq!(
        rejected.text,
        "row,line,field,code,detail,CPF,Nome,Celular,vip,column_5\r\n\
         2,3,document,document_missing,the document is missing,,sem,,,\r\n"
    );
    let ndjson = service.ndjson(&path).await;
    assert_eq!(ndjson.header("content-type"), "application/x-ndjson");
    assert_eq!(ndjson.text.lines().count(), 1);

    let mended = rejected.text.replace("missing,,sem", "missing,777,sem");
    let mended = service.upload(&mended).await.member("id");
    let again = format!("/operations/{operation}/resubmit");
    let ended = service.post(&again, &json!({ "upload_id": mended })).await;
    assert_eq!(ended.body["result"], "complete", "{}", ended.text);
    let contacts = service
        .get(&format!("/audiences/{audience}/contacts"))
        .await;
    let contacts = contacts.body;
    let of = |document: &str| {
        let all = contacts["data"].as_array().unwrap();
        all.iter()
            .find(|c| c["document"] == document)
            .cloned()
            .unwrap()
    };
    assert_eq!(of("777")["name"], "sem");
    assert_eq!(of("777")["attributes"], json!({}));
    assert_eq!(
        of("1")["attributes"],
        json!({ "vip": "4", "column_5": "5" })
    );

    for (path, body, status) in [
        (&into, json!({ "upload_id": "upl_1" }), 422),
        (&into, json!({ "upload_id": 1 }), 422),
        (
            &into,
            json!({ "upload_id": upload, "mapping": { "no": "name" } }),
            422,
        ),
        (
            &into,
            json!({ "upload_id": upload, "mapping": { "CPF": "" } }),
            422,
        ),
        (
            &"/audiences/aud_1/uploads".to_owned(),
            json!({ "upload_id": upload }),
            404,
        ),
        (
            &"/operations/op_1/resubmit".to_owned(),
            json!({ "upload_id": upload }),
            404,
        ),
    ] {
        let reply = service.post(path, &body).await;
        assert_eq!(reply.status, status, "{path} {body}: {}", reply.text);
    }
    assert_eq!(service.get("/operations/op_1/rejected").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_uploaded_again_is_the_same_audience() {
    let service = Service::start().await;
    let mut data = vec![
        json!({ "document": " 123.456.789-09 ", "name": "=1+1", "phone": "(11) 99999-0000" }),
        json!({ "document": "'-1", "name": "a\"b,\nc", "email": "A@B.co", "age": 41, "vip": true }),
        json!({ "document": "+x", "phone": "not one", "ratio": 0.1, "text": "41", "é;": "'@" }),
    ];
    data.extend((0..2500).map(|i| json!({ "document": format!("D{i}") })));
    let created = service
        .post("/audiences", &json!({ "name": "Base", "data": data }))
        .await;
    let export = |id: String| format!("/audiences/{id}/contacts.csv");
    let first = service.get(&export(created.member("id"))).await;
    assert_eq!(first.text.matches("\r\n").count(), data.len() + 1);
    assert!(
        first
            .header("content-disposition")
            .starts_with("attachment")
    );
    let upload = service.upload(&first.text).await.member("id");
    let body = json!({ "name": "Copy", "upload_id": upload });
    let made = service.post("/audiences", &body).await;
    assert_eq!(made.body["report"]["created"], data.len(), "{}", made.text);
    let second = service.get(&export(made.member("audience_id"))).await;
    assert!(second.text == first.text, "the second export differs");
    assert_eq!(service.get(&export("aud_1".into())).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_stored_once_and_refused_one_by_one() {
    let service = Service::start().await;
    let call = json!({
        "document": "9", "channel": "SMS", "outcome": "busy",
        "occurred_at": "2026-01-01T00:00:00Z", "external_id": "call-1"
    });
    let data = json!({ "data": [call, call, { "document": "" }, 3] });
    let counts = |reply: &Reply| {
        let reply = &reply.body;
        ["received", "recorded", "repeated", "rejected"].map(|n| reply[n].as_u64().unwrap())
    };
    let first = service.post("/outcomes", &data).await;
    assert_eq!((first.status, counts(&first)), (200, [4, 1, 1, 2]));
    assert_eq!(first.body["errors"][0]["index"], 2);
    let again = service.post("/outcomes", &data).await;
    assert_eq!(counts(&again), [4, 0, 2, 2]);
    let none = service.post("/outcomes", &json!({ "data": [3] })).await;
    assert_eq!((none.status, counts(&none)), (200, [1, 0, 0, 1]));
    for body in [json!({ "data": 3 }), json!({}), json!([])] {
        assert_eq!(service.post("/outcomes", &body).await.status, 422, "{body}");
    }
    let many = json!({ "data": vec![0; 100_001] });
    assert_eq!(service.post("/outcomes", &many).await.status, 413);
}
