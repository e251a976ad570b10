//! Face J, to the letter of its seed.

use fake_crm::Plan;
use serde_json::{Value, json};

use crate::service::{ADMIN, Service};

const PATHS: [&str; 3] = [
    "/api/jobs/import",
    "/api/jobs/import/meu-cliente",
    "/api/admin/sync/contacts",
];

/// The seed's two members, and one more.
#[track_caller]
fn started(body: &Value, message: &str, slug: &str) {
    let members = body.as_object().unwrap();
    assert_eq!(members.len(), 3, "{body}");
    assert_eq!(
        (&body["message"], &body["slug"]),
        (&json!(message), &json!(slug))
    );
    assert!(body["operation_id"].as_str().unwrap().starts_with("op_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn d10_only_the_whole_token_opens() {
    let service = Service::start().await;
    let wrong = ["", "x", "ADM1N", "adm1", "adm1n1", "adm1n, adm1n"];
    for path in PATHS {
        for token in wrong {
            let headers = [("x-admin-token", token)];
            let reply = service.send("POST", path, &headers, "").await;
            assert_eq!(
                (reply.status, reply.text.as_str()),
                (401, r#"{"error":"unauthorized"}"#)
            );
        }
        let once = service.call("POST", path).header("x-admin-token", ADMIN);
        let twice = once.and_header("X-Admin-Token", "x");
        assert_eq!(twice.send().await.status, 401);
        assert_eq!(service.admin("POST", path, "").await.status, 202);
        assert_eq!(service.admin("GET", path, "").await.status, 405);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_configured_token_nobody_gets_in() {
    for token in [None, Some("")] {
        let service = Service::with(Plan::default(), token).await;
        for path in PATHS {
            for sent in ["", ADMIN] {
                let headers = [("x-admin-token", sent)];
                let reply = service.send("POST", path, &headers, "").await;
                assert_eq!(reply.status, 401);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_the_seeds_whether_or_not_there_is_such_a_client() {
    let service = Service::start().await;
    let client = service.client("meu-cliente").await;
    let tickets = "Import job started";
    let contacts = "Contacts sync job started";
    for (path, message, slug) in [
        ("/api/jobs/import", tickets, "all"),
        ("/api/jobs/import/meu-cliente", tickets, "meu-cliente"),
        ("/api/jobs/import/nobody", tickets, "nobody"),
        ("/api/jobs/import/N%C3%A3o%20h%C3%A1", tickets, "Não há"),
        ("/api/admin/sync/contacts", contacts, "all"),
        (
            "/api/admin/sync/contacts?clientSlug=x&slug=y",
            contacts,
            "x",
        ),
        (
            "/api/admin/sync/contacts?slug=meu-cliente",
            contacts,
            "meu-cliente",
        ),
        ("/api/admin/sync/contacts?slug=%20", contacts, "all"),
    ] {
        let body = service.admin("POST", path, "").await.ok(202);
        started(&body, message, slug);
        let job = format!("/api/jobs/{}", body["operation_id"].as_str().unwrap());
        let job = service.admin("GET", &job, "").await.ok(200);
        let processed = u64::from(matches!(slug, "all" | "meu-cliente"));
        assert_eq!(job["clients_processed"], processed, "{job}");
        if processed == 0 {
            assert_eq!(job["state"], "completed");
        }
    }
    service
        .send("DELETE", &format!("/api/v1/clients/{client}"), &[], "")
        .await
        .ok(200);
    let body = service
        .admin("POST", "/api/jobs/import/meu-cliente", "")
        .await
        .ok(202);
    started(&body, tickets, "meu-cliente");
    let job = format!("/api/jobs/{}", body["operation_id"].as_str().unwrap());
    assert_eq!(
        service.admin("GET", &job, "").await.ok(200)["clients_processed"],
        0
    );
    assert_eq!(service.get(&job).await.status, 401);
    assert_eq!(service.admin("GET", "/api/jobs/op_1", "").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_counts_for_contacts_only_and_an_unreadable_one_starts_nothing() {
    let service = Service::start().await;
    let path = "/api/admin/sync/contacts";
    for (body, slug) in [
        (r#"{"clientSlug":"a","slug":"b"}"#, "a"),
        (r#"{"slug":"b"}"#, "b"),
        (r#"{"slug":""}"#, "all"),
        ("{}", "all"),
        (" ", "all"),
    ] {
        let reply = service.admin("POST", path, body).await.ok(202);
        started(&reply, "Contacts sync job started", slug);
    }
    let both = format!("{path}?slug=q");
    let reply = service.admin("POST", &both, r#"{"clientSlug":"b"}"#).await;
    assert_eq!(
        reply.ok(202)["slug"],
        "b",
        "clientSlug of the body before slug of the query"
    );
    for bad in [
        "{",
        "[]",
        "\"x\"",
        "null",
        r#"{"slug":1}"#,
        r#"{"clientSlug":null}"#,
    ] {
        let reply = service.admin("POST", path, bad).await;
        assert_eq!(
            (reply.status, reply.text.as_str()),
            (400, r#"{"error":"invalid body"}"#),
            "{bad}"
        );
    }
    let large = format!("{{\"slug\":\"{}\"}}", "x".repeat(100_000));
    assert_eq!(service.admin("POST", path, &large).await.status, 400);
    for path in &PATHS[..2] {
        assert_eq!(
            service.admin("POST", path, "{").await.status,
            202,
            "bodies are ignored"
        );
    }
}
