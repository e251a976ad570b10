//! Cases of reading.

use domain::{
    contact::Document,
    recycle::{Outcome, OutcomeFacts},
};

use super::{add, document, report};
use crate::store::{StoreHarness, workspace};

fn texts<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Vec<&'a str> {
    documents.into_iter().map(Document::as_str).collect()
}

pub async fn facts_come_back_as_they_were(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let mut records: Vec<_> = (1..)
        .zip(Outcome::ALL)
        .map(|(n, outcome)| report("1", *outcome, n))
        .collect();
    add(h, &ws, &records).await;
    let facts = h
        .queries()
        .facts_between(&ws, None, &document("1"))
        .await
        .unwrap();
    let expected = OutcomeFacts(records.drain(..).map(|record| record.fact).collect());
    assert_eq!(facts, [(document("1"), expected)]);
}

pub async fn bounds_are_after_exclusive_until_inclusive(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let people = ["A", "B", "C", "D", "E"];
    add(h, &ws, &people.map(|text| report(text, Outcome::Busy, 1))).await;
    for (after, until, expected) in [
        (None, "C", &["A", "B", "C"][..]),
        (Some("B"), "D", &["C", "D"]),
        (Some("BB"), "CC", &["C"]),
        (Some("D"), "D", &[]),
        (Some("E"), "Z", &[]),
    ] {
        let after = after.map(document);
        let facts = h
            .queries()
            .facts_between(&ws, after.as_ref(), &document(until))
            .await
            .unwrap();
        assert_eq!(texts(facts.iter().map(|(document, _)| document)), expected);
    }
}

pub async fn people_are_ordered_by_the_bytes_of_documents(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let mut people = [
        "É1",
        "Z",
        "A-1",
        "A_1",
        "A1",
        "10",
        "9",
        "\u{10400}",
        "\u{ffee}",
    ];
    add(
        h,
        &ws,
        &people.map(|text| report(text, Outcome::OptedOut, 1)),
    )
    .await;
    people.sort_unstable();
    let last = Document::from_stored("\u{10ffff}".into());
    let facts = h.queries().facts_between(&ws, None, &last).await.unwrap();
    assert_eq!(texts(facts.iter().map(|(document, _)| document)), people);
    let gone = h.queries().opted_out(&ws, None, 100).await.unwrap();
    assert_eq!(texts(&gone), people);
}

pub async fn facts_stay_in_their_workspace(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    add(h, &ws, &[report("1", Outcome::Busy, 1)]).await;
    let facts = h
        .queries()
        .facts_between(&other, None, &document("9"))
        .await
        .unwrap();
    assert_eq!(facts, []);
}

pub async fn opted_out_is_whoever_said_so_at_any_time(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let records = [
        report("LATE", Outcome::OptedOut, 10),
        report("EARLY", Outcome::OptedOut, 1),
        report("EARLY", Outcome::Converted, 20),
        report("BUSY", Outcome::Busy, 20),
    ];
    add(h, &ws, &records).await;
    let gone = h.queries().opted_out(&ws, None, 100).await.unwrap();
    assert_eq!(texts(&gone), ["EARLY", "LATE"]);
}

pub async fn opted_out_is_paged_and_names_each_once(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let people = ["A", "B", "C", "D", "E"];
    for seconds in 1..=2 {
        add(
            h,
            &ws,
            &people.map(|text| report(text, Outcome::OptedOut, seconds)),
        )
        .await;
    }
    let mut seen: Vec<Document> = Vec::new();
    loop {
        let page = h.queries().opted_out(&ws, seen.last(), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(texts(&seen), people);
}

pub async fn opted_out_stays_in_its_workspace(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    add(h, &ws, &[report("1", Outcome::OptedOut, 1)]).await;
    assert_eq!(h.queries().opted_out(&other, None, 9).await.unwrap(), []);
}

pub async fn those_who_opted_out_are_found_among_others(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    let mut records: Vec<_> = ["A", "B\"'", "C"]
        .map(|text| report(text, Outcome::OptedOut, 1))
        .into();
    records.push(report("A", Outcome::OptedOut, 2));
    records.push(report("D", Outcome::Busy, 1));
    add(h, &ws, &records).await;
    let among = |ws, asked: &[&str]| {
        let asked: Vec<Document> = asked.iter().map(|text| document(text)).collect();
        async move {
            let mut found = h.queries().opted_out_among(ws, &asked).await.unwrap();
            found.sort_unstable();
            found
        }
    };
    let found = among(&ws, &["D", "B\"'", "A", "X"]).await;
    assert_eq!(texts(&found), ["A", "B\"'"]);
    assert_eq!(among(&ws, &[]).await, []);
    assert_eq!(among(&other, &["A"]).await, []);
}
