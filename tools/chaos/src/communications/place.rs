//! Services in a place of their own on the servers, and what can be seen of them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, ensure};
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Setting;
use crate::{
    broker::Broker,
    history::History,
    load::client::{Caller, GATEWAY_SECRET, Target},
    replica::Replica,
    servers::{Servers, until},
};

/// Customers of one request.
const BATCH: usize = 10_000;
/// Longest time until all reports have come: leases of replicas that died are part of it.
const REST: Duration = Duration::from_mins(20);

/// Three services.
pub struct Place<'a> {
    pub servers: &'a Servers,
    pub audience: Replica,
    pub schedulers: Vec<Replica>,
    pub sender: Replica,
    /// Asks the replicas of scheduler-service in turn.
    pub caller: Caller,
    pub history: History,
    name: String,
    dir: TempDir,
}

/// Where one communication stands.
#[derive(Debug)]
pub struct Standing {
    pub status: String,
    /// Recipients by status, of the text messages.
    pub totals: BTreeMap<String, u64>,
}

impl<'a> Place<'a> {
    /// Starts the services in a new place with so many customers; each has a phone of its own.
    pub async fn start(setting: &Setting<'a>, people: usize) -> anyhow::Result<Self> {
        let number: u32 = rand::random();
        let name = format!("com_{number:08x}");
        let dir = tempfile::tempdir()?;
        let replica = |program: &str, role: &str, audience: Option<SocketAddr>| {
            let mut environment = environment(setting.servers, &name, dir.path(), role);
            environment.extend(audience.map(|address| {
                let url = format!("http://{address}");
                ("PLATEIA__AUDIENCE__URL".to_owned(), url)
            }));
            let log = dir.path().join(format!("{role}.log"));
            Replica::new(setting.programs.join(program), environment, log)
        };
        let audience = replica("audience-service", "audience", None)?;
        let address = Some(audience.address());
        let schedulers = vec![
            replica("scheduler-service", "scheduler-1", address)?,
            replica("scheduler-service", "scheduler-2", address)?,
        ];
        let sender = replica("plateia-sender", "sender", None)?;
        for one in [&audience, &sender].into_iter().chain(&schedulers) {
            one.start().await?;
        }
        let addresses = schedulers.iter().map(Replica::address).collect();
        let caller = Caller::new(Arc::new(Target { addresses }), "w", "ana");
        let place = Self {
            servers: setting.servers,
            audience,
            schedulers,
            sender,
            caller,
            history: History::default(),
            name,
            dir,
        };
        place.people(people).await?;
        Ok(place)
    }

    async fn people(&self, people: usize) -> anyhow::Result<()> {
        let addresses = vec![self.audience.address()];
        let caller = Caller::new(Arc::new(Target { addresses }), "w", "ana");
        for first in (0..people).step_by(BATCH) {
            let person = |n| json!({"document": format!("D{n:07}"), "phone": format!("119{n:08}")});
            let last = (first + BATCH).min(people);
            let data: Vec<Value> = (first..last).map(person).collect();
            let key = format!("people-{first}");
            let request = caller.json("POST", "/api/v1/customers", &key, &json!({"data": data}));
            let answer = caller.command(&request, &self.history, 0).await?;
            let refused = answer.body.pointer("/rejected").and_then(Value::as_u64);
            ensure!(refused.unwrap_or_default() == 0, "{}", answer.told());
        }
        Ok(())
    }

    /// Schedules a message to the customers from 1 to `people`, `wait` from now; answers its id.
    pub async fn schedule(
        &self,
        key: &str,
        people: usize,
        wait: Duration,
    ) -> anyhow::Result<String> {
        let ids: Vec<usize> = (1..=people).collect();
        let body = json!({
            "name": key, "send_at": instant(wait)?, "recipients": {"customer_ids": ids},
            "channels": ["sms"], "message": {"text": "Hi"},
        });
        let path = "/api/v1/communications";
        let request = self.caller.json("POST", path, key, &body);
        let made = self.caller.command(&request, &self.history, 0).await?;
        text(&made.body, "id").context("no id")
    }

    /// Where a communication stands.
    pub async fn standing(&self, id: &str) -> anyhow::Result<Standing> {
        let path = format!("/api/v1/communications/{id}");
        let read: Value = self.caller.must_get(&path).await?;
        let totals = read.pointer("/totals/sms").cloned();
        Ok(Standing {
            status: text(&read, "status").unwrap_or_default(),
            totals: serde_json::from_value(totals.unwrap_or_else(|| json!({})))?,
        })
    }

    /// Waits until a communication has ended and every dispatch of it was reported as sent.
    pub async fn sent(&self, id: &str, people: usize) -> anyhow::Result<()> {
        let expected = u64::try_from(people)?;
        let waited = until("every report", REST, async || {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let standing = self.standing(id).await;
            standing.is_ok_and(|it| it.totals.get("sent") == Some(&expected))
        });
        let waited = waited.await;
        let standing = self.standing(id).await?;
        waited.with_context(|| format!("{standing:?}"))?;
        ensure!(standing.status == "completed", "{standing:?}");
        ensure!(standing.totals.len() == 1, "{standing:?}");
        Ok(())
    }

    /// How often each dispatch is in the sender's file, by communication.
    pub fn file(&self) -> anyhow::Result<BTreeMap<String, BTreeMap<String, usize>>> {
        let mut all: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        let path = self
            .dir
            .path()
            .join("data-sender")
            .join("dispatches.ndjson");
        let lines = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            lines => lines?,
        };
        for line in lines.lines() {
            let line: Value = serde_json::from_str(line)?;
            let id = text(&line, "dispatch_id").context("no dispatch_id")?;
            let of = id.split('.').next().unwrap_or_default();
            let times = all.entry(of.replace("dsp_", "com_")).or_default();
            *times.entry(id).or_default() += 1;
        }
        Ok(all)
    }

    /// Whether every one of so many dispatches of a communication is in the sender's file once.
    pub fn once_each(&self, id: &str, people: usize) -> anyhow::Result<()> {
        let file = self.file()?;
        let times = file.get(id).context("nothing was sent")?;
        ensure!(
            times.len() == people,
            "{} of {people} were sent",
            times.len()
        );
        let twice = times.iter().find(|(_, times)| **times > 1);
        ensure!(twice.is_none(), "{twice:?} was sent more than once");
        Ok(())
    }

    /// Every program.
    pub fn all(&self) -> impl Iterator<Item = &Replica> {
        let both = [&self.audience, &self.sender];
        both.into_iter().chain(&self.schedulers)
    }

    /// Runs whatever does not.
    pub async fn heal(&self) -> anyhow::Result<()> {
        for one in self.all() {
            one.signal(rustix::process::Signal::CONT)?;
            one.ensure_runs().await?;
        }
        Ok(())
    }

    pub(super) async fn kill(&self) -> anyhow::Result<()> {
        for one in self.all() {
            one.kill().await?;
        }
        Ok(())
    }

    /// Stops the services in order and leaves nothing behind on the servers.
    pub(super) async fn finish(&self) -> anyhow::Result<()> {
        let anomalies = self.history.anomalies();
        ensure!(anomalies.is_empty(), "{anomalies:?}");
        for one in self.all() {
            one.stop().await?;
        }
        let broker = Broker::connect(self.servers, &self.name).await?;
        broker.clean().await
    }

    pub(super) fn keep_logs(&self, directory: &Path) -> anyhow::Result<()> {
        let directory = directory.join(&self.name);
        std::fs::create_dir_all(&directory)?;
        for role in ["audience", "scheduler-1", "scheduler-2", "sender"] {
            let name = format!("{role}.log");
            std::fs::copy(self.dir.path().join(&name), directory.join(&name))?;
        }
        println!("    logs in {}", directory.display());
        Ok(())
    }
}

/// A member that is text.
fn text(body: &Value, member: &str) -> Option<String> {
    let member = body.get(member).and_then(Value::as_str);
    member.map(str::to_owned)
}

/// An instant from now on, as a body has it.
#[expect(
    clippy::disallowed_methods,
    reason = "the services have the clock of the machine"
)]
fn instant(wait: Duration) -> anyhow::Result<String> {
    let at = Utc::now() + TimeDelta::from_std(wait)?;
    Ok(at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn environment(servers: &Servers, name: &str, dir: &Path, role: &str) -> Vec<(String, String)> {
    let data: PathBuf = dir.join(format!("data-{role}"));
    let service = role.split('-').next().unwrap_or_default();
    let pairs = [
        ("DATA_DIR", data.display().to_string()),
        ("GATEWAY_SECRET", GATEWAY_SECRET.to_owned()),
        (
            "SECRETS__KEY",
            "a-secret-for-chaos-of-37-characters-ok".to_owned(),
        ),
        ("POSTGRES__URL", servers.postgres_url.clone()),
        ("POSTGRES__SCHEMA", format!("{name}_{service}")),
        ("POSTGRES__MAX_CONNECTIONS", "8".to_owned()),
        ("MONGODB__URL", servers.mongodb_url.clone()),
        ("MONGODB__DATABASE", name.to_owned()),
        ("RABBITMQ__URL", servers.rabbitmq_url.clone()),
        ("RABBITMQ__PREFIX", name.to_owned()),
        ("TELEMETRY__LEVEL", "info".to_owned()),
    ];
    let named = |(name, value): (&str, String)| (format!("PLATEIA__{name}"), value);
    pairs.into_iter().map(named).collect()
}
