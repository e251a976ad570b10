use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::contact::{Document, DocumentKind};
use serde_json::{Value, json};

use super::*;

fn file(seed: u64, rows: u64) -> String {
    let mut out = Vec::new();
    Sample::new(seed).write(rows, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn fields(file: &str) -> Vec<Vec<&str>> {
    file.lines()
        .skip(1)
        .map(|line| line.split(';').collect())
        .collect()
}

#[test]
fn every_hundred_rows_have_their_share_of_each_kind() {
    for start in [0, 700] {
        let mut counts = BTreeMap::new();
        for row in start..start + 100 {
            *counts
                .entry(format!("{:?}", Sample::kind(row)))
                .or_insert(0) += 1;
        }
        let expected = [
            ("Bad", 2),
            ("Cnpj", 6),
            ("Cpf", 68),
            ("Duplicate", 10),
            ("InvalidCpf", 6),
            ("LetteredCnpj", 6),
            ("Other", 2),
        ];
        assert_eq!(
            counts,
            expected.map(|(kind, n)| (kind.to_owned(), n)).into()
        );
    }
}

#[test]
fn documents_are_what_their_kind_says() {
    let text = file(SEED, 20_000);
    let rows = fields(&text);
    let mut seen = HashSet::new();
    for (row, cells) in rows.iter().enumerate() {
        assert_eq!(cells.len(), HEADER.split(';').count());
        let kind = Sample::kind(row as u64);
        let parsed = Document::parse(cells[0]);
        if kind == Kind::Bad {
            assert!(parsed.is_err(), "row {row}");
            continue;
        }
        let document = parsed.unwrap();
        let lettered = document.as_str().bytes().any(|b| b.is_ascii_alphabetic());
        let facts = (document.kind(), document.valid(), lettered);
        let expected = match kind {
            Kind::Cpf | Kind::Duplicate => (DocumentKind::Cpf, true, false),
            Kind::InvalidCpf => (DocumentKind::Cpf, false, false),
            Kind::Cnpj => (DocumentKind::Cnpj, true, false),
            Kind::LetteredCnpj => (DocumentKind::Cnpj, true, true),
            Kind::Other | Kind::Bad => (DocumentKind::Other, true, true),
        };
        assert_eq!(facts, expected, "row {row}");
        assert_eq!(
            seen.insert(document.as_str().to_owned()),
            kind != Kind::Duplicate,
            "row {row}"
        );
    }
    assert_eq!(seen.len(), 20_000 / 100 * 88);
}

#[test]
fn customers_are_people_of_the_file_with_documents_that_are_right() {
    let text = file(SEED, 200);
    let rows = fields(&text);
    let all: Vec<Value> = customers().all().collect();
    assert_eq!(all.len(), 100);
    let mut of_file = rows.iter().enumerate();
    for customer in &all {
        let is_cpf = |row: usize| Sample::kind(row as u64) == Kind::Cpf;
        let (_, cells) = of_file.find(|(row, _)| is_cpf(*row)).unwrap();
        assert_eq!(
            (&customer["document"], &customer["name"]),
            (&json!(cells[0]), &json!(cells[1]))
        );
        let document = Document::parse(cells[0]).unwrap();
        assert_eq!(
            (document.kind(), document.valid()),
            (DocumentKind::Cpf, true)
        );
        let phone = customer["phone"].as_str().unwrap();
        assert!(domain::contact::normalise_phone(phone).valid, "{phone}");
    }
    let granted = all
        .iter()
        .filter(|c| c["consents"]["email"]["status"] == "granted");
    assert!((20..60).contains(&granted.count()));
    assert!(all.iter().any(|c| c["tags"][0] == "vip"));
}

#[test]
fn events_are_of_two_years_and_amounts_have_a_long_tail() {
    let customers = customers();
    let events: Vec<Value> = (0..20_000).map(|number| customers.event(number)).collect();
    assert_eq!(events[7], customers.event(7), "always the same");
    let known: HashSet<String> = customers
        .all()
        .map(|c| Document::parse(c["document"].as_str().unwrap()).unwrap())
        .map(|document| document.as_str().to_owned())
        .collect();
    let mut by_customer: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &events {
        let document = event["document"].as_str().unwrap();
        assert!(known.contains(document));
        *by_customer.entry(document).or_default() += 1;
        let time: DateTime<Utc> = event["time"].as_str().unwrap().parse().unwrap();
        assert!((until() - TimeDelta::days(729)..=until()).contains(&time));
    }
    let most = by_customer.values().max().unwrap();
    assert!(*most > 3 * events.len() / known.len(), "{most}");
    let paid = events.iter().filter(|event| event["name"] == "order.paid");
    let amount = |event: &Value| event["amount"].as_str().unwrap().parse::<f64>().unwrap();
    let mut amounts: Vec<f64> = paid.map(amount).collect();
    amounts.sort_by(f64::total_cmp);
    let (middle, last) = (amounts[amounts.len() / 2], amounts[amounts.len() - 1]);
    assert!((3_000..4_500).contains(&amounts.len()), "{}", amounts.len());
    assert!(
        amounts[0] >= 19.90 && last > 10.0 * middle,
        "{middle} {last}"
    );
}

fn until() -> DateTime<Utc> {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn customers() -> Customers {
    Customers::new(SEED, 100, until())
}

#[test]
fn phones_and_emails_come_in_many_forms_and_some_are_bad() {
    use domain::contact::{normalise_email, normalise_phone};
    let text = file(SEED, 5_000);
    let rows = fields(&text);
    for (row, cells) in rows.iter().enumerate() {
        let (phone, email) = (normalise_phone(cells[2]), normalise_email(cells[3]));
        assert_eq!(phone.valid, row % 50 != 7, "phone of row {row}");
        if !cells[3].is_empty() {
            assert_eq!(email.valid, row % 50 != 31, "e-mail of row {row}");
        }
    }
    let form = |phone: &str| {
        let digit = |c: char| if c.is_ascii_digit() { '9' } else { c };
        phone.chars().map(digit).collect::<String>()
    };
    assert!(
        rows.iter()
            .map(|cells| form(cells[2]))
            .collect::<HashSet<_>>()
            .len()
            >= 6
    );
    assert!(rows.iter().any(|cells| !cells[1].is_ascii()));
}

#[test]
fn a_seed_always_makes_the_same_file() {
    assert_eq!(file(7, 500), file(7, 500));
    assert_ne!(file(7, 500), file(8, 500));
    // A longer file begins with the shorter one.
    assert!(file(7, 500).starts_with(&file(7, 100)));
    let first = file(SEED, 1);
    assert_eq!(first.lines().next(), Some(HEADER));
    assert_eq!(first.lines().count(), 2);
}
