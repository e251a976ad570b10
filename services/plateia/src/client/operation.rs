//! Following an operation, and acting on it.

use std::time::Duration;

use anyhow::Context;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{
    Api, Refused, Show,
    show::{counts, number, text, thousands, warnings},
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

/// An operation as the server shows it.
#[derive(Debug, Clone)]
pub struct Operation(pub Value);

impl Operation {
    /// Reads one.
    pub async fn get(api: &Api, id: &str) -> anyhow::Result<Self> {
        Ok(Self(api.get(&["operations", id], &[]).await?))
    }

    /// Its id.
    pub fn id(&self) -> &str {
        text(&self.0, "id")
    }

    /// `queued`, `running`, …
    pub fn state(&self) -> &str {
        text(&self.0, "state")
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.state(), "succeeded" | "failed" | "cancelled")
    }

    /// What its end means for a command.
    pub fn outcome(&self) -> Outcome {
        match (self.state(), text(&self.0, "result")) {
            ("succeeded", "partial") => Outcome::Rejected,
            ("succeeded", _) => Outcome::Done,
            _ => Outcome::Failed,
        }
    }

    /// The state, and why it waits.
    fn standing(&self) -> String {
        match (
            self.state(),
            text(&self.0, "reason"),
            text(&self.0, "result"),
        ) {
            (state, "", "partial") => format!("{state} (partial)"),
            (state, "", _) => state.to_owned(),
            (state, reason, _) => format!("{state}: {reason}"),
        }
    }

    /// How it stands, in one line.
    pub fn line(&self) -> String {
        let done = thousands(number(self.progress(), "done"));
        format!(
            "{:<24} {:<10} {:<24} {done:>12}  {:<24}  {}",
            self.id(),
            text(&self.0, "kind"),
            self.standing(),
            text(&self.0, "created_at"),
            text(&self.0, "audience_id"),
        )
    }

    /// How it stands, for people.
    pub fn lines(&self) -> Vec<String> {
        let value = &self.0;
        let mut lines = vec![format!(
            "{} {} {}",
            self.id(),
            text(value, "kind"),
            self.standing()
        )];
        for (label, member) in [("audience", "audience_id"), ("new", "target_audience_id")] {
            let id = text(value, member);
            if !id.is_empty() {
                lines.push(format!("  {label:<12} {id}"));
            }
        }
        if !self.has_ended() {
            let (done, total) = (
                number(self.progress(), "done"),
                number(self.progress(), "total"),
            );
            let of = if total > 0 {
                format!(" of {}", thousands(total))
            } else {
                String::new()
            };
            lines.push(format!("  {:<12} {:>12}{of}", "done", thousands(done)));
        }
        lines.extend(report_lines(value.get("report")));
        if let Some(error) = value.get("error").filter(|error| error.is_object()) {
            lines.push(format!(
                "  {}: {}",
                text(error, "code"),
                text(error, "detail")
            ));
        }
        if self.outcome() == Outcome::Rejected && text(value, "kind") != "import" {
            lines.push(format!(
                "  rejected rows: plateia operation rejected {}",
                self.id()
            ));
        }
        lines
    }

    fn progress(&self) -> &Value {
        self.0.get("progress").unwrap_or(&Value::Null)
    }

    fn draw(&self, bar: &ProgressBar) {
        let count = |name| u64::try_from(number(self.progress(), name)).unwrap_or(0);
        bar.set_length(count("total"));
        bar.set_position(count("done"));
        bar.set_message(format!("{} {}", text(&self.0, "kind"), self.standing()));
    }
}

/// The counts of a report, each in a line of its own.
fn report_lines(report: Option<&Value>) -> Vec<String> {
    let Some(members) = report.and_then(Value::as_object) else {
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
    let reasons = counts(members.get("by_reason"));
    lines.extend(reasons.iter().map(|line| format!("  {line}")));
    lines.extend(warnings(report.unwrap_or(&Value::Null)));
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
    let mut seen = Operation(json!({"id": id}));
    let to_its_end = async {
        let mut away = 0;
        loop {
            match api.get(&[list, id], &[]).await.map(Operation) {
                Ok(operation) => {
                    operation.draw(&bar);
                    seen = operation;
                    if seen.has_ended() {
                        return Ok(());
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
        ended = to_its_end => ended.map(|()| Watched::Ended as _),
        () = over => Ok(Watched::Over as _),
        interrupt = tokio::signal::ctrl_c() => {
            interrupt.map(|()| Watched::Interrupted as _).context("Ctrl-C")
        }
    };
    bar.finish_and_clear();
    Ok(how?(seen))
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
    show.result(&operation.0, || operation.lines());
    if !operation.has_ended() {
        show.note(&format!(
            "{id} goes on; follow it with `plateia operation watch {id}`"
        ));
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(state: &str, result: Value) -> Operation {
        Operation(
            json!({"id": "op_1", "kind": "upload", "state": state, "result": result,
            "report": {"received": 1200, "created": 1199, "rejected": 1, "by_reason": {"where": 3}}}),
        )
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
        waiting.0["reason"] = json!("disk_full");
        waiting.0["progress"] = json!({"done": 1500, "total": null});
        assert!(waiting.line().contains("waiting: disk_full"));
        let lines = waiting.lines().join("\n");
        assert!(
            lines.contains("waiting: disk_full") && lines.contains("1,500"),
            "{lines}"
        );
    }

    #[test]
    fn every_count_of_a_report_is_shown() {
        let mut operation = ended("succeeded", json!("complete"));
        operation.0["report"]["opted_out"] = json!(4321);
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
