//! V1: customers in BigQuery.

use serde_json::{Value, json};
use test_kit::{
    bigquery::{Answer, Asked, Fake, KEY, bytes, refusal, rows, running, service_account},
    http::Reply,
};

use crate::service::Service;

const PATH: &str = "/api/v1/segment_source";

/// Columns of a query for people.
const PEOPLE: [(&str, &str); 8] = [
    ("id", "INTEGER"),
    ("member_key", "STRING"),
    ("version", "INTEGER"),
    ("unsubscribed", "INTEGER"),
    ("written", "STRING"),
    ("name", "STRING"),
    ("phone", "STRING"),
    ("email", "STRING"),
];

/// A row of a query for people: what its key is made of, the key, and the name.
fn person(id: usize, written: &str, key: &str, name: &str) -> Vec<Value> {
    let (phone, email) = ("(11) 98765-4321", format!("{name}@X.co"));
    let row = json!([id.to_string(), key, "0", "0", written, name, phone, email]);
    row.as_array().unwrap().clone()
}

/// Ana, who is registered in some tests, and Bia, who is not.
fn people() -> Vec<Vec<Value>> {
    vec![
        person(1, "a1", "A1", "Ana"),
        person(2, "123.456.789-09", "A2", "Nobody"),
        person(3, "b1", "B1", "Bia"),
    ]
}

fn source() -> Value {
    json!({
        "kind": "bigquery", "project": "p", "dataset": "crm",
        "customers": {"table": "clientes", "id": "id", "document": "cpf", "name": "nome", "phone": "fone",
            "email": "email", "columns": {"city": {"column": "cidade", "type": "STRING"}}},
        "events": {"table": "eventos", "customer_id": "cliente", "name": "tipo", "time": "quando",
            "amount": "valor", "properties": "dados"},
        "credentials": {"service_account": service_account(KEY)},
        "maximum_bytes_billed": 50_000_000, "monthly_bytes": 500_000_000, "timeout_seconds": 30,
    })
}

fn is_dry(asked: &Asked) -> bool {
    asked.body["dryRun"] == true
}

/// A data set that answers queries: dry runs with so many bytes, others with people or their number.
fn answered(asked: &Asked, needed: u64) -> Answer {
    let sql = asked.body["query"].as_str().unwrap_or_default();
    match asked.path.split_once("/tables/") {
        Some((_, table)) => columns(table),
        None if is_dry(asked) => bytes(needed),
        None if sql.contains("AS counts") => {
            rows(1, &[("counts", "STRING")], [vec![json!("2,3,2")]], None)
        }
        None => rows(3, &PEOPLE, people(), None),
    }
}

fn columns(table: &str) -> Answer {
    let columns = match table.split('?').next() {
        Some("clientes") => json!([
            ["id", "INTEGER"],
            ["CPF", "STRING"],
            ["nome", "STRING"],
            ["fone", "STRING"],
            ["email", "STRING"],
            ["cidade", "STRING"]
        ]),
        Some("eventos") => json!([
            ["cliente", "INTEGER"],
            ["tipo", "STRING"],
            ["quando", "TIMESTAMP"],
            ["valor", "NUMERIC"],
            ["dados", "JSON"]
        ]),
        _ => return refusal(404, "notFound", "Not found: Table p:crm.x"),
    };
    let field = |column: &Value| json!({"name": column[0], "type": column[1], "mode": "NULLABLE"});
    let fields: Vec<Value> = columns.as_array().unwrap().iter().map(field).collect();
    Answer::Json(200, json!({ "schema": { "fields": fields } }))
}

async fn service(fake: &Fake) -> Service {
    let url = fake.url.clone();
    Service::with(move |settings| settings.bigquery.endpoint = url).await
}

async fn put(service: &Service, source: &Value) -> Reply {
    service.call("PUT", PATH).json(source).send().await
}

/// A service whose customers are there.
async fn with_source(fake: &Fake, source: &Value) -> Service {
    let service = service(fake).await;
    put(&service, source).await.ok(200);
    service
}

/// An active segment of who lives in Recife; its first refresh has ended.
async fn segment(service: &Service) -> (String, Value) {
    let body = json!({"name": "Recife", "status": "draft"});
    let made = service.post("/api/v1/audiences", body).await.ok(201);
    let id = made["id"].as_str().unwrap().to_owned();
    let city =
        json!({"kind": "property", "field": "city", "operator": "equals", "value": "Recife"});
    let body = json!({"groups": [{"conditions": [city]}]});
    let path = format!("/api/v1/audiences/{id}/segment");
    service.call("PUT", &path).json(&body).send().await.ok(200);
    let path = format!("/api/v1/audiences/{id}");
    let active = json!({"status": "active"});
    service
        .call("PATCH", &path)
        .json(&active)
        .send()
        .await
        .ok(200);
    let done = refresh(service, &id).await;
    (id, done)
}

async fn refresh(service: &Service, id: &str) -> Value {
    let path = format!("/api/v1/audiences/{id}/refresh");
    let call = service.call("POST", &path).header("prefer", "wait=30");
    call.send().await.ok(200)
}

/// The code and the sentence of an operation that failed.
fn failure(operation: &Value) -> (&str, &str) {
    assert_eq!(operation["state"], "failed", "{operation}");
    let error = &operation["error"];
    (
        error["code"].as_str().unwrap(),
        error["detail"].as_str().unwrap(),
    )
}

async fn check(service: &Service) -> Value {
    let path = format!("{PATH}/check");
    service.post(&path, json!({})).await.ok(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_said_masked_and_taken_back() {
    let fake = Fake::with(|asked| answered(asked, 1_000));
    let service = service(&fake).await;
    let local = json!({"kind": "local"});
    assert_eq!(service.get(PATH).await.ok(200), local);
    let checked = check(&service).await;
    assert_eq!(checked, json!({"ok": true, "errors": [], "tables": []}));
    let said = put(&service, &source()).await.ok(200);
    assert_eq!(said["credentials"], "********");
    assert_eq!(service.get(PATH).await.ok(200), said);
    // What was read can be sent back: the credentials stay.
    let mut other = said.clone();
    other["timeout_seconds"] = json!(60);
    let changed = put(&service, &other).await.ok(200);
    assert_eq!(changed["timeout_seconds"], 60);
    assert_eq!(check(&service).await["ok"], true);
    let stored = std::fs::read(service.path("audience.db")).unwrap();
    let shows = |secret: &[u8]| stored.windows(secret.len()).any(|w| w == secret);
    assert!(!shows(b"PRIVATE KEY") && !shows(b"a-user@p"));

    let stranger = |method: &str| service.call(method, PATH).workspace("ws_2");
    assert_eq!(stranger("GET").send().await.ok(200), local);
    let refused = stranger("PUT").json(&said).send().await.ok(422);
    assert_eq!(
        (
            &refused["errors"][0]["pointer"],
            &refused["errors"][0]["code"]
        ),
        (&json!("/credentials"), &json!("required"))
    );

    for _ in 0..2 {
        let removed = service.call("DELETE", PATH).send().await.ok(200);
        assert_eq!(removed, local);
    }
    put(&service, &said).await.ok(422);
    let metadata = {
        let mut source = source();
        source["credentials"] = json!("metadata");
        source
    };
    assert_eq!(
        put(&service, &metadata).await.ok(200)["credentials"],
        "metadata"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_breaks_a_rule_changes_nothing() {
    let fake = Fake::with(|asked| answered(asked, 1_000));
    let service = service(&fake).await;
    let mut wrong = source();
    wrong["customers"]["cpf"] = json!("cpf");
    wrong["events"]["time"] = Value::Null;
    let refused = put(&service, &wrong).await.ok(422);
    let pointers: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/customers/cpf", "/events/time"]);
    assert!(!refused.to_string().contains("PRIVATE KEY"));
    assert_eq!(service.get(PATH).await.ok(200)["kind"], "local");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_of_the_machine_can_be_withheld() {
    let service = Service::with(|settings| settings.bigquery.machine_account = false).await;
    let mut metadata = source();
    metadata["credentials"] = json!("metadata");
    let refused = put(&service, &metadata).await.ok(422);
    assert_eq!(refused["errors"][0]["code"], "metadata_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_table_by_table_what_is_missing() {
    let fake = Fake::with(|asked| answered(asked, 1_000));
    let mut wrong = source();
    wrong["customers"]["document"] = json!("documento");
    wrong["customers"]["columns"]["age"] = json!({"column": "cidade", "type": "INT64"});
    wrong["events"]["table"] = json!("compras");
    let service = with_source(&fake, &wrong).await;
    let checked = check(&service).await;
    assert_eq!(checked["ok"], false);
    let (customers, events) = (&checked["tables"][0], &checked["tables"][1]);
    assert_eq!(
        (&events["member"], &events["error"]["code"]),
        (&json!("events"), &json!("missing_table"))
    );
    let column = |member: &str| {
        let columns = customers["columns"].as_array().unwrap();
        let found = columns.iter().find(|column| column["member"] == member);
        found.unwrap().clone()
    };
    assert_eq!(column("id")["error"], Value::Null);
    let document = column("document");
    assert_eq!(
        (&document["error"]["code"], &document["found"]),
        (&json!("missing_column"), &Value::Null)
    );
    let age = column("columns.age");
    assert_eq!(
        (&age["error"]["code"], &age["found"], &age["expected"]),
        (&json!("wrong_type"), &json!("STRING"), &json!(["INT64"]))
    );
    assert_eq!(checked["usage"]["bytes"], 0);
    assert!(fake.asked().iter().all(|asked| asked.method == "GET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_what_stands_in_the_way() {
    let html = Answer::Text(200, "text/html", b"<h1>Sign in</h1>".to_vec());
    for (answer, code) in [
        (
            refusal(403, "accessDenied", "Access Denied"),
            "access_denied",
        ),
        (
            refusal(403, "quotaExceeded", "Quota exceeded"),
            "quota_exceeded",
        ),
        (refusal(401, "authError", "Invalid"), "credentials_invalid"),
        (
            refusal(404, "notFound", "Not found: Project p"),
            "source_not_found",
        ),
        (html, "not_json"),
        (Answer::Later(429, "3600"), "rate_limited"),
        (Answer::Later(503, "3600"), "source_unavailable"),
    ] {
        let fake = Fake::start([answer]);
        let service = with_source(&fake, &source()).await;
        let checked = check(&service).await;
        assert_eq!(checked["tables"][0]["error"]["code"], code);
    }
    // Whoever may see tables may not be allowed to ask them.
    let fake = Fake::with(|asked| match asked.method.as_str() {
        "GET" => answered(asked, 1_000),
        _ => refusal(403, "accessDenied", "bigquery.jobs.create"),
    });
    let service = with_source(&fake, &source()).await;
    let checked = check(&service).await;
    assert_eq!(
        (&checked["errors"][0]["code"], &checked["tables"][0]["ok"]),
        (&json!("access_denied"), &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_sign_nothing_are_named() {
    let fake = Fake::with(|asked| answered(asked, 1_000));
    let mut wrong = source();
    wrong["credentials"] = json!({"service_account": service_account("no-key-at-all")});
    let service = with_source(&fake, &wrong).await;
    let checked = check(&service).await;
    assert_eq!(checked["tables"][0]["error"]["code"], "credentials_invalid");
    let (_, done) = segment(&service).await;
    assert_eq!(failure(&done).0, "credentials_invalid");
    let shown = format!("{checked}{done}");
    assert!(!shown.contains("no-key-at-all"), "{shown}");
    assert_eq!(fake.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_in_bigquery_become_contacts_and_customers_keep_their_number() {
    let fake = Fake::with(|asked| answered(asked, 1_000));
    let service = with_source(&fake, &source()).await;
    let denied = json!({"email": {"status": "denied"}});
    let ana = json!({"document": "A1", "name": "Ana of the registry", "consents": denied});
    service
        .post("/api/v1/customers", json!({"data": [ana]}))
        .await
        .ok(200);
    let (id, done) = segment(&service).await;
    assert_eq!(done["state"], "succeeded", "{done}");
    // One look compares; the other one, which fills, reads the same result. Whoever's key is not that of the
    // document is no member.
    assert_eq!(
        done["report"],
        json!({"size": 2, "entered": 2, "left": 0, "changed": 0, "unsubscribed": 1,
            "unreadable": 1, "bytes": 10_485_760})
    );
    let path = format!("/api/v1/audiences/{id}/contacts");
    let page = service.get(&path).await.ok(200);
    let data = page["data"].as_array().unwrap();
    let of = |at: usize| (&data[at]["document"], &data[at]["name"], &data[at]["email"]);
    assert_eq!(of(0), (&json!("A1"), &json!("Ana"), &json!("ana@x.co")));
    assert_eq!(of(1), (&json!("B1"), &json!("Bia"), &json!("bia@x.co")));
    assert_eq!(data[0]["phone"], "+5511987654321");
    assert_eq!(data[0]["raw"]["document"], "a1");
    let asked = fake.asked();
    let query = asked
        .iter()
        .find(|asked| asked.method == "POST" && !is_dry(asked));
    let body = &query.unwrap().body;
    assert_eq!(body["maximumBytesBilled"], "50000000");
    assert_eq!(body["jobTimeoutMs"], "30000");
    assert!(!body["query"].as_str().unwrap().contains("Recife"));

    let again = refresh(&service, &id).await;
    assert_eq!(again["report"]["changed"], 0);
    assert_eq!(again["report"]["bytes"], 10_485_760);
    assert_eq!(check(&service).await["usage"]["bytes"], 20_971_520);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_people_of_bigquery_and_its_bytes() {
    let fake = Fake::with(|asked| answered(asked, 1_000));
    let service = with_source(&fake, &source()).await;
    service
        .post("/api/v1/customers", json!({"data": [{"document": "A1"}]}))
        .await
        .ok(200);
    let city =
        json!({"kind": "property", "field": "city", "operator": "equals", "value": "Recife"});
    let body = json!({"groups": [{"conditions": [city]}]});
    let preview = service.post("/api/v1/segments/preview", body).await.ok(200);
    assert_eq!(
        (&preview["count"], &preview["exact"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(preview["bytes_processed"], 20_971_520);
    assert_eq!(
        preview["sample"],
        json!([{"customer_id": 1, "document": "**"}, {"customer_id": null, "document": "**"}])
    );
    let tagged = json!({"kind": "tag", "operator": "has", "value": "vip"});
    let body = json!({"groups": [{"conditions": [tagged]}]});
    let refused = service.post("/api/v1/segments/preview", body).await;
    assert_eq!(refused.ok(422)["code"], "unsupported_condition");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_over_its_limit_fails_before_it_costs_anything() {
    let fake = Fake::with(|asked| answered(asked, 50_000_001));
    let service = with_source(&fake, &source()).await;
    let (id, done) = segment(&service).await;
    let (code, detail) = failure(&done);
    assert_eq!(code, "bytes_limit");
    for number in ["50000001", "50000000", "maximum_bytes_billed"] {
        assert!(detail.contains(number), "{detail}");
    }
    let city =
        json!({"kind": "property", "field": "city", "operator": "equals", "value": "Recife"});
    let body = json!({"groups": [{"conditions": [city]}]});
    service
        .post("/api/v1/segments/preview", body)
        .await
        .refused(409, "bytes_limit");
    assert!(fake.asked().iter().all(is_dry));
    assert_eq!(check(&service).await["usage"]["bytes"], 0);
    let path = format!("/api/v1/audiences/{id}");
    assert_eq!(service.get(&path).await.ok(200)["status"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_of_a_month_have_a_limit_together() {
    let fake = Fake::with(|asked| answered(asked, 1_000));
    let mut source = source();
    source["monthly_bytes"] = json!(10_486_240);
    let service = with_source(&fake, &source).await;
    let (id, done) = segment(&service).await;
    assert_eq!(done["state"], "succeeded", "{done}");
    let asked = fake.asked().len();
    let done = refresh(&service, &id).await;
    let (code, detail) = failure(&done);
    assert_eq!(code, "bytes_limit");
    for number in ["1000", "480", "monthly_bytes"] {
        assert!(detail.contains(number), "{detail}");
    }
    assert!(fake.asked().iter().skip(asked).all(is_dry));
    // What readers see is what was there.
    let path = format!("/api/v1/audiences/{id}");
    assert_eq!(service.get(&path).await.ok(200)["contacts"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_bigquery_keeps_is_told_alike() {
    let limit = "Query exceeded limit for bytes billed: 50000000. 60000000 or higher required.";
    let fake = Fake::with(move |asked| match is_dry(asked) {
        true => bytes(1_000),
        false => refusal(400, "bytesBilledLimitExceeded", limit),
    });
    let service = with_source(&fake, &source()).await;
    let (_, done) = segment(&service).await;
    let (code, detail) = failure(&done);
    assert_eq!(code, "bytes_limit");
    assert!(
        detail.contains("60000000") && detail.contains("50000000"),
        "{detail}"
    );
    assert_eq!(check(&service).await["usage"]["bytes"], 0);
}

/// What a refresh ends with whose queries are answered like this.
async fn refreshed(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> (Value, Fake) {
    let fake = Fake::with(move |asked| match is_dry(asked) {
        true => bytes(1_000),
        false => answer(asked),
    });
    let mut source = source();
    source["timeout_seconds"] = json!(1);
    let service = with_source(&fake, &source).await;
    let (_, done) = segment(&service).await;
    (done, fake)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_bigquery_refuses_fails_by_name() {
    let html = Answer::Text(200, "text/html", b"<h1>Sign in</h1>".to_vec());
    for (answer, expected) in [
        (
            refusal(403, "accessDenied", "Access Denied"),
            "access_denied",
        ),
        (html, "not_json"),
        (
            refusal(400, "invalidQuery", "Unrecognized name: cidade at [1:20]"),
            "query_refused",
        ),
    ] {
        let (done, _) = refreshed(move |_| answer.clone()).await;
        assert_eq!(failure(&done).0, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_that_repeats_ends_the_refresh() {
    let page = |_: &Asked| rows(9, &PEOPLE, [person(1, "a1", "A1", "Ana")], Some("again"));
    let (done, fake) = refreshed(page).await;
    let (code, detail) = failure(&done);
    assert_eq!(code, "malformed_answer");
    assert!(detail.contains("page_token_repeats"), "{detail}");
    assert!(fake.asked().len() < 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_out_of_order_end_the_refresh() {
    let page = |_: &Asked| {
        let people = [person(1, "b1", "B1", "Bia"), person(2, "a1", "A1", "Ana")];
        rows(2, &PEOPLE, people, None)
    };
    let (done, _) = refreshed(page).await;
    assert_eq!(failure(&done).0, "malformed_answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_never_ends_is_cancelled_when_its_time_is_over() {
    let (done, fake) = refreshed(|_| running()).await;
    assert_eq!(failure(&done).0, "source_timeout");
    assert_eq!(fake.cancelled().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_waited_for() {
    let refused = std::sync::atomic::AtomicBool::new(false);
    let fake = Fake::with(move |asked| {
        let first = !is_dry(asked) && !refused.swap(true, std::sync::atomic::Ordering::SeqCst);
        match first {
            true => Answer::Later(429, "0"),
            false => answered(asked, 1_000),
        }
    });
    let service = with_source(&fake, &source()).await;
    let (_, done) = segment(&service).await;
    assert_eq!(done["state"], "succeeded", "{done}");
}
