use serde_json::{Value, json};

use super::*;

fn whole() -> Value {
    json!({
        "kind": "bigquery", "project": "loja", "dataset": "crm", "location": "southamerica-east1",
        "customers": {"table": "clientes", "id": "id", "document": "cpf", "name": "nome", "phone": "fone",
            "email": "email", "columns": {
                "city": {"column": "cidade", "type": "STRING"},
                "attributes.plan": {"column": "plano", "type": "STRING"},
                "created_at": {"column": "criado", "type": "TIMESTAMP"},
            }},
        "events": {"table": "eventos", "customer_id": "cliente", "name": "tipo", "time": "quando",
            "amount": "valor", "properties": "dados"},
        "credentials": {"service_account": {"type": "service_account", "client_email": "a@b.c",
            "private_key": "-----BEGIN", "private_key_id": "k", "project_id": "loja"}},
        "maximum_bytes_billed": 1_000_000, "monthly_bytes": 5_000_000, "timeout_seconds": 30,
    })
}

fn broken(json: &Value) -> Vec<(String, &'static str)> {
    let wrong = SegmentSource::parse(json).unwrap_err();
    wrong.into_iter().map(|v| (v.pointer, v.code)).collect()
}

#[test]
fn what_is_answered_reads_back_with_credentials_unchanged() {
    let read = SegmentSource::parse(&whole()).unwrap();
    let SegmentSource::BigQuery(source, credentials) = &read else {
        panic!("not local");
    };
    assert!(matches!(
        credentials,
        GivenCredentials::New(SourceCredentials::ServiceAccount(_))
    ));
    assert_eq!(source.customers.columns["attributes.plan"].column, "plano");
    let answered = read.to_json();
    assert_eq!(answered["credentials"], CREDENTIALS_MASK);
    let again = SegmentSource::parse(&answered).unwrap();
    let unchanged = SegmentSource::BigQuery(source.clone(), GivenCredentials::Unchanged);
    assert_eq!(again, unchanged);
    assert_eq!(again.to_json(), answered);
    let local = SegmentSource::parse(&json!({"kind": "local"})).unwrap();
    assert_eq!(local.to_json(), json!({"kind": "local"}));
}

#[test]
fn what_is_not_said_has_a_default_and_a_bound() {
    let small = json!({"kind": "bigquery", "project": "p", "dataset": "d", "credentials": "metadata",
        "customers": {"table": "t", "id": "id"}});
    let SegmentSource::BigQuery(source, credentials) = SegmentSource::parse(&small).unwrap() else {
        panic!("not local");
    };
    assert_eq!(
        credentials,
        GivenCredentials::New(SourceCredentials::Metadata)
    );
    assert_eq!(
        (
            source.maximum_bytes_billed,
            source.monthly_bytes,
            source.timeout_seconds
        ),
        (10 << 30, 1 << 40, 300)
    );
    assert_eq!((source.events, source.location), (None, None));
}

#[test]
fn properties_are_json_or_a_text_of_it() {
    let mut json = whole();
    json["events"]["properties"] = json!({"column": "dados", "type": "STRING"});
    let read = SegmentSource::parse(&json).unwrap();
    assert_eq!(
        read.to_json()["events"]["properties"],
        json!({"column": "dados", "type": "STRING"})
    );
    json["events"]["properties"] = json!({"column": "dados", "type": "INT64"});
    assert_eq!(
        broken(&json),
        [("/events/properties/type".into(), "unknown_value")]
    );
}

#[test]
fn every_broken_rule_has_its_place() {
    for (pointer, value, code) in [
        ("/kind", json!("oracle"), "unknown_value"),
        ("/project", json!("a.b"), "invalid_value"),
        ("/project", json!(7), "invalid_type"),
        ("/dataset", json!(null), "required"),
        ("/location", json!("são paulo"), "invalid_value"),
        ("/colour", json!("red"), "unknown_member"),
        ("/customers", json!([]), "invalid_type"),
        ("/customers/table", json!("a`b"), "invalid_value"),
        ("/customers/id", json!(""), "invalid_value"),
        ("/customers/cpf", json!("cpf"), "unknown_member"),
        (
            "/customers/columns/name",
            json!({"column": "n", "type": "STRING"}),
            "invalid_value",
        ),
        (
            "/customers/columns/city/type",
            json!("TEXT"),
            "unknown_value",
        ),
        (
            "/customers/columns/city/type",
            json!("JSON"),
            "invalid_value",
        ),
        (
            "/customers/columns/created_at/type",
            json!("STRING"),
            "invalid_value",
        ),
        ("/customers/columns/city/column", json!(null), "required"),
        ("/events/time", json!(null), "required"),
        ("/credentials", json!(null), "required"),
        ("/credentials", json!("secret"), "unknown_value"),
        ("/credentials/service_account", json!("{}"), "invalid_type"),
        (
            "/credentials/service_account/type",
            json!("authorized_user"),
            "invalid_value",
        ),
        (
            "/credentials/service_account/private_key",
            json!(7),
            "required",
        ),
        ("/maximum_bytes_billed", json!(0), "invalid_value"),
        ("/monthly_bytes", json!("5"), "invalid_value"),
        ("/monthly_bytes", json!(-1), "invalid_value"),
        ("/timeout_seconds", json!(3_601), "invalid_value"),
        ("/timeout_seconds", json!(1.5), "invalid_value"),
    ] {
        let mut json = whole();
        let (at, member) = pointer.rsplit_once('/').unwrap();
        json.pointer_mut(at).unwrap()[member] = value;
        assert_eq!(broken(&json), [(pointer.to_owned(), code)], "{pointer}");
    }
    assert_eq!(broken(&json!("local")), [(String::new(), "invalid_type")]);
    let local = json!({"kind": "local", "project": "p"});
    assert_eq!(broken(&local), [("/project".into(), "unknown_member")]);
    let mut two = whole();
    two["project"] = json!(1);
    two["timeout_seconds"] = json!(0);
    assert_eq!(broken(&two).len(), 2);
}

#[test]
fn a_month_is_that_of_utc() {
    let month = BillingMonth::of("2026-03-31T22:00:00-03:00".parse().unwrap());
    assert_eq!(
        (month.number(), month.to_string()),
        (202_604, "2026-04".into())
    );
}

#[test]
fn credentials_never_show() {
    let read = SegmentSource::parse(&whole()).unwrap();
    for shown in [format!("{read:?}"), read.to_json().to_string()] {
        assert!(
            !shown.contains("BEGIN") && !shown.contains("a@b.c"),
            "{shown}"
        );
    }
    let mut json = whole();
    json["credentials"]["service_account"]["type"] = json!("x");
    let wrong = SegmentSource::parse(&json).unwrap_err();
    assert!(!format!("{wrong:?}").contains("BEGIN"));
}

#[test]
fn a_table_needs_the_columns_that_are_named() {
    let SegmentSource::BigQuery(source, _) = SegmentSource::parse(&whole()).unwrap() else {
        panic!("not local");
    };
    let tables = source.tables();
    let columns = |at: usize| -> Vec<(String, String)> {
        let needed = tables[at].2.iter();
        needed
            .map(|column| {
                let types: Vec<&str> = column.types.iter().map(|t| t.as_str()).collect();
                (column.purpose.clone(), types.join("|"))
            })
            .collect()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!((tables[0].0, tables[0].1), ("customers", "clientes"));
    assert_eq!(columns(0)[0], pair("id", "INT64|STRING"));
    assert!(columns(0).contains(&pair("columns.created_at", "TIMESTAMP")));
    assert_eq!(
        columns(1),
        [
            pair("customer_id", "INT64|STRING"),
            pair("name", "STRING"),
            pair("time", "TIMESTAMP"),
            pair("amount", "NUMERIC|INT64|BIGNUMERIC|FLOAT64"),
            pair("properties", "JSON"),
        ]
    );
}
