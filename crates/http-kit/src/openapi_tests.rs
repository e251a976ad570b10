use serde_json::{Value, json};

use super::*;

/// The document after what is shared was added.
fn completed(paths: &Value) -> Value {
    let document = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "security": [{"key": []}],
        "paths": paths,
    });
    let mut document: OpenApi = serde_json::from_value(document).unwrap();
    let shape = ErrorShape {
        has: |path| path.starts_with("/older"),
        body: |_| Value::Null,
        status: |problem, _| problem.status(),
        schema: "Older",
    };
    Shared(&[shape]).modify(&mut document);
    serde_json::to_value(document).unwrap()
}

fn statuses(operation: &Value) -> Vec<&str> {
    let answers = operation["responses"].as_object().unwrap();
    answers.keys().map(String::as_str).collect()
}

#[test]
fn an_operation_declares_what_comes_from_around_it() {
    let body = json!({"content": {"application/json": {}}});
    let id = json!({"name": "id", "in": "path", "required": true});
    let limit =
        json!({"name": "limit", "in": "query", "required": false, "schema": {"type": "string"}});
    let document = completed(&json!({
        "/api/v1/lists": {
            "get": {"parameters": [limit], "responses": {}},
            "post": {"requestBody": body, "responses": {"202": {"description": "Begun"}}},
        },
        "/lists/{id}": {"put": {"parameters": [id], "requestBody": body, "responses": {}}},
        "/jobs": {"post": {"security": [{"admin": []}], "responses": {}}},
    }));
    let paths = &document["paths"];
    let listed = &paths["/api/v1/lists"];
    let read = ["400", "401", "403", "422", "500", "503"];
    assert_eq!(statuses(&listed["get"]), read);
    let posted = [
        "202", "400", "401", "403", "408", "409", "413", "415", "422", "500", "503", "507",
    ];
    assert_eq!(statuses(&listed["post"]), posted);
    let put = [
        "400", "401", "403", "404", "408", "413", "415", "500", "503", "507",
    ];
    assert_eq!(statuses(&paths["/lists/{id}"]["put"]), put);
    assert_eq!(
        statuses(&paths["/jobs"]["post"]),
        ["400", "408", "413", "415", "500", "503", "507"]
    );
    let limit = &listed["get"]["parameters"][0]["schema"];
    assert_eq!(
        limit,
        &json!({"type": "integer", "minimum": 1, "maximum": 1000})
    );
    let names = |operation: &Value| -> Vec<Value> {
        let all = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        all.iter().map(|header| header["name"].clone()).collect()
    };
    assert_eq!(names(&listed["post"]), ["Idempotency-Key", "Prefer"]);
    assert!(names(&paths["/jobs"]["post"]).is_empty());
}

#[test]
fn problems_have_their_content_type_and_other_answers_keep_theirs() {
    let problem = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
    let other = json!({"application/json": {"schema": {"type": "object"}}});
    let document = completed(&json!({"/lists": {"get": {"responses": {
        "200": {"description": "Lists", "content": other},
        "400": {"description": "Refused by the face", "content": other},
        "401": {"description": "Said by the operation", "content": problem},
    }}}}));
    let answers = &document["paths"]["/lists"]["get"]["responses"];
    let types = |status: &str| -> Vec<&str> {
        let content = answers[status]["content"].as_object().unwrap();
        content.keys().map(String::as_str).collect()
    };
    assert_eq!(types("200"), ["application/json"]);
    assert_eq!(
        types("400"),
        ["application/json", "application/problem+json"]
    );
    assert_eq!(types("401"), ["application/problem+json"]);
    assert_eq!(answers["401"]["description"], "Said by the operation");
}

#[test]
fn a_face_with_errors_of_its_own_declares_them_everywhere() {
    let own = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Older"}}});
    let document = completed(&json!({"/older/{id}": {"post": {"responses": {
        "200": {"description": "Done"},
        "409": {"description": "Refused"},
    }}}}));
    let answers = document["paths"]["/older/{id}"]["post"]["responses"].as_object();
    for (status, answer) in answers.unwrap() {
        match status.as_str() {
            "200" => assert_eq!(answer["content"], Value::Null),
            _ => assert_eq!(answer["content"], own, "{status}"),
        }
    }
}
