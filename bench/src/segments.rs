//! Segments of a large workspace: resolved, resolved again, previewed; scores; and lists of many audiences.

use std::time::Instant;

use anyhow::{Context, ensure};
use api_types::operations::OperationJson;
use serde_json::{Value, json};

use crate::{
    Setup,
    bare::{Row, WORKSPACE},
    data,
    http::{Client, encode},
    jobs::{connect, wait},
    source::{Source, now_millis},
    table::{Line, Target, quantile},
};

/// Rows that the bare store is given at a time.
const BATCH: usize = 5_000;
/// Previews, and lists of each kind.
const TIMES: usize = 40;
const DAY: i64 = 86_400_000;

/// Three conditions, one of them about behaviour.
fn conditions() -> Value {
    let property = |field: &str, operator: &str, value: Value| json!({"kind": "property", "field": field, "operator": operator, "value": value});
    json!({"groups": [{"conditions": [
        property("city", "in", json!(["c0", "c1", "c2", "c3", "c4"])),
        property("plan", "not_equals", json!("p4")),
        {"kind": "event", "name": "order.paid", "window": {"last_days": 30},
         "occurrence": {"op": "at_least", "count": 2}},
    ]}]})
}

/// The same as a person would write it.
fn bare_query(source: &Source, now: i64) -> String {
    let since = source.instant(&(now - 30 * DAY).to_string());
    format!(
        "SELECT c.id AS n FROM customers c JOIN (
             SELECT customer FROM customer_events
             WHERE workspace = '{WORKSPACE}' AND name = 'order.paid' AND occurred_at >= {since}
             GROUP BY customer HAVING count(*) >= 2) b ON b.customer = c.id
         WHERE c.workspace = '{WORKSPACE}' AND c.facts ->> 't:attributes.city' IN ('c0', 'c1', 'c2', 'c3', 'c4')
             AND c.facts ->> 't:attributes.plan' <> 'p4' ORDER BY c.member_key"
    )
}

/// Resolving a segment over many customers, beside the statement and the store of the result alone.
pub fn resolving(setup: &Setup) -> anyhow::Result<Vec<Line>> {
    let customers = setup.scaled(1_000_000, 1_000);
    let now = now_millis()?;
    // Its tables are made by a first start.
    setup.start("segments")?.kill();
    let mut source = Source::open(setup, "segments")?;
    source.fill(customers, now)?;
    let server = setup.start("segments")?;
    let mut client = connect(&server)?;
    let made: Value = client.post(
        "/api/v1/audiences",
        &json!({"name": "bench", "status": "draft"}),
    )?;
    let id = made
        .get("id")
        .and_then(Value::as_str)
        .context("no id")?
        .to_owned();
    put(
        &mut client,
        &format!("/api/v1/audiences/{id}/segment"),
        &conditions(),
    )?;

    let started = Instant::now();
    let size = publish(&mut client, &id)?;
    let first = started.elapsed().as_secs_f64();
    let started = Instant::now();
    ensure!(refresh(&mut client, &id)? == size, "it has changed");
    let again = started.elapsed().as_secs_f64();

    let query = bare_query(&source, now);
    let (members, read) = source.read(&query)?;
    ensure!(
        members == size,
        "{size} members, and {members} of the bare statement"
    );
    let (inserted, scanned) = bare_store(setup, members)?;
    let (_, read_again) = source.read(&query)?;

    let mut previews = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        let _: Value = client.post("/api/v1/segments/preview", &conditions())?;
        previews.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    let line = |name: &str, ours: f64, beside: f64, what: &str| Line {
        name: name.into(),
        ours: format!("{customers} customers, {members} members: {ours:.2} s"),
        measure: format!("{what}: {beside:.2} s"),
        value: ours / beside,
        target: Target::AtMost(1.3),
    };
    let mut lines = vec![
        line(
            "a segment is resolved",
            first,
            read + inserted,
            "the bare statement and insert",
        ),
        line(
            "nothing has changed",
            again,
            read_again + scanned,
            "the bare statement and a scan of keys",
        ),
        Line {
            name: "preview, p95 in ms".into(),
            ours: format!(
                "{TIMES} previews: {:.0} ms in the middle",
                quantile(&previews, 0.5)
            ),
            measure: "limit 1,000 ms".into(),
            value: quantile(&previews, 0.95),
            target: Target::AtMost(1000.0),
        },
    ];
    lines.push(scores(&mut client, &mut source, now)?);
    lines.extend(lists(setup, &mut client, &mut source)?);
    Ok(lines)
}

/// The seconds that the bare store takes for so many contacts: to insert them, and to scan them.
fn bare_store(setup: &Setup, members: u64) -> anyhow::Result<(f64, f64)> {
    let mut bare = setup.bare("segments-bare")?;
    let mut rows: Vec<Row> = Vec::with_capacity(BATCH);
    let (mut inserted, mut made) = (0.0, 0);
    while made < members {
        let upto = members.min(made + BATCH as u64);
        rows.clear();
        for n in made..upto {
            rows.push((data::document(n), bare.encode(&data::body(n))?));
        }
        let started = Instant::now();
        bare.insert(&rows)?;
        inserted += started.elapsed().as_secs_f64();
        made = upto;
    }
    let started = Instant::now();
    bare.scan()?;
    Ok((inserted, started.elapsed().as_secs_f64()))
}

/// Scores of all buyers, beside one statement with the ranks.
fn scores(client: &mut Client, source: &mut Source, now: i64) -> anyhow::Result<Line> {
    let started = Instant::now();
    let operation: OperationJson = client.post("/api/v1/rfm/refresh", &json!({}))?;
    wait(client, &operation.id)?;
    let ours = started.elapsed().as_secs_f64();
    let since = source.instant(&(now - 365 * DAY).to_string());
    let (buyers, bare) = source.read(&format!(
        "SELECT customer AS n, rank() OVER (ORDER BY max(occurred_at)) AS a, rank() OVER (ORDER BY count(*)) AS b,
             rank() OVER (ORDER BY sum(amount)) AS c
         FROM customer_events WHERE workspace = '{WORKSPACE}' AND name = 'order.paid' AND occurred_at >= {since}
         GROUP BY customer"
    ))?;
    Ok(Line {
        name: "scores of buyers".into(),
        ours: format!("{buyers} buyers: {ours:.2} s"),
        measure: format!("one statement with three ranks, read to its end: {bare:.2} s"),
        value: ours / bare,
        target: Target::AtMost(1.5),
    })
}

/// Pages of many audiences, in every order and by every filter.
fn lists(setup: &Setup, client: &mut Client, source: &mut Source) -> anyhow::Result<Vec<Line>> {
    let audiences = setup.scaled(100_000, 1_000);
    copy_audiences(source, audiences)?;
    let mut lines = Vec::new();
    for (name, query) in [
        ("by creation", r#"sort={"createdAt":"desc"}"#),
        ("by change", r#"sort={"updatedAt":"asc"}"#),
        ("by name", r#"sort={"name":"asc"}"#),
        ("by status", r#"sort={"status":"asc"}"#),
        ("by total", r#"sort={"totalCustomers":"desc"}"#),
        ("by active", r#"sort={"activeCustomers":"desc"}"#),
        ("drafts", "tab=draft"),
        ("with scores", "tab=rfm"),
        ("search", "search=copia 77"),
        ("scheduled ones", r#"type=["scheduled"]"#),
        ("by tag", r#"tags=["t7"]"#),
    ] {
        let mut took = Vec::new();
        for page in 0..TIMES {
            let path = format!("/pt-BR/api/audience?{query}&page={}&pageSize=20", page + 1);
            let path = path
                .replace(' ', "%20")
                .replace('"', "%22")
                .replace('{', "%7B");
            let path = path
                .replace('}', "%7D")
                .replace('[', "%5B")
                .replace(']', "%5D");
            let started = Instant::now();
            let request = encode("GET", &path, "text/plain", b"");
            let answer = client.send(&request)?;
            took.push(started.elapsed().as_secs_f64() * 1000.0);
            ensure!(answer.status == 200, "{path}: {}", answer.status);
        }
        let did = format!("{audiences} audiences, {name}");
        lines.push(Line::p99(
            format!("face A, {name}, p99 in ms"),
            &did,
            &took,
            30.0,
        ));
    }
    Ok(lines)
}

/// Copies of the one audience that there is.
fn copy_audiences(source: &mut Source, audiences: u64) -> anyhow::Result<()> {
    let json = match source {
        Source::Sqlite(_) => "'[\"t' || (g.n % 50) || '\"]'".to_owned(),
        Source::Postgres(..) => "CAST('[\"t' || (g.n % 50) || '\"]' AS jsonb)".to_owned(),
    };
    source.run(&format!(
        "WITH RECURSIVE g(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM g WHERE n < {audiences})
         INSERT INTO audiences (id, workspace, number, name, name_key, tags, tags_key, search_key, icon, status, kind,
             source_id, collection, visibility, version, epoch, last_epoch, contacts, definition, audience_type,
             asks_for_scores, resource, unsubscribed, created_by, created_at, updated_at, deleted_at)
         SELECT a.id + g.n, a.workspace, a.number + g.n, 'Copia ' || g.n, 'copia ' || g.n, {json},
             '\n' || 't' || (g.n % 50) || '\n', 'copia ' || g.n || '\n' || 't' || (g.n % 50), NULL,
             CASE WHEN g.n % 4 = 0 THEN 'draft' ELSE 'active' END, 'static', a.source_id, a.collection, 'ready', 1,
             1, 1, g.n % 9973, a.definition, CASE WHEN g.n % 10 = 0 THEN 'scheduled' ELSE 'static' END, 0, 0,
             g.n % 7, a.created_by, a.created_at, a.updated_at, NULL
         FROM (SELECT * FROM audiences ORDER BY id LIMIT 1) a, g"
    ))?;
    // What a server of some minutes has: what is visible to all is known, and how many rows there are.
    source.run(match source {
        Source::Sqlite(_) => "ANALYZE audiences",
        Source::Postgres(..) => "VACUUM (ANALYZE) audiences",
    })
}

/// Puts JSON.
pub fn put(client: &mut Client, path: &str, body: &Value) -> anyhow::Result<()> {
    let body = serde_json::to_vec(body)?;
    let answer = client.send(&encode("PUT", path, "application/json", &body))?;
    ensure!(
        answer.status == 200,
        "{path}: {}",
        String::from_utf8_lossy(&answer.body)
    );
    Ok(())
}

/// Refreshes, or joins the refresh that is under way; answers the size.
fn refresh(client: &mut Client, id: &str) -> anyhow::Result<u64> {
    let path = format!("/api/v1/audiences/{id}/refresh");
    let operation: OperationJson = client.post(&path, &json!({}))?;
    let ended = wait(client, &operation.id)?;
    let report = ended.report.context("no report")?;
    report
        .get("size")
        .and_then(Value::as_u64)
        .context("no size")
}

/// Makes a segment active; answers its size once it is resolved.
pub fn publish(client: &mut Client, id: &str) -> anyhow::Result<u64> {
    let body = serde_json::to_vec(&json!({"status": "active"}))?;
    let path = format!("/api/v1/audiences/{id}");
    let patched = client.send(&encode("PATCH", &path, "application/json", &body))?;
    ensure!(patched.status == 200, "not published: {}", patched.status);
    refresh(client, id)
}
