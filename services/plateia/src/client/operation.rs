//! Following an operation, and acting on it.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use anyhow::Context;
use api_types::{
    operations::{OperationJson, ProgressJson},
    uploads::WarningJson,
};
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Api, Refused, Show, read,
    show::{counts, thousands, warnings},
};
use crate::{cli::Wait, outcome::Outcome};

const POLL: Duration = Duration::from_millis(250);
/// How often in a row the server may be away, for instance because it starts again.
const PATIENCE: u32 = 120;

/// Counts of a report in the order of what happens; others follow by name.
const ORDER: [&str; 13] = [
    "received",
    "created",
    "updated",
    "unchanged",
    "superseded",
    "rejected",
    "opted_out",
    "quarantined",
    "total",
    "removed",
    "kept",
    "unreadable",
    "withheld",
];

/// An operation as the server shows it. A run of an import has the same members, and more.
#[derive(Debug, Clone)]
pub struct Operation {
    /// As it came.
    pub raw: Value,
    /// What is known of it.
    pub json: OperationJson,
}

impl Operation {
    /// That of an answer.
    ///
    /// # Errors
    /// When the answer is none.
    pub fn of(answer: Value) -> anyhow::Result<Self> {
        Ok(Self {
            json: read(&answer)?,
            raw: answer,
        })
    }

    /// Reads one.
    pub async fn get(api: &Api, id: &str) -> anyhow::Result<Self> {
        Self::of(api.get(&["operations", id], &[]).await?)
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.json.has_ended()
    }

    /// Whether it goes on only once somebody confirms it.
    pub fn awaits_confirmation(&self) -> bool {
        self.json.state == "waiting" && self.json.reason.as_deref() == Some("size_guard")
    }

    /// What its end means for a command.
    pub fn outcome(&self) -> Outcome {
        outcome(&self.json)
    }

    /// How it stands, for people.
    pub fn lines(&self) -> Vec<String> {
        let operation = &self.json;
        let OperationJson { id, kind, .. } = operation;
        let mut lines = vec![format!("{id} {kind} {}", standing(operation))];
        let audiences = [
            ("audience", &operation.audience_id),
            ("new", &operation.target_audience_id),
        ];
        for (label, id) in audiences {
            lines.extend(id.iter().map(|id| format!("  {label:<12} {id}")));
        }
        if !operation.has_ended() {
            let ProgressJson { done, total } = operation.progress;
            let of = total.filter(|total| *total > 0);
            let of = of.map_or_else(String::new, |total| format!(" of {}", thousands(total)));
            lines.push(format!("  {:<12} {:>12}{of}", "done", thousands(done)));
        }
        lines.extend(report_lines(operation.report.as_ref()));
        let error = operation.error.iter();
        lines.extend(error.map(|error| format!("  {}: {}", error.code, error.detail)));
        if self.outcome() == Outcome::Rejected && kind != "import" {
            lines.push(format!("  rejected rows: plateia operation rejected {id}"));
        }
        lines
    }

    fn draw(&self, bar: &ProgressBar) {
        let ProgressJson { done, total } = self.json.progress;
        let count = |number| u64::try_from(number).unwrap_or(0);
        bar.set_length(count(total.unwrap_or(0)));
        bar.set_position(count(done));
        bar.set_message(format!("{} {}", self.json.kind, standing(&self.json)));
    }
}

/// What the end of an operation means for a command.
pub fn outcome(operation: &OperationJson) -> Outcome {
    match (operation.state.as_ref(), operation.result.as_deref()) {
        ("succeeded", Some("partial")) => Outcome::Rejected,
        ("succeeded", _) => Outcome::Done,
        _ => Outcome::Failed,
    }
}

/// The state, and why it waits.
fn standing(operation: &OperationJson) -> String {
    let state = &operation.state;
    match (&operation.reason, operation.result.as_deref()) {
        (Some(reason), _) => format!("{state}: {reason}"),
        (None, Some("partial")) => format!("{state} (partial)"),
        (None, _) => state.to_string(),
    }
}

/// How an operation stands, in one line.
pub fn line(operation: &OperationJson) -> String {
    format!(
        "{:<24} {:<10} {:<24} {:>12}  {:<24}  {}",
        operation.id,
        operation.kind,
        standing(operation),
        thousands(operation.progress.done),
        operation.created_at,
        operation.audience_id.as_deref().unwrap_or_default(),
    )
}

/// What a report of any kind has beside its counts.
#[derive(Deserialize)]
struct Beside {
    #[serde(default)]
    by_reason: BTreeMap<Cow<'static, str>, i64>,
    #[serde(default)]
    warnings: Vec<WarningJson>,
}

/// The counts of a report, each in a line of its own.
fn report_lines(report: Option<&Value>) -> Vec<String> {
    let Some((report, members)) = report.and_then(|r| Some((r, r.as_object()?))) else {
        return Vec::new();
    };
    let others = members.keys().map(String::as_str);
    let names = ORDER
        .into_iter()
        .chain(others.filter(|name| !ORDER.contains(name)));
    let shown = names.filter_map(|name| Some((name, members.get(name)?.as_i64()?)));
    let mut lines: Vec<String> = shown
        .map(|(name, count)| format!("  {name:<12} {:>12}", thousands(count)))
        .collect();
    if let Ok(beside) = Beside::deserialize(report) {
        let reasons = counts(&beside.by_reason);
        lines.extend(reasons.iter().map(|line| format!("  {line}")));
        lines.extend(warnings(&beside.warnings));
    }
    lines
}

/// How far an operation was followed.
#[derive(Debug)]
pub enum Watched {
    /// To its end.
    Ended(Operation),
    /// Until the wait was over.
    Over(Operation),
    /// Until Ctrl-C, which leaves it running.
    Interrupted(Operation),
}

impl Watched {
    /// The operation as it was seen last.
    pub fn operation(self) -> Operation {
        match self {
            Self::Ended(operation) | Self::Over(operation) | Self::Interrupted(operation) => {
                operation
            }
        }
    }
}

/// Follows an operation to its end, but no longer than a wait.
///
/// # Errors
/// When it cannot be read, or the server stays away.
pub async fn watch(
    api: &Api,
    show: Show,
    id: &str,
    wait: Option<Duration>,
) -> anyhow::Result<Watched> {
    watch_in(api, show, "operations", id, wait).await
}

/// As [`watch`], for operations of another list, such as `imports`.
///
/// # Errors
/// As [`watch`].
pub async fn watch_in(
    api: &Api,
    show: Show,
    list: &str,
    id: &str,
    wait: Option<Duration>,
) -> anyhow::Result<Watched> {
    let bar = show.items();
    let mut seen = None;
    let to_its_end = async {
        let mut away = 0;
        loop {
            match api.get(&[list, id], &[]).await {
                Ok(answer) => {
                    let operation = Operation::of(answer)?;
                    operation.draw(&bar);
                    let has_ended = operation.has_ended();
                    let rests = has_ended || operation.awaits_confirmation();
                    seen = Some(operation);
                    if rests {
                        return Ok(has_ended);
                    }
                    away = 0;
                }
                Err(error) if away == PATIENCE || error.is::<Refused>() => return Err(error),
                Err(_) => away += 1,
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let over = async {
        match wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None => std::future::pending().await,
        }
    };
    let how: anyhow::Result<fn(Operation) -> Watched> = tokio::select! {
        ended = to_its_end => ended.map(|ended| match ended {
            true => Watched::Ended as _,
            false => Watched::Over as _,
        }),
        () = over => Ok(Watched::Over as _),
        interrupt = tokio::signal::ctrl_c() => {
            interrupt.map(|()| Watched::Interrupted as _).context("Ctrl-C")
        }
    };
    bar.finish_and_clear();
    let how = how?;
    let seen = seen.with_context(|| format!("{id} was not seen, and goes on"))?;
    Ok(how(seen))
}

/// Follows an operation to its end.
///
/// # Errors
/// When it does not succeed, or the server goes away.
pub async fn finish(api: &Api, show: Show, operation: &str) -> anyhow::Result<()> {
    let Watched::Ended(ended) = watch(api, show, operation, None).await? else {
        return Ok(());
    };
    show.result(&ended.raw, || ended.lines());
    anyhow::ensure!(
        ended.outcome() != Outcome::Failed,
        "{operation} did not succeed"
    );
    Ok(())
}

/// Follows an operation to its end, or as long as is waited for it, and shows it. Not to have
/// ended within the wait is a failure, but not where nothing was to be waited for.
///
/// # Errors
/// As [`watch`].
pub async fn follow(api: &Api, show: Show, id: &str, wait: Wait) -> anyhow::Result<Outcome> {
    let (operation, outcome) = match wait.seconds {
        Some(0) => (Operation::get(api, id).await?, Outcome::Done),
        seconds => match watch(api, show, id, seconds.map(Duration::from_secs)).await? {
            Watched::Ended(operation) => {
                let outcome = operation.outcome();
                (operation, outcome)
            }
            Watched::Over(operation) | Watched::Interrupted(operation) => {
                (operation, Outcome::Failed)
            }
        },
    };
    show.result(&operation.raw, || operation.lines());
    if operation.awaits_confirmation() {
        show.note(&format!(
            "{id} waits to be confirmed: `plateia operation confirm {id}`, or `cancel`"
        ));
    } else if !operation.has_ended() {
        show.note(&format!(
            "{id} goes on; follow it with `plateia operation watch {id}`"
        ));
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ended(state: &str, result: Value) -> Operation {
        let answer = json!({
            "id": "op_1", "kind": "upload", "state": state, "result": result,
            "progress": {"done": 1200, "total": 1200}, "attempt": 1, "created_by": "ana",
            "created_at": "2026-01-01T00:00:00.000Z", "links": {},
            "report": {"received": 1200, "created": 1199, "rejected": 1, "by_reason": {"where": 3}},
        });
        Operation::of(answer).unwrap()
    }

    #[test]
    fn the_end_decides_the_exit_code() {
        assert_eq!(
            ended("succeeded", json!("complete")).outcome(),
            Outcome::Done
        );
        assert_eq!(
            ended("succeeded", json!("partial")).outcome(),
            Outcome::Rejected
        );
        assert_eq!(ended("failed", Value::Null).outcome(), Outcome::Failed);
        assert_eq!(ended("cancelled", Value::Null).outcome(), Outcome::Failed);
        assert!(!ended("waiting", Value::Null).has_ended());
    }

    #[test]
    fn a_waiting_operation_says_why() {
        let mut waiting = ended("waiting", Value::Null);
        waiting.json.reason = Some("disk_full".to_owned());
        waiting.json.progress = ProgressJson {
            done: 1500,
            total: None,
        };
        assert!(line(&waiting.json).contains("waiting: disk_full"));
        let lines = waiting.lines().join("\n");
        assert!(
            lines.contains("waiting: disk_full") && lines.contains("1,500"),
            "{lines}"
        );
    }

    #[test]
    fn every_count_of_a_report_is_shown() {
        let mut operation = ended("succeeded", json!("complete"));
        operation.json.report = Some(json!({"opted_out": 4321}));
        assert!(operation.lines().join("\n").contains("4,321"));
    }

    #[test]
    fn the_report_is_shown() {
        let lines = ended("succeeded", json!("partial")).lines().join("\n");
        assert!(
            lines.contains("1,200") && lines.contains("where"),
            "{lines}"
        );
        assert!(lines.contains("plateia operation rejected op_1"), "{lines}");
    }
}
