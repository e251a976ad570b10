//! What is printed for BigQuery has the evaluator's members on Google's own engine of GoogleSQL.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use chrono::SecondsFormat;
use contract_tests::segments::{case, members, people::People, predicates::Predicates};
use domain::{
    contact::Document,
    customer::{Customer, CustomerEvent},
    segment::{
        CustomerFacts, Fact, Facts, Field, Form, Life, Logic, Notation, Predicate, References,
        Scope, SegmentQuery, customer_index, event_index, property_key,
    },
    shared::{Instant, WorkspaceId},
};
use segment_sql::{
    Column, ColumnType, Events, GoogleSql, Mapping, Param, Properties, Statement, Want, statement,
};
use serde_json::{Map, Value, json};

/// Predicates that are compared in each data set.
const PREDICATES: usize = 520;
const SEEDS: [u64; 6] = [11, 12, 13, 14, 15, 16];

/// Fields of customers that have a column, with its type.
const FIELDS: [(&str, Field, ColumnType); 12] = [
    ("document", Field::Document, ColumnType::Text),
    ("name", Field::Name, ColumnType::Text),
    ("phone", Field::Phone, ColumnType::Text),
    ("email", Field::Email, ColumnType::Text),
    ("document_kind", Field::DocumentKind, ColumnType::Text),
    ("document_valid", Field::DocumentValid, ColumnType::Flag),
    ("phone_valid", Field::PhoneValid, ColumnType::Flag),
    ("email_valid", Field::EmailValid, ColumnType::Flag),
    ("created_at", Field::CreatedAt, ColumnType::Timestamp),
    ("updated_at", Field::UpdatedAt, ColumnType::Timestamp),
    ("client_id", Field::ClientId, ColumnType::Text),
    ("external_id", Field::ExternalId, ColumnType::Text),
];

/// Attributes that have a column, with its type.
const ATTRIBUTES: [(&str, ColumnType); 4] = [
    ("city", ColumnType::Text),
    ("plan", ColumnType::Flag),
    ("score", ColumnType::Number),
    ("odd \"name\" \\ %", ColumnType::Text),
];

const fn type_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "STRING",
        ColumnType::Number => "BIGNUMERIC",
        ColumnType::Float => "FLOAT64",
        ColumnType::Flag => "BOOL",
        ColumnType::Date => "DATE",
        ColumnType::Timestamp => "TIMESTAMP",
    }
}

/// Columns have names of their own: some that have to be quoted.
fn mapping() -> Mapping {
    let column = |name: String, kind| Column { name, kind };
    let fields = FIELDS
        .iter()
        .map(|(name, _, kind)| ((*name).to_owned(), column(format!("select {name}"), *kind)));
    let attributes = ATTRIBUTES.iter().enumerate();
    let attributes = attributes
        .map(|(index, (name, kind))| ((*name).to_owned(), column(format!("at{index}"), *kind)));
    Mapping {
        customers: vec!["clientes".into()],
        id: column("order".into(), ColumnType::Number),
        fields: fields.collect(),
        attributes: attributes.collect(),
        events: Some(Events {
            table: vec!["eventos".into()],
            customer: "from".into(),
            name: "tipo".into(),
            time: "quando".into(),
            amount: Some("valor".into()),
            properties: Some(Properties {
                name: "dados".into(),
                text: false,
            }),
        }),
        zone: "America/Sao_Paulo".into(),
    }
}

/// Whether a text is one, whoever reads it: columns of texts have no numbers and no dates.
fn is_plain(index: &Map<String, Value>, key: impl Fn(Form) -> String) -> bool {
    [Form::Number, Form::Date]
        .into_iter()
        .all(|form| !index.contains_key(&key(form)))
}

/// Leaves of people what typed columns can have.
fn fit(people: &mut People) {
    let notation = Notation::default();
    for person in &mut people.all {
        let index = customer_index(&person.customer, &notation);
        person.customer.attributes.retain(|name, value| {
            let kind = ATTRIBUTES.iter().find(|(known, _)| known == name);
            match (kind.map(|(_, kind)| *kind), value) {
                (Some(ColumnType::Text), Value::String(_)) => {
                    let field = Field::Attribute(name.clone());
                    is_plain(&index, |form| field.key(form))
                }
                (Some(ColumnType::Flag), Value::Bool(_))
                | (Some(ColumnType::Number), Value::Number(_)) => true,
                _ => false,
            }
        });
        for event in &mut person.events {
            let index = event_index(event, &notation);
            event.properties.retain(|name, value| {
                let plain = || is_plain(&index, |form| property_key(name, form));
                !name.contains('"') && (!value.is_string() || plain())
            });
        }
    }
}

fn instant(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn cell(customer: &Customer, field: &Field) -> Value {
    let nobody = std::collections::BTreeSet::new();
    let life = Life {
        consents: &customer.consents,
        events: &[],
        outcomes: &[],
        rfm: None,
        audiences: &nobody,
    };
    match (CustomerFacts { customer, life }).value(field) {
        None => Value::Null,
        Some(Fact::Text(text)) => text.into(),
        Some(Fact::Number(number)) => number.to_string().into(),
        Some(Fact::Bool(flag)) => flag.into(),
        Some(Fact::Date(at)) => instant(at).into(),
        Some(Fact::Amount(amount)) => amount.to_string().into(),
    }
}

/// The tables of people, as the engine is told of them.
fn tables(people: &People, mapping: &Mapping) -> Value {
    let attributes = ATTRIBUTES.map(|(name, _)| Field::Attribute(name.into()));
    let fields = FIELDS.iter().map(|(_, field, _)| field);
    let fields: Vec<&Field> = fields.chain(&attributes).collect();
    let named = FIELDS.iter().map(|(name, ..)| &mapping.fields[*name]);
    let others = ATTRIBUTES.iter();
    let others = others.map(|(name, _)| &mapping.attributes[*name]);
    let typed = |c: &Column| json!([c.name, type_name(c.kind)]);
    let mut columns = vec![json!(["order", "INT64"])];
    columns.extend(named.chain(others).map(typed));
    let customers = people.all.iter().map(|person| {
        let id = json!(person.customer.id.to_string());
        let cells = fields.iter().map(|field| cell(&person.customer, field));
        std::iter::once(id).chain(cells).collect::<Vec<Value>>()
    });
    let event = |event: &CustomerEvent| {
        let amount = event.amount.map(|amount| amount.to_string());
        let properties = Value::Object(event.properties.clone()).to_string();
        let (customer, name) = (event.customer.to_string(), event.name.as_str());
        json!([customer, name, instant(event.time), amount, properties])
    };
    let events = people.all.iter().flat_map(|person| &person.events);
    let columns_of_events = json!([
        ["from", "INT64"],
        ["tipo", "STRING"],
        ["quando", "TIMESTAMP"],
        ["valor", "NUMERIC"],
        ["dados", "JSON"]
    ]);
    let (customers, events): (Vec<_>, Vec<_>) = (customers.collect(), events.map(event).collect());
    json!({"tables": [
        {"name": "clientes", "columns": columns, "rows": customers},
        {"name": "eventos", "columns": columns_of_events, "rows": events},
    ]})
}

fn asked(statement: Statement) -> Value {
    let param = |(number, param)| {
        let (of_type, value) = match param {
            Param::Text(text) => ("STRING", json!(text)),
            Param::Texts(texts) => ("ARRAY<STRING>", json!(texts)),
            Param::Int(number) => ("INT64", json!(number.to_string())),
            Param::Ints(numbers) => {
                let texts = numbers.iter().map(ToString::to_string);
                ("ARRAY<INT64>", texts.collect())
            }
            Param::Decimal(digits) => ("BIGNUMERIC", json!(digits)),
            Param::Decimals(digits) => ("ARRAY<BIGNUMERIC>", json!(digits)),
            Param::Instant(at) => ("TIMESTAMP", json!(instant(at))),
            Param::Flag(flag) => ("BOOL", json!(flag)),
        };
        json!({"name": format!("p{number}"), "type": of_type, "value": value})
    };
    let numbered = (1..).zip(statement.params);
    let params: Vec<Value> = numbered.map(param).collect();
    json!({"sql": statement.text, "params": params})
}

/// The engine, which ends with its input.
struct Engine(Child);

impl Engine {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/dev");
        let mut command = Command::new(root.join("googlesql-engine"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// The answers to these lines, in their order; `None` where the engine is left out.
    fn ask(&mut self, lines: &[Value]) -> Option<Vec<Value>> {
        let mut stdin = self.0.stdin.take().unwrap();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let writer = std::thread::spawn(move || {
            // Where the engine is left out, nobody reads.
            let _ = stdin.write_all(text.as_bytes());
        });
        let answers: ChildStdout = self.0.stdout.take().unwrap();
        let answers = BufReader::new(answers).lines();
        let answers = answers.map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let answers: Vec<Value> = answers.collect();
        writer.join().unwrap();
        assert!(self.0.wait().unwrap().success());
        (!answers.is_empty()).then_some(answers)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is asked, what the evaluator says, and what to show where they differ.
struct Compared {
    asked: Value,
    expected: Value,
    shown: String,
}

async fn compared(seed: u64) -> Vec<Compared> {
    let db = test_kit::sqlite().await;
    let mut people = People::add(&*db, seed).await;
    fit(&mut people);
    let mapping = mapping();
    let mut all = vec![Compared {
        asked: tables(&people, &mapping),
        expected: json!([]),
        shown: "the tables".to_owned(),
    }];
    let mut predicates = Predicates::of_source(seed);
    for number in 0..PREDICATES {
        let case = case(&people, &mut predicates);
        let found = members(&people, &case.query);
        let (want, expected) = match number % 3 {
            0 => (
                Want::Counts,
                json!(format!("{},{}", found.len(), people.all.len())),
            ),
            _ => {
                let id = |number: Option<i64>| number.map(|number| number.to_string());
                let rows = found.iter().map(|m| json!([id(m.customer), m.key]));
                (Want::Members(None), rows.collect())
            }
        };
        let printed = statement(&case.query, want, &GoogleSql(&mapping)).unwrap();
        all.push(Compared {
            shown: format!("{:#}\n{}", case.groups, printed.text),
            asked: asked(printed),
            expected,
        });
    }
    all
}

/// The part of an answer that is expected: numbers and keys, or the first two counts.
fn told(answer: &Value) -> Value {
    let Some(rows) = answer["rows"].as_array() else {
        return answer.clone();
    };
    match rows.as_slice() {
        [row] if row.as_array().is_some_and(|row| row.len() == 1) => {
            let counts = row[0].as_str().unwrap();
            let first: Vec<&str> = counts.split(',').take(2).collect();
            json!(first.join(","))
        }
        rows => rows.iter().map(|row| json!([row[0], row[1]])).collect(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_those_of_the_evaluator_on_googles_engine() {
    let mut all = Vec::new();
    for seed in SEEDS {
        all.extend(compared(seed).await);
    }
    let lines: Vec<Value> = all.iter().map(|one| one.asked.clone()).collect();
    let Some(answers) = Engine::start().ask(&lines) else {
        eprintln!("SKIPPED: nothing was compared with Google's engine, which needs Node.js");
        return;
    };
    assert_eq!(answers.len(), all.len());
    let mut differing = Vec::new();
    for (one, answer) in all.iter().zip(&answers) {
        let told = told(answer);
        if told != one.expected {
            let (shown, expected) = (&one.shown, &one.expected);
            differing.push(format!("{shown}\nexpected {expected}\ntold {told}"));
        }
    }
    differing.sort_by_key(String::len);
    let few: Vec<&str> = differing.iter().take(5).map(String::as_str).collect();
    let (many, few) = (differing.len(), few.join("\n\n"));
    assert!(many == 0, "{many} of {} differ:\n{few}", all.len());
}

#[test]
fn keys_are_those_of_documents_however_they_are_written() {
    let documents = [
        "123.456.789-09",
        " 123 456 789 09 ",
        "123456789-09",
        "1234567890.0",
        "12-3",
        "1-23",
        "ab.123.cde/0001-00",
        "AB123CDE000100",
        "\u{ff11}\u{ff12}\u{ff13}\u{ff0e}456.789\u{2013}09",
        "123\u{200b}.456.789\u{ad}-09",
        "jose\u{301}\u{2010}1",
        "\u{a0}x y\u{3000}",
        "a.b.c",
        "123..456.789-09",
        "a\u{7}b",
        "",
        "  ",
    ];
    let rows = documents.iter().enumerate();
    let rows: Vec<Value> = rows
        .map(|(id, document)| json!([id.to_string(), document]))
        .collect();
    let table = json!({"name": "clientes", "rows": rows,
        "columns": [["order", "INT64"], ["select document", "STRING"]]});
    let whole = mapping();
    let document = whole.fields.get("document").unwrap().clone();
    let mapping = Mapping {
        fields: [("document".to_owned(), document)].into(),
        events: None,
        ..whole
    };
    let everybody = SegmentQuery {
        workspace: WorkspaceId::parse("ws").unwrap(),
        predicate: Predicate {
            between: Logic::And,
            notation: Notation::default(),
            groups: Vec::new(),
        },
        references: References::new(),
        now: contract_tests::segments::now(),
        scope: Scope::All,
    };
    let printed = statement(&everybody, Want::Members(None), &GoogleSql(&mapping)).unwrap();
    let lines = [json!({"tables": [table]}), asked(printed)];
    let Some(answers) = Engine::start().ask(&lines) else {
        return;
    };
    let key = |(id, written): (usize, &&str)| {
        let written = match written.trim() {
            "" => format!("CUSTOMER:{id}"),
            _ => (*written).to_owned(),
        };
        let document = Document::parse(&written).unwrap();
        json!([id.to_string(), document.as_str()])
    };
    let mut expected: Vec<Value> = documents.iter().enumerate().map(key).collect();
    expected.sort_by_key(|row| {
        (
            row[1].to_string(),
            row[0].as_str().map(str::len),
            row[0].to_string(),
        )
    });
    assert_eq!(told(&answers[1]), Value::from(expected));
}
