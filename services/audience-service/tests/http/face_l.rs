//! Face L: what its clients rely on.

use serde_json::{Value, json};

use crate::service::{Service, documents, people};

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_bodies_fill_a_list() {
    let service = Service::start().await;
    let body = json!({"payload": {"name": " Lista - clientes ", "data": [{
        "document": "123.456.789-00", "name": "Nome do Contato",
        "phone": "5511999999999", "email": "Email@Example.example", "city": "Recife",
    }]}});
    let made = service.post("/create", body).await.ok(201);
    let id = made["id"].as_str().unwrap();
    assert!(id.bytes().all(|b| b.is_ascii_digit()), "{id}");
    let expected = json!({
        "id": id, "snowflake_id": id, "name": "Lista - clientes", "contacts": 1,
        "received": 1, "inserted": 1, "updated": 0, "unchanged": 0, "rejected": 0, "errors": [],
    });
    assert_eq!(made, expected);

    let body = json!({"payload": {"snowflake_id": id, "data": [
        {"document": "000.000.000-00", "name": "Nomeado"},
        {"document": "00000000000", "name": "Nomeado 2"},
        {"name": "sem documento"},
        7,
    ]}});
    let added = service.post("/insert", body).await.ok(200);
    assert_eq!(
        (
            &added["contacts"],
            &added["received"],
            &added["inserted"],
            &added["updated"]
        ),
        (&json!(2), &json!(4), &json!(1), &json!(1))
    );
    let errors = added["errors"].as_array().unwrap();
    assert_eq!((&added["rejected"], errors.len()), (&json!(2), 2));
    assert_eq!(
        (&errors[0]["index"], &errors[0]["field"]),
        (&json!(2), &json!("document"))
    );
    assert_eq!(
        (&errors[0]["code"], &errors[1]["code"]),
        (&json!("document_missing"), &json!("not_an_object"))
    );

    let page = service.get(&format!("/list/{id}?page=1")).await.ok(200);
    assert_eq!(documents(&page), ["00000000000", "12345678900"]);
    let last = page["data"][0]["name"].as_str();
    assert_eq!(
        last,
        Some("Nomeado 2"),
        "the last record of a document counts"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_read_with_what_it_came_as() {
    let service = Service::start().await;
    let body = json!({"name": "Base", "data": [{
        "document": "123.456.789-00", "name": "Nome do Contato",
        "phone": "5511999999999", "email": "Email@Example.example", "city": "Recife",
    }]});
    let made = service.post("/create", body).await.ok(201);
    let id = made["id"].as_str().unwrap();
    let page = service.get(&format!("/list/{id}")).await.ok(200);
    let mut contact = page["data"][0].clone();
    assert!(
        contact["contact_id"]
            .as_str()
            .is_some_and(|c| !c.contains("12345678900"))
    );
    assert!(
        contact["updated_at"]
            .as_str()
            .is_some_and(|t| t.len() == 24 && t.ends_with('Z'))
    );
    contact
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name != "contact_id" && name != "updated_at");
    let expected = json!({
        "document": "12345678900", "document_kind": "cpf", "document_valid": false,
        "name": "Nome do Contato", "phone": "+5511999999999", "phone_valid": true,
        "email": "email@example.example", "email_valid": true, "attributes": {"city": "Recife"},
        "raw": {"document": "123.456.789-00", "phone": "5511999999999", "email": "Email@Example.example"},
    });
    assert_eq!(contact, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_emptied_dropped_and_restored() {
    let service = Service::start().await;
    let id = service.list("Base", &["1", "2"]).await;
    let emptied = service
        .delete("/delete", json!({"payload": {"snowflake_id": id}}))
        .await
        .ok(200);
    assert_eq!(
        (&emptied["id"], &emptied["contacts"], &emptied["deleted_at"]),
        (&json!(id), &json!(0), &Value::Null)
    );
    let operation = emptied["operation_id"].as_str().unwrap();
    let again = service
        .delete("/delete", json!({"snowflake_id": id}))
        .await
        .ok(200);
    assert_eq!(again["operation_id"], operation);
    let undo = format!("/api/v1/operations/{operation}/undo");
    service.post(&undo, json!({})).await.ok(200);
    let back = service.get(&format!("/list/{id}")).await.ok(200);
    assert_eq!(back["total"], 2);

    let dropped = service
        .delete("/drop", json!({"payload": {"snowflake_id": id}}))
        .await
        .ok(200);
    let at = dropped["deleted_at"].clone();
    assert!(
        at.is_string() && dropped.get("operation_id").is_none(),
        "{dropped}"
    );
    let again = service
        .delete("/drop", json!({"snowflake_id": id}))
        .await
        .ok(200);
    assert_eq!(again["deleted_at"], at);
    assert_eq!(
        service.get(&format!("/list/{id}")).await.ok(200)["total"],
        2
    );
    for (method, command) in [("POST", "/insert"), ("DELETE", "/delete")] {
        let body = json!({"snowflake_id": id, "data": people(&["1"])});
        service
            .call(method, command)
            .json(&body)
            .send()
            .await
            .refused(409, "audience_deleted");
    }
    for _ in 0..2 {
        let restored = service
            .post("/restore", json!({"payload": {"snowflake_id": id}}))
            .await
            .ok(200);
        let expected = json!({"id": id, "snowflake_id": id, "contacts": 2, "deleted_at": null});
        assert_eq!(restored, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_lists_are_streamed_the_dropped_ones_included() {
    let service = Service::start().await;
    assert_eq!(service.get("/list").await.text, "[]");
    let first = service.list("Zebra", &["1", "2"]).await;
    for n in 0..520 {
        service.list(&format!("L {n}"), &[]).await;
    }
    let gone = service.list("Apple", &["1"]).await;
    service
        .delete("/drop", json!({"snowflake_id": gone}))
        .await
        .ok(200);
    let reply = service.get("/list").await;
    assert_eq!(reply.header("content-type"), "application/json");
    let all = reply.body.as_array().unwrap();
    assert_eq!(all.len(), 522);
    let ids: std::collections::HashSet<_> = all.iter().map(|a| a["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 522, "each once");
    let mut row = all[0].clone();
    let times =
        ["created_at", "updated_at"].map(|name| row.as_object_mut().unwrap().remove(name).unwrap());
    assert!(times.iter().all(Value::is_string));
    let expected = json!({
        "id": first, "name": "Zebra", "contacts": 2, "source_id": "api",
        "collection": "contacts", "deleted_at": null,
    });
    assert_eq!(row, expected);
    assert!(all[521]["deleted_at"].is_string());
    let other = service.call("GET", "/list").workspace("ws_2").send().await;
    assert_eq!(other.text, "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_by_page_and_by_cursor() {
    let service = Service::start().await;
    let id = service.list("Base", &["a", "b", "c", "d", "e"]).await;
    let path = format!("/list/{id}");
    let page = service
        .get(&format!("{path}?page=2&per_page=2"))
        .await
        .ok(200);
    assert_eq!(documents(&page), ["C", "D"]);
    assert_eq!(
        (
            &page["current_page"],
            &page["per_page"],
            &page["last_page"],
            &page["total"]
        ),
        (&json!(2), &json!(2), &json!(3), &json!(5))
    );
    let beyond = service
        .get(&format!("{path}?page=2147483647&per_page=1000"))
        .await
        .ok(200);
    assert_eq!(
        (
            &beyond["data"],
            &beyond["last_page"],
            &beyond["next_cursor"]
        ),
        (&json!([]), &json!(1), &Value::Null)
    );
    let empty = service.list("Empty", &[]).await;
    let empty = service.get(&format!("/list/{empty}")).await.ok(200);
    assert_eq!(
        (&empty["total"], &empty["last_page"], &empty["per_page"]),
        (&json!(0), &json!(1), &json!(100))
    );

    // A walk keeps the removals that it began with, whatever happens meanwhile.
    let emptied = service.delete("/delete", json!({"snowflake_id": id})).await;
    emptied.ok(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = service
        .get(&format!("{path}?per_page=2&cursor={cursor}"))
        .await
        .ok(200);
    assert_eq!(
        (documents(&rest), &rest["next_cursor"]),
        (vec!["E"], &Value::Null)
    );

    let other = service.list("Other", &["a"]).await;
    let altered = format!(
        "{}{}",
        &cursor[..cursor.len() - 2],
        if cursor.ends_with('A') { "BB" } else { "AA" }
    );
    let foreign = service
        .call("GET", &format!("{path}?cursor={cursor}"))
        .workspace("ws_2")
        .send()
        .await;
    assert!(matches!(foreign.status, 400 | 404), "{}", foreign.text);
    for bad in [
        format!("/list/{other}?cursor={cursor}"),
        format!("{path}?cursor={altered}"),
        format!("{path}?cursor=x"),
    ] {
        service.get(&bad).await.refused(400, "invalid_cursor");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_repeated_by_its_key() {
    let service = Service::start().await;
    let create = |body: Value| {
        service
            .call("POST", "/create")
            .header("Idempotency-Key", "k-1")
            .json(&body)
            .send()
    };
    let body = json!({"name": "Once", "data": people(&["1"])});
    let first = create(body.clone()).await;
    let second = create(body).await;
    assert_eq!((first.status, &first.text), (201, &second.text));
    assert_eq!(
        (
            first.header("idempotent-replayed"),
            second.header("idempotent-replayed")
        ),
        ("", "true")
    );
    create(json!({"name": "Twice", "data": []}))
        .await
        .refused(422, "idempotency_mismatch");
    let one = service.list("One", &[]).await;
    let two = service.list("Two", &[]).await;
    let restore = |id: &str| {
        let path = format!("/restore?snowflake_id={id}");
        service
            .call("POST", &path)
            .header("Idempotency-Key", "k-2")
            .send()
    };
    assert_eq!(restore(&one).await.ok(200)["id"], one);
    restore(&two).await.refused(422, "idempotency_mismatch");
    let bad = service
        .call("POST", "/create")
        .header("Idempotency-Key", "não");
    bad.json(&json!({"name": "X", "data": []}))
        .send()
        .await
        .refused(400, "invalid_idempotency_key");
}
