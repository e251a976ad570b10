//! Files that are read for their documents alone.

use serde_json::json;

use test_kit::http::Reply;

use super::service::Service;

/// An audience of these documents, recycled by a file: dry, then in earnest.
async fn recycled(
    service: &Service,
    file: &Reply,
    documents: &[&str],
) -> (Reply, Reply, Vec<String>) {
    assert_eq!(file.status, 201, "{}", file.text);
    let data: Vec<_> = documents.iter().map(|d| json!({ "document": d })).collect();
    let name = file.member("id");
    let made = service
        .post("/audiences", &json!({ "name": name, "data": data }))
        .await;
    let audience = made.member("id");
    let path = format!("/audiences/{audience}/recycle");
    let rules = json!({ "upload_id": file.member("id") });
    let body = json!({ "rules": rules, "dry_run": true });
    let dry = service.post(&path, &body).await;
    assert_eq!(dry.status, 200, "{}", dry.text);
    let body = json!({ "rules": rules, "plan": dry.member("plan") });
    let ended = service.post(&path, &body).await;
    assert_eq!(ended.member("state"), "succeeded", "{}", ended.text);
    let left = service.members(&audience).await;
    (dry, ended, left.into_keys().collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_counts_by_its_document_whatever_else_is_wrong_with_it() {
    let service = Service::start().await;
    let long = "y".repeat(1_100);
    let files: [Vec<u8>; 5] = [
        format!("cpf,nome,obs\n111.444.777-35,Ana,{long}\n529.982.247-25,Bia,ok,extra\n,Davi,\n")
            .into_bytes(),
        format!("obs;documento\n{long};11144477735\n;52998224725;;;x\n\"a\nb\";\n").into_bytes(),
        [b"cpf,nome\n11144477735,J\xE9\n52998224725,\xC3\xA9\xC3\xA9 \xC3\xA9\n\xC3\xA9,\xC3\xA9\n".as_slice(), b",x\n"].concat(),
        format!(
            "{{\"cpf\":\"11144477735\",\"obs\":\"{long}\",\"l\":[1]}}\n{{\"nome\":\"B \\ud83d\",\"cpf\":\"52998224725\"}}\n{{\"nome\":\"D\"}}\n"
        )
        .into_bytes(),
        b"{\"CPF\":\"11144477735\",\"x\":\"\\u0000\"}\n{bad\n{\"documento\":\"52998224725\"}\n".to_vec(),
    ];
    for file in &files {
        let upload = service.upload_as("", file).await;
        let people = ["11144477735", "52998224725", "39053344705"];
        let (dry, ended, left) = recycled(&service, &upload, &people).await;
        assert_eq!(left, ["39053344705"], "{}", dry.text);
        let found = (
            dry.body["unreadable"].clone(),
            ended.body["report"]["unreadable"].clone(),
        );
        assert_eq!(found, (json!(1), json!(1)), "{}", dry.text);
        let download = format!("/uploads/{}/unreadable", upload.member("id"));
        let link = format!("/api/v1{download}");
        assert_eq!(dry.body["links"]["unreadable"], link.as_str());
        let rows = service.lines(&download).await;
        assert_eq!(rows.len(), 1);
        let rejected = ended.body["links"]["rejected"].as_str().unwrap().to_owned();
        let rejected = rejected.strip_prefix("/api/v1").unwrap();
        assert_eq!(service.lines(rejected).await, rows);
        let table = service.get(rejected).await.text;
        assert_eq!(table, service.get(&download).await.text);
        assert!(table.starts_with("row,line,field,code,detail,"), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_fault_says_that_every_row_was_read() {
    let service = Service::start().await;
    let upload = service.upload("11144477735\n52998224725,x\n").await;
    let (dry, ended, left) = recycled(&service, &upload, &["11144477735", "52998224725"]).await;
    assert_eq!(left, [""; 0]);
    assert_eq!(dry.body["unreadable"], 0);
    assert_eq!(dry.body["links"], json!({}));
    assert_eq!(ended.body["report"]["unreadable"], 0);
    assert_eq!(ended.body["links"].get("rejected"), None);
    assert_eq!(service.get("/uploads/upl_1/unreadable").await.status, 404);
    let unknown = service.upload("a;b\n1;2\n").await.member("id");
    let unknown = service.get(&format!("/uploads/{unknown}/unreadable")).await;
    assert_eq!(unknown.status, 422, "{}", unknown.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_swallowed_documents_is_a_warning() {
    let service = Service::start().await;
    let file = "cpf;nome\n11144477735;\"Ana\n52998224725;Bia\n39053344705;\"Caio\n";
    let upload = service.upload(file).await;
    let warnings = json!([{ "line": 2, "code": "suspicious_quote" }]);
    let (dry, ended, left) = recycled(&service, &upload, &["11144477735", "52998224725"]).await;
    assert_eq!(left, ["52998224725"]);
    assert_eq!(dry.body["warnings"], warnings);
    assert_eq!(ended.body["report"]["warnings"], warnings);
    let (_, made) = service.made_of("Base", &upload, json!({})).await;
    assert_eq!(made["report"]["warnings"], warnings, "{made}");
}
