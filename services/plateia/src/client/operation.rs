//! Following an operation, and acting on it.

use std::time::Duration;

use anyhow::Context;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{
    Api, Refused, Show,
    show::{counts, number, text, thousands},
};
use crate::run::Outcome;

const POLL: Duration = Duration::from_millis(250);
/// How often in a row the server may be away, for instance because it starts again.
const PATIENCE: u32 = 120;

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

    fn state(&self) -> &str {
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

    /// How it stands, for people.
    pub fn lines(&self) -> Vec<String> {
        let value = &self.0;
        let mut lines = vec![format!(
            "{} {} {}",
            self.id(),
            text(value, "kind"),
            self.state()
        )];
        for (label, member) in [("audience", "audience_id"), ("new", "target_audience_id")] {
            let id = text(value, member);
            if !id.is_empty() {
                lines.push(format!("  {label:<12} {id}"));
            }
        }
        if let Some(report) = value.get("report").and_then(Value::as_object) {
            let order = [
                "received",
                "created",
                "updated",
                "unchanged",
                "rejected",
                "quarantined",
                "total",
                "removed",
                "kept",
                "withheld",
            ];
            let shown = order
                .iter()
                .filter_map(|name| Some((name, report.get(*name)?.as_i64()?)));
            lines.extend(
                shown.map(|(name, count)| format!("  {name:<12} {:>12}", thousands(count))),
            );
            let reasons = counts(report.get("by_reason"));
            lines.extend(reasons.iter().map(|line| format!("  {line}")));
        }
        if let Some(error) = value.get("error").filter(|error| error.is_object()) {
            lines.push(format!(
                "  {}: {}",
                text(error, "code"),
                text(error, "detail")
            ));
        }
        if self.outcome() == Outcome::Rejected && text(value, "kind") != "import" {
            lines.push(format!(
                "  rejected rows: GET /api/v1/operations/{}/rejected",
                self.id()
            ));
        }
        lines
    }

    fn draw(&self, bar: &ProgressBar) {
        let progress = self.0.get("progress").unwrap_or(&Value::Null);
        let count = |name| u64::try_from(number(progress, name)).unwrap_or(0);
        bar.set_length(count("total"));
        bar.set_position(count("done"));
        bar.set_message(format!("{} {}", text(&self.0, "kind"), self.state()));
    }
}

/// Follows an operation to its end; `None` when Ctrl-C came first, which leaves it running.
///
/// # Errors
/// When it cannot be read, or the server stays away.
pub async fn watch(api: &Api, show: Show, id: &str) -> anyhow::Result<Option<Operation>> {
    watch_in(api, show, "operations", id).await
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
) -> anyhow::Result<Option<Operation>> {
    let bar = show.items();
    let to_its_end = async {
        let mut away = 0;
        loop {
            match api.get(&[list, id], &[]).await.map(Operation) {
                Ok(operation) => {
                    operation.draw(&bar);
                    if operation.has_ended() {
                        return Ok(operation);
                    }
                    away = 0;
                }
                Err(error) if away == PATIENCE || error.is::<Refused>() => return Err(error),
                Err(_) => away += 1,
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let ended = tokio::select! {
        ended = to_its_end => ended.map(Some),
        interrupt = tokio::signal::ctrl_c() => interrupt.map(|()| None).context("Ctrl-C"),
    };
    bar.finish_and_clear();
    ended
}

/// Follows an operation to its end and shows it.
///
/// # Errors
/// As [`watch`].
pub async fn follow(api: &Api, show: Show, id: &str) -> anyhow::Result<Outcome> {
    let Some(operation) = watch(api, show, id).await? else {
        show.result(&json!({"operation_id": id, "state": "running"}), || {
            vec![format!(
                "{id} goes on; follow it with `plateia operation watch {id}`"
            )]
        });
        return Ok(Outcome::Failed);
    };
    show.result(&operation.0, || operation.lines());
    Ok(operation.outcome())
}

/// Cancels or undoes an operation.
///
/// # Errors
/// When the server refuses.
pub async fn act(api: &Api, show: Show, id: &str, action: &str) -> anyhow::Result<Outcome> {
    api.post(&["operations", id, action], &json!({})).await?;
    let operation = Operation::get(api, id).await?;
    show.result(&operation.0, || {
        let done = if action == "undo" {
            "undone"
        } else {
            "asked to stop"
        };
        vec![format!("{id} {done}")]
    });
    Ok(Outcome::Done)
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
    fn the_report_is_shown() {
        let lines = ended("succeeded", json!("partial")).lines().join("\n");
        assert!(
            lines.contains("1,200") && lines.contains("where"),
            "{lines}"
        );
        assert!(lines.contains("/op_1/rejected"), "{lines}");
    }
}
