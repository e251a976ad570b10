//! The client against an emulator that runs what it is asked.

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use adapter_bigquery::{
    BigQuery, Credentials, Error, Mode, Param, Query, Settings, SystemTimer, Type, Value,
};
use serde_json::{Value as Json, json};
use test_kit::{http::Client, program::Program};

/// Runs as a process of its own; `None` where it is left out.
async fn start(dir: &Path) -> Option<(Program, std::net::SocketAddr)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/dev");
    let mut command = Command::new(root.join("bigquery-emulator"));
    let (mut program, starting) = Program::spawn(command.arg(dir)).unwrap();
    match starting.ready().await.unwrap() {
        Some(ready) => Some((program, ready.address)),
        None => {
            let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
            assert!(program.wait().unwrap().success(), "{log}");
            None
        }
    }
}

async fn fill(address: std::net::SocketAddr) {
    let client = Client::new([address]);
    let tables = "/bigquery/v2/projects/demo/datasets/crm/tables";
    let fields = json!([
        { "name": "id", "type": "INT64", "mode": "REQUIRED" },
        { "name": "name", "type": "STRING" },
        { "name": "at", "type": "TIMESTAMP" },
        { "name": "birth", "type": "DATE" },
        { "name": "amount", "type": "NUMERIC" },
        { "name": "vip", "type": "BOOL" },
        { "name": "tags", "type": "STRING", "mode": "REPEATED" },
    ]);
    let reference = json!({ "projectId": "demo", "datasetId": "crm", "tableId": "people" });
    let table = json!({ "tableReference": reference, "schema": { "fields": fields } });
    client.post(tables, table).await.ok(200);
    let rows: Vec<Json> = (0..1_000)
        .map(|id| {
            json!({ "json": {
                "id": id,
                "name": (id != 3).then(|| format!("José '{id}' %_\\")),
                "at": format!("2026-03-{:02}T12:00:00.25Z", id % 28 + 1),
                "birth": format!("1990-01-{:02}", id % 28 + 1),
                "amount": format!("{id}.10"),
                "vip": id % 2 == 0,
                "tags": if id % 2 == 0 { json!(["a", "b"]) } else { json!([]) },
            } })
        })
        .collect();
    let insert = format!("{tables}/people/insertAll");
    client.post(&insert, json!({ "rows": rows })).await.ok(200);
}

fn asking(sql: &str, params: Vec<(&str, Param)>) -> Query {
    let params = params.into_iter();
    Query {
        sql: sql.to_owned(),
        params: params
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        location: None,
        maximum_bytes_billed: Some(1 << 30),
        timeout: Duration::from_secs(60),
    }
}

/// The rows of a query, and how many pages they came in.
async fn all(client: &BigQuery, query: &Query) -> Result<(Vec<Vec<Value>>, u32), Error> {
    let mut rows = client.run(query).await?;
    let (mut all, mut pages) = (Vec::new(), 0);
    while let Some(page) = rows.next_page().await? {
        all.extend(page);
        pages += 1;
    }
    assert_eq!(rows.bytes().await?.billed, 0, "the emulator bills nothing");
    Ok((all, pages))
}

#[tokio::test]
async fn an_emulator_understands_what_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let Some((_program, address)) = start(dir.path()).await else {
        return;
    };
    fill(address).await;
    let settings = Settings {
        endpoint: format!("http://{address}"),
        page_rows: 300,
        ..Settings::new("demo", Credentials::Anonymous)
    };
    let client = BigQuery::new(&settings, Arc::new(SystemTimer)).unwrap();

    let query = asking("SELECT id FROM crm.people ORDER BY id", vec![]);
    let (rows, pages) = all(&client, &query).await.unwrap();
    assert_eq!((rows.len(), pages), (1_000, 4));
    assert_eq!(rows[999], [Value::Int(999)]);

    let query = asking(
        "SELECT * FROM crm.people WHERE name = @name AND id IN UNNEST(@ids) AND at = @at AND birth = @birth \
         AND amount = @amount AND vip = @vip AND id <> @other AND name IN UNNEST(@names) \
         AND name NOT IN UNNEST(@none)",
        vec![
            ("name", Param::Text("José '4' %_\\".to_owned())),
            ("ids", Param::Ints(vec![3, 4, 5])),
            (
                "at",
                Param::Timestamp("2026-03-05T09:00:00.25-03:00".parse().unwrap()),
            ),
            ("birth", Param::Date("1990-01-05".parse().unwrap())),
            ("amount", Param::Decimal("4.1".to_owned())),
            ("vip", Param::Bool(true)),
            ("other", Param::Int(7)),
            ("names", Param::Texts(vec!["José '4' %_\\".to_owned()])),
            ("none", Param::Texts(vec![])),
        ],
    );
    let text = |text: &str| Value::Text(text.to_owned());
    let expected = vec![
        Value::Int(4),
        text("José '4' %_\\"),
        Value::Timestamp("2026-03-05T12:00:00.25Z".parse().unwrap()),
        Value::Date("1990-01-05".parse().unwrap()),
        text("4.1"),
        Value::Bool(true),
        Value::List(vec![text("a"), text("b")]),
    ];
    let (rows, _) = all(&client, &query).await.unwrap();
    assert!(rows == [expected], "one row as it was written");
    assert_eq!(client.dry_run(&query).await, Ok(0));

    let null = asking("SELECT name, tags FROM crm.people WHERE id = 3", vec![]);
    let (rows, _) = all(&client, &null).await.unwrap();
    assert!(rows == [[Value::Null, Value::List(vec![])]]);

    let columns = client.table("crm", "people").await.unwrap().unwrap();
    let shown: Vec<_> = columns
        .iter()
        .map(|c| (&*c.name, &c.of_type, c.mode))
        .collect();
    assert_eq!(shown[0], ("id", &Type::Int64, Mode::Required));
    assert_eq!(shown[6], ("tags", &Type::String, Mode::Repeated));
    assert_eq!(client.table("crm", "nobody").await, Ok(None));

    let wrong = asking("SELECT nam FROM crm.people", vec![]);
    let error = Error::InvalidQuery {
        message: "Unrecognized name".to_owned(),
    };
    assert_eq!(client.dry_run(&wrong).await, Err(error));
    let missing = asking("SELECT 1 FROM crm.nobody", vec![]);
    let error = client.run(&missing).await.map(drop);
    assert_eq!(error, Err(Error::NotFound { what: "table" }));
}
