//! Rejected rows of NDJSON, and keys that come late.

use serde_json::{Value, json};

use super::service::Service;

const LATE: &str =
    "{\"document\":\"K0\"}\n{\"document\":\"K9\",\"nome\":\"Zed\",\"telefone\":\"11987654321\"}\n";

#[tokio::test(flavor = "multi_thread")]
async fn synonyms_and_mapping_hold_for_keys_that_come_late() {
    let service = Service::start().await;
    // Later than what is looked at when the file arrives.
    let file = "{\"document\":\"K0\"}\n".repeat(1_500) + LATE;
    let upload = service.upload(&file).await;
    assert_eq!(upload.body["detected"]["columns"], json!(["document"]));
    let (audience, ended) = service.made_of("Guessed", &upload, Value::Null).await;
    assert_eq!(ended["result"], "complete", "{ended}");
    let member = service.members(&audience).await["K9"].clone();
    assert_eq!(
        (&member["name"], &member["phone"]),
        (&json!("Zed"), &json!("+5511987654321"))
    );
    assert_eq!(member["attributes"], json!({}));
    let mapping = json!({ "nome": "apelido", "telefone": "phone" });
    let (audience, _) = service.made_of("Said", &upload, mapping).await;
    let member = service.members(&audience).await["K9"].clone();
    assert_eq!(
        (&member["name"], &member["phone"]),
        (&Value::Null, &json!("+5511987654321"))
    );
    assert_eq!(member["attributes"], json!({ "apelido": "Zed" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_come_back_as_they_came_and_can_be_mended() {
    let service = Service::start().await;
    let file = "{\"document\":\"A1\",\"nome\":\"Ana\"}\n\
                {\"document\":\"\",\"nome\":\"Bia\",\"telefone\":\"11987654321\"}\n\
                {\"nome\":\"Caio\",\"idade\":41}\n{\"document\":\"D4\",\"nome\":\"D\"\n";
    let upload = service.upload(file).await;
    let (audience, ended) = service.made_of("Base", &upload, Value::Null).await;
    let operation = ended["id"].as_str().unwrap();
    let path = format!("/operations/{operation}/rejected");
    let rows = service.lines(&path).await;
    let values: Vec<_> = rows.iter().map(|row| row["values"].clone()).collect();
    assert_eq!(
        values,
        [
            json!({ "document": "", "nome": "Bia", "telefone": "11987654321" }),
            json!({ "nome": "Caio", "idade": 41 }),
            json!({ "unreadable_line": "{\"document\":\"D4\",\"nome\":\"D\"" }),
        ]
    );
    let table = service.get(&path).await.text;
    let header = table.lines().next().unwrap();
    assert_eq!(
        header,
        "row,line,field,code,detail,document,nome,telefone,idade,unreadable_line"
    );

    let again = format!("/operations/{operation}/resubmit");
    let mut mended = rows;
    mended[0]["values"]["document"] = json!("B2");
    mended[1]["values"]["document"] = json!("C3");
    mended[2]["values"]["unreadable_line"] = json!("{\"document\":\"D4\",\"nome\":\"D\"}");
    let mended: String = mended.iter().map(|row| format!("{row}\n")).collect();
    let mended = service.upload(&mended).await.member("id");
    let ended = service.post(&again, &json!({ "upload_id": mended })).await;
    assert_eq!(ended.body["report"]["created"], 3, "{}", ended.text);
    let members = service.members(&audience).await;
    assert_eq!(members["B2"]["phone"], "+5511987654321");
    assert_eq!(members["C3"]["name"], "Caio");
    assert_eq!(members["C3"]["attributes"], json!({ "idade": 41 }));
    assert_eq!(members["D4"]["name"], "D");

    // As CSV, and as the plain rows.
    let csv = table
        .replace("empty,,Bia", "empty,B5,Bia")
        .replace("missing,,Caio", "missing,C5,Caio");
    assert_ne!(csv, table);
    let plain = "{\"document\":\"B6\",\"nome\":\"Bia\",\"telefone\":\"11987654321\"}\n".to_owned();
    for (mended, created) in [(csv, 2), (plain, 1)] {
        let mended = service.upload(&mended).await.member("id");
        let ended = service.post(&again, &json!({ "upload_id": mended })).await;
        assert_eq!(ended.body["report"]["created"], created, "{}", ended.text);
    }
    let members = service.members(&audience).await;
    for (document, name) in [("B5", "Bia"), ("C5", "Caio"), ("B6", "Bia")] {
        assert_eq!(members[document]["name"], name);
    }
    assert_eq!(members["B5"]["phone"], "+5511987654321");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_rejected_twice_are_mended_twice() {
    let service = Service::start().await;
    let upload = service.upload("codigo,cliente\n,Bia\n1,Ana\n").await;
    let mapping = json!({ "codigo": "document", "cliente": "name" });
    let (audience, ended) = service.made_of("Base", &upload, mapping).await;
    let operation = ended["id"].as_str().unwrap();
    let rows = service
        .lines(&format!("/operations/{operation}/rejected"))
        .await;
    assert_eq!(rows[0]["values"], json!({ "codigo": "", "cliente": "Bia" }));
    let sent = service.upload(&format!("{}\n", rows[0])).await.member("id");
    let again = format!("/operations/{operation}/resubmit");
    let ended = service.post(&again, &json!({ "upload_id": sent })).await;
    assert_eq!(
        ended.body["error"]["code"], "all_rows_rejected",
        "{}",
        ended.text
    );
    let operation = ended.member("id");
    let mut row = service
        .lines(&format!("/operations/{operation}/rejected"))
        .await
        .remove(0);
    assert_eq!(row["values"], json!({ "codigo": "", "cliente": "Bia" }));
    row["values"]["codigo"] = json!("2");
    let sent = service.upload(&format!("{row}\n")).await.member("id");
    let again = format!("/operations/{operation}/resubmit");
    let ended = service.post(&again, &json!({ "upload_id": sent })).await;
    assert_eq!(ended.body["report"]["created"], 1, "{}", ended.text);
    assert_eq!(service.members(&audience).await["2"]["name"], "Bia");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_opted_out_is_counted_and_shown() {
    let service = Service::start().await;
    let outcome = json!({ "document": "11144477735", "channel": "sms", "outcome": "opted_out",
        "occurred_at": "2026-01-01T00:00:00Z" });
    let recorded = service
        .post("/outcomes", &json!({ "data": [outcome] }))
        .await;
    assert_eq!(recorded.status, 200, "{}", recorded.text);
    let upload = service
        .upload("cpf\n111.444.777-35\n52998224725\n11144477735\n")
        .await;
    let (audience, ended) = service.made_of("Base", &upload, Value::Null).await;
    assert_eq!(ended["report"]["opted_out"], 1, "{ended}");
    let members = service.members(&audience).await;
    assert_eq!(members["11144477735"]["opted_out"], true);
    assert_eq!(members["52998224725"]["opted_out"], false);
    let one = members["11144477735"]["contact_id"].as_str().unwrap();
    let one = service
        .get(&format!("/audiences/{audience}/contacts/{one}"))
        .await
        .body;
    assert_eq!(one, members["11144477735"]);
    // An exported contact can be sent back.
    let path = format!("/audiences/{audience}/contacts");
    service.post(&path, &json!({ "data": [one] })).await;
    let members = service.members(&audience).await;
    assert_eq!(members["11144477735"]["attributes"], json!({}));
}
