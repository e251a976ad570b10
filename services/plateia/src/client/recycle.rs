//! `plateia audience recycle`

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::{
    Api, Show, operation,
    show::{counts, number, text, thousands, warnings},
    upload,
};
use crate::{
    cli::{RecycleArgs, RuleArgs},
    outcome::Outcome,
};

/// Shows what would be removed, asks, then removes it and follows that to its end.
///
/// # Errors
/// When a file cannot be read, the server refuses, or goes away.
pub async fn run(api: &Api, show: Show, args: RecycleArgs) -> anyhow::Result<Outcome> {
    let upload_id = match &args.rules.documents {
        Some(path) => {
            let upload = upload(api, show, path, &args.reading).await?;
            Some(
                upload
                    .get("id")
                    .cloned()
                    .context("the server's answer names no upload")?,
            )
        }
        None => None,
    };
    let mut body = request(&args, upload_id);
    let path = ["audiences", args.id.as_str(), "recycle"];
    let plan = match &args.plan {
        Some(plan) => plan.clone(),
        None => {
            body.insert("dry_run".to_owned(), true.into());
            let plan = api.post(&path, &body.clone().into()).await?.body;
            if args.dry_run {
                show.result(&plan, || plan_lines(&plan));
                return Ok(Outcome::Done);
            }
            show.note(&plan_lines(&plan).join("\n"));
            if !args.yes && !show.confirm(&question(&args, &plan))? {
                show.note("nothing was changed");
                return Ok(Outcome::Failed);
            }
            text(&plan, "plan").to_owned()
        }
    };
    body.insert("dry_run".to_owned(), false.into());
    body.insert("plan".to_owned(), plan.into());
    let accepted = api.post(&path, &body.into()).await?;
    operation::follow(api, show, &accepted.operation_id()?, args.wait).await
}

/// What was said and nothing else: defaults are the server's.
fn request(args: &RecycleArgs, upload_id: Option<Value>) -> Map<String, Value> {
    let target = match args.to_new.as_deref() {
        None => json!({"type": "in_place"}),
        Some("") => json!({"type": "new"}),
        Some(name) => json!({"type": "new", "name": name}),
    };
    let keep = said([
        ("audience_ids", listed(&args.keep_audience)),
        ("documents", listed(&args.keep_document)),
    ]);
    let mut body = said([
        ("keep", (!keep.is_empty()).then(|| keep.into())),
        ("plan_tolerance", args.plan_tolerance.map(Value::from)),
    ]);
    body.insert("rules".to_owned(), rules(&args.rules, upload_id).into());
    body.insert("target".to_owned(), target);
    body
}

fn rules(args: &RuleArgs, upload_id: Option<Value>) -> Map<String, Value> {
    let contacted = said([
        ("channel", args.channel.as_deref().map(Value::from)),
        ("from", args.contacted_from.as_deref().map(Value::from)),
        ("to", args.contacted_to.as_deref().map(Value::from)),
    ]);
    let duplicates = listed(&args.duplicates).map(|by| {
        let keep = args.duplicates_keep.as_deref().map(Value::from);
        said([("by", Some(by)), ("keep", keep)]).into()
    });
    said([
        ("upload_id", upload_id),
        ("documents", listed(&args.document)),
        ("audience_ids", listed(&args.minus)),
        ("where", args.conditions.clone()),
        ("outcomes", listed(&args.outcome)),
        (
            "contacted",
            (!contacted.is_empty()).then(|| contacted.into()),
        ),
        ("attempts", args.attempts.map(|n| json!({"at_least": n}))),
        (
            "min_hours_since_last_attempt",
            args.min_hours_since_last_attempt.map(Value::from),
        ),
        ("opted_out", args.opted_out.map(Value::from)),
        ("duplicates", duplicates),
    ])
}

fn said<const N: usize>(members: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let said = members.into_iter();
    said.filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

fn listed(items: &[String]) -> Option<Value> {
    (!items.is_empty()).then(|| json!(items))
}

fn plan_lines(plan: &Value) -> Vec<String> {
    let line = |name: &str| format!("{name:<14} {:>12}", thousands(number(plan, name)));
    let mut lines = vec![line("total"), line("removed")];
    lines.extend(counts(plan.get("by_reason")));
    lines.push(line("kept"));
    if number(plan, "unreadable_values") > 0 {
        lines.push(line("unreadable_values"));
    }
    if number(plan, "unreadable") > 0 {
        lines.push(line("unreadable"));
        let link = plan.pointer("/links/unreadable").and_then(Value::as_str);
        lines.push(format!(
            "  rows of the file without a readable document: GET {}",
            link.unwrap_or_default()
        ));
    }
    lines.extend(warnings(plan));
    lines
}

fn question(args: &RecycleArgs, plan: &Value) -> String {
    let (removed, kept) = (
        thousands(number(plan, "removed")),
        thousands(number(plan, "kept")),
    );
    match args.to_new {
        None => format!(
            "Remove {removed} contacts from {} and keep {kept}?",
            args.id
        ),
        Some(_) => format!(
            "Copy {kept} contacts of {} to a new audience, without {removed}?",
            args.id
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> RecycleArgs {
        RecycleArgs {
            id: "aud_1".to_owned(),
            ..RecycleArgs::default()
        }
    }

    fn texts<const N: usize>(items: [&str; N]) -> Vec<String> {
        items.map(str::to_owned).to_vec()
    }

    #[test]
    fn only_what_was_said_is_sent() {
        let body = request(&args(), None);
        assert_eq!(
            Value::from(body),
            json!({"rules": {}, "target": {"type": "in_place"}})
        );
        let unnamed = RecycleArgs {
            to_new: Some(String::new()),
            ..args()
        };
        assert_eq!(request(&unnamed, None)["target"], json!({"type": "new"}));
    }

    #[test]
    fn every_rule_can_be_said() {
        let full = RecycleArgs {
            rules: RuleArgs {
                documents: None,
                document: texts(["1", "2"]),
                minus: texts(["aud_2"]),
                conditions: Some(json!([{"conditions": []}])),
                outcome: texts(["busy"]),
                contacted_from: Some("2026-01-01T00:00:00Z".to_owned()),
                contacted_to: Some("2026-02-01T00:00:00Z".to_owned()),
                channel: Some("phone".to_owned()),
                attempts: Some(3),
                min_hours_since_last_attempt: Some(24),
                opted_out: Some(false),
                duplicates: texts(["phone", "email"]),
                duplicates_keep: Some("earliest".to_owned()),
            },
            keep_audience: texts(["aud_3"]),
            keep_document: texts(["7"]),
            to_new: Some("N".to_owned()),
            plan_tolerance: Some(5),
            ..args()
        };
        assert_eq!(
            Value::from(request(&full, Some(json!("upl_1")))),
            json!({
                "rules": {
                    "upload_id": "upl_1",
                    "documents": ["1", "2"],
                    "audience_ids": ["aud_2"],
                    "where": [{"conditions": []}],
                    "outcomes": ["busy"],
                    "contacted": {"channel": "phone", "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"},
                    "attempts": {"at_least": 3},
                    "min_hours_since_last_attempt": 24,
                    "opted_out": false,
                    "duplicates": {"by": ["phone", "email"], "keep": "earliest"},
                },
                "keep": {"audience_ids": ["aud_3"], "documents": ["7"]},
                "target": {"type": "new", "name": "N"},
                "plan_tolerance": 5,
            })
        );
    }

    #[test]
    fn the_question_says_exactly_how_many() {
        let plan =
            json!({"total": 1500, "removed": 1200, "kept": 300, "by_reason": {"documents": 1200}});
        assert_eq!(
            question(&args(), &plan),
            "Remove 1,200 contacts from aud_1 and keep 300?"
        );
        assert_eq!(plan_lines(&plan).len(), 4);
        let mut unread = plan;
        unread["unreadable_values"] = 7.into();
        let last = plan_lines(&unread).pop().unwrap();
        assert!(
            last.starts_with("unreadable") && last.ends_with(" 7"),
            "{last}"
        );
    }
}
