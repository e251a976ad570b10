//! A communication of the demonstration: it leaves ten seconds after the start.

use std::{path::Path, time::Duration};

use anyhow::Context;
use api_types::{
    List,
    communications::{
        CommunicationJson, CommunicationMessageJson, NewCommunication, OccurrenceJson,
        RecipientsJson,
    },
    customers::{Upsert, UpsertedJson},
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    client::{Api, read},
    sample::{Customers, SEED},
};

const NAME: &str = "Boas-vindas";
/// How long after it was asked for it leaves.
const AFTER: TimeDelta = TimeDelta::seconds(10);
/// Who gets it.
const RECIPIENTS: usize = 3;
/// Pause between two looks whether it has left.
const POLL: Duration = Duration::from_millis(500);
/// Longest wait for that: much longer than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks for it, to some of the sample's customers, and says when it leaves.
///
/// # Errors
/// When the server refuses.
pub async fn ask(api: &Api, now: DateTime<Utc>) -> anyhow::Result<CommunicationJson> {
    let sample = Customers::new(SEED, RECIPIENTS, now);
    let person = |customer: Value| {
        let member = |name: &str| customer.get(name).cloned();
        let (document, name, phone) = (member("document"), member("name"), member("phone"));
        json!({"document": document, "name": name, "phone": phone})
    };
    let people = Upsert {
        data: sample.all().map(person).collect(),
        strict: true,
    };
    let known: UpsertedJson = read(&api.post(&["customers"], &people).await?)?;
    let at = (now + AFTER).to_rfc3339_opts(SecondsFormat::Millis, true);
    let body = NewCommunication {
        name: Some(NAME.to_owned()),
        send_at: Some(Value::String(at)),
        recipients: RecipientsJson {
            customer_ids: Some(known.results.iter().filter_map(|one| one.id).collect()),
            ..RecipientsJson::default()
        },
        channels: vec!["sms".to_owned()],
        message: CommunicationMessageJson {
            text: Some("Oi, {{name}}! Bem-vindo à Plateia.".to_owned()),
            ..CommunicationMessageJson::default()
        },
        transactional: Some(true),
        ..NewCommunication::default()
    };
    let asked: CommunicationJson = read(&api.post(&["communications"], &body).await?)?;
    println!("communication {NAME:?}: leaves at {}", asked.send_at);
    Ok(asked)
}

/// Waits until its senders have reported, and tells what became of it.
///
/// # Errors
/// When the server refuses.
pub async fn follow(api: &Api, asked: &CommunicationJson, data_dir: &Path) -> anyhow::Result<()> {
    let path = ["communications", asked.id.as_str()];
    let sent = async {
        loop {
            let now: CommunicationJson = read(&api.get(&path, &[]).await?)?;
            let totals = now.totals.unwrap_or_default();
            let sms = totals.get("sms").cloned().unwrap_or_default();
            let reported = !sms.contains_key("dispatched") && !sms.contains_key("pending");
            if reported
                && !matches!(
                    now.status.as_str(),
                    "scheduled" | "resolving" | "dispatching"
                )
            {
                return Ok::<_, anyhow::Error>(sms);
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let Ok(sent) = tokio::time::timeout(PATIENCE, sent).await else {
        println!("communication {NAME:?}: not all of it was reported within a minute");
        return Ok(());
    };
    let sent: Vec<String> = sent?
        .iter()
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    let occurrences = ["communications", asked.id.as_str(), "occurrences"];
    let occurrences: List<OccurrenceJson> = read(&api.get(&occurrences, &[]).await?)?;
    let first = occurrences.data.first().context("its occurrence")?;
    println!(
        "communication {NAME:?}: {}, {} ms after {}; see {}",
        sent.join(", "),
        first.lateness_ms,
        first.scheduled_for,
        data_dir.join("dispatches.ndjson").display(),
    );
    Ok(())
}
