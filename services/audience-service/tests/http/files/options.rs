//! How a file is to be read, where a client says it.

use serde_json::json;

use super::service::Service;

const TITLED: &str = "Relatorio, de clientes\n\nc\u{f3}digo|nome\n11144477735|Jos\u{e9}\n";

#[tokio::test(flavor = "multi_thread")]
async fn options_are_parameters_or_fields_of_the_form() {
    let service = Service::start().await;
    let latin: Vec<u8> = TITLED
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let query = "?header=3&delimiter=%7C&encoding=iso-8859-1";
    let upload = service.upload_as(query, &latin).await;
    let found = upload.body["detected"].clone();
    assert_eq!(
        found["columns"],
        json!(["c\u{f3}digo", "nome"]),
        "{}",
        upload.text
    );
    assert_eq!(
        (&found["header"], &found["delimiter"]),
        (&json!(3), &json!("|"))
    );
    let mapping = json!({ "c\u{f3}digo": "document" });
    let (audience, ended) = service.made_of("Base", &upload, mapping).await;
    assert_eq!(ended["report"]["received"], 1, "{ended}");
    assert_eq!(
        service.members(&audience).await["11144477735"]["name"],
        "Jos\u{e9}"
    );
    let fields = [
        ("header", "false"),
        ("delimiter", "|"),
        ("encoding", ""),
        ("file", "cpf|nome\n"),
    ];
    let form = service.form("aaa", &fields, "k1").await;
    assert_eq!(
        form.body["detected"]["columns"],
        json!(["column_1", "column_2"])
    );
    // The same file, to be read in another way, is another request.
    let fields = [
        ("header", "true"),
        ("delimiter", "|"),
        ("file", "cpf|nome\n"),
    ];
    let other = service.form("aaa", &fields, "k1").await;
    assert_eq!(other.member("code"), "idempotency_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_option_is_named() {
    let service = Service::start().await;
    for (query, pointer, code) in [
        ("header=0", "/header", "invalid_header"),
        ("header=9", "/header", "no_such_header"),
        ("header=2", "/header", "no_such_header"),
        ("encoding=klingon", "/encoding", "unknown_encoding"),
        ("delimiter=ab", "/delimiter", "invalid_delimiter"),
        ("delimiter=%22", "/delimiter", "invalid_delimiter"),
    ] {
        let refused = service
            .upload_as(&format!("?{query}"), TITLED.as_bytes())
            .await;
        assert_eq!(refused.status, 422, "{query}: {}", refused.text);
        let error = refused.body["errors"][0].clone();
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!(pointer), &json!(code)),
            "{query}"
        );
    }
    let late = [("file", "cpf\n1\n"), ("sheet", "x")];
    let late = service.form("aaa", &late, "k2").await;
    assert_eq!(
        late.body["errors"][0]["code"], "misplaced_field",
        "{}",
        late.text
    );
    assert_eq!(service.stored_files(), 0);
}
