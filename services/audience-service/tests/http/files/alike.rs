//! Made-up tables: what they become does not depend on the format, and an export brings it back.

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};
use test_kit::tables::in_every_format;

use super::service::Service;

const COLUMNS: [&str; 5] = ["cpf", "nome", "celular", "email", "obs"];
/// Tables, and rows of each.
const TABLES: usize = 8;
const ROWS: usize = 40;

fn cell(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    let odd = "[-=+@'\" \t;,._0-9A-Za-céã\u{200B}\u{1F600}]{0,12}";
    prop_oneof![3 => prop::sample::select(of).prop_map(str::to_owned), 1 => odd]
}

fn tables() -> Vec<Vec<Vec<String>>> {
    let documents = &[
        "123.456.789-09",
        "12345678909",
        "529.982.247-25",
        "1234567890",
        "AB-1",
        "ab-1",
        "",
        "52998224725",
        "12.ABC.345/01DE-35",
        "52998224725.0",
        "\u{FEFF}AB-1",
    ];
    let names = &[
        "Ana",
        "José da Silva",
        "",
        "  Eva  ",
        "=HYPERLINK(1)",
        "Ana\u{301}",
    ];
    let phones = &[
        "11 98765-4321",
        "(11) 3456-7890",
        "+351 912 345 678",
        "0800 123 4567",
        "-",
        "",
    ];
    let emails = &[
        "ana@example.com",
        "ANA@EXAMPLE.COM",
        "ana@bücher.example",
        "ana",
        "",
    ];
    let notes = &["", "vip", "1,5", "01/02/2026", "#N/A", "true"];
    let row = (
        cell(documents),
        cell(names),
        cell(phones),
        cell(emails),
        cell(notes),
    );
    let row = row.prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e]);
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let table = prop::collection::vec(row, ROWS);
    let table = |_| table.new_tree(&mut runner).unwrap().current();
    (0..TABLES).map(table).collect()
}

fn counts(ended: &Value) -> Vec<Value> {
    let names = ["received", "created", "updated", "unchanged", "rejected"];
    let counts: Vec<_> = names.iter().map(|n| ended["report"][n].clone()).collect();
    assert!(counts.iter().all(Value::is_number), "{ended}");
    counts
}

/// What members are, without what belongs to the audience that they are in.
async fn people(service: &Service, audience: &str) -> Vec<Value> {
    let members = service.members(audience).await.into_values();
    let without = |mut member: Value| {
        let fields = member.as_object_mut().unwrap();
        fields.remove("contact_id").unwrap();
        fields.remove("updated_at").unwrap();
        member
    };
    members.map(without).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_table_gives_the_same_report_and_members_in_every_format() {
    let service = Service::start().await;
    for (number, rows) in tables().iter().enumerate() {
        let mut first = None;
        for (format, content) in in_every_format(&COLUMNS, rows) {
            let upload = service.upload_as("?delimiter=;", &content).await;
            let mapping = json!({ "cpf": "document", "nome": "name", "celular": "phone" });
            let name = format!("{format} {number}");
            let (audience, ended) = service.made_of(&name, &upload, mapping).await;
            let became = (counts(&ended), people(&service, &audience).await);
            assert!(became.1.len() > 3, "{became:?}");
            let first = first.get_or_insert_with(|| became.clone());
            assert_eq!(became.0, first.0, "{format}");
            for (one, other) in became.1.iter().zip(&first.1) {
                assert_eq!(one, other, "{format}");
            }
            assert_eq!(became.1.len(), first.1.len(), "{format}");
            let export = format!("/audiences/{audience}/contacts.csv");
            let export = service.get(&export).await;
            assert_eq!(export.status, 200, "{}", export.text);
            let again = service.upload(&export.text).await;
            let (copy, ended) = service
                .made_of(&format!("{name} again"), &again, json!({}))
                .await;
            let members = first.1.len();
            assert_eq!(counts(&ended), [members, members, 0, 0, 0].map(Value::from));
            for (one, other) in people(&service, &copy).await.iter().zip(&first.1) {
                assert_eq!(one, other, "{format} again");
            }
        }
    }
}
