//! `plateia audience recycle`

use api_types::{
    recycle::{
        AttemptsBody, ContactedBody, DryRunJson, DuplicatesBody, KeepBody, RecycleBody, RulesBody,
        TargetBody,
    },
    uploads::UploadJson,
};

use super::{
    Api, Show, operation, read,
    show::{counts, thousands, warnings},
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
            let upload: UploadJson = read(&upload(api, show, path, &args.reading).await?)?;
            Some(upload.id)
        }
        None => None,
    };
    let mut body = request(&args, upload_id);
    let path = ["audiences", args.id.as_str(), "recycle"];
    let plan = match &args.plan {
        Some(plan) => plan.clone(),
        None => {
            body.dry_run = true;
            let answer = api.post(&path, &body).await?;
            let plan: DryRunJson = read(&answer)?;
            if args.dry_run {
                show.result(&answer, || plan_lines(&plan));
                return Ok(Outcome::Done);
            }
            show.note(&plan_lines(&plan).join("\n"));
            if !args.yes && !show.confirm(&question(&args, &plan))? {
                show.note("nothing was changed");
                return Ok(Outcome::Failed);
            }
            plan.plan
        }
    };
    body.dry_run = false;
    body.plan = Some(plan);
    let operation = api.start(&path, &body).await?;
    operation::follow(api, show, &operation, args.wait).await
}

/// What was said and nothing else: defaults are the server's.
fn request(args: &RecycleArgs, upload_id: Option<String>) -> RecycleBody {
    let kind = match args.to_new {
        None => "in_place",
        Some(_) => "new",
    };
    RecycleBody {
        rules: rules(&args.rules, upload_id),
        keep: KeepBody {
            documents: args.keep_document.clone(),
            audience_ids: args.keep_audience.clone(),
        },
        target: Some(TargetBody {
            kind: kind.to_owned(),
            name: args.to_new.clone().filter(|name| !name.is_empty()),
        }),
        plan_tolerance: args.plan_tolerance.unwrap_or_default(),
        ..RecycleBody::default()
    }
}

fn rules(args: &RuleArgs, upload_id: Option<String>) -> RulesBody {
    let contacted = ContactedBody {
        channel: args.channel.clone(),
        from: args.contacted_from.clone(),
        to: args.contacted_to.clone(),
    };
    let duplicates = DuplicatesBody {
        by: args.duplicates.clone(),
        keep: args.duplicates_keep.clone(),
    };
    RulesBody {
        documents: args.document.clone(),
        upload_id,
        audience_ids: args.minus.clone(),
        filter: args.conditions.clone(),
        outcomes: args.outcome.clone(),
        contacted: Some(contacted).filter(|said| *said != ContactedBody::default()),
        attempts: args.attempts.map(|at_least| AttemptsBody { at_least }),
        min_hours_since_last_attempt: args.min_hours_since_last_attempt,
        opted_out: args.opted_out,
        duplicates: Some(duplicates).filter(|said| !said.by.is_empty()),
    }
}

fn plan_lines(plan: &DryRunJson) -> Vec<String> {
    let line = |name: &str, count| format!("{name:<14} {:>12}", thousands(count));
    let mut lines = vec![line("total", plan.total), line("removed", plan.removed)];
    lines.extend(counts(&plan.by_reason));
    lines.push(line("kept", plan.kept));
    if plan.unreadable_values > 0 {
        lines.push(line("unreadable_values", plan.unreadable_values));
    }
    if plan.unreadable > 0 {
        lines.push(line("unreadable", plan.unreadable));
        let link = plan.links.get("unreadable").map_or("", String::as_str);
        lines.push(format!(
            "  rows of the file without a readable document: GET {link}"
        ));
    }
    lines.extend(warnings(&plan.warnings));
    lines
}

fn question(args: &RecycleArgs, plan: &DryRunJson) -> String {
    let (removed, kept) = (thousands(plan.removed), thousands(plan.kept));
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
    use serde_json::json;

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
            json!(body),
            json!({"rules": {}, "target": {"type": "in_place"}})
        );
        let unnamed = RecycleArgs {
            to_new: Some(String::new()),
            ..args()
        };
        assert_eq!(
            json!(request(&unnamed, None).target),
            json!({"type": "new"})
        );
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
            json!(request(&full, Some("upl_1".to_owned()))),
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
        let mut plan = DryRunJson {
            plan: "sealed".to_owned(),
            total: 1500,
            removed: 1200,
            kept: 300,
            by_reason: [("documents".into(), 1200)].into(),
            overlap: Vec::new(),
            sample: Vec::new(),
            unreadable_values: 0,
            unreadable: 0,
            warnings: Vec::new(),
            links: [].into(),
        };
        assert_eq!(
            question(&args(), &plan),
            "Remove 1,200 contacts from aud_1 and keep 300?"
        );
        assert_eq!(plan_lines(&plan).len(), 4);
        plan.unreadable_values = 7;
        let last = plan_lines(&plan).pop().unwrap();
        assert!(
            last.starts_with("unreadable") && last.ends_with(" 7"),
            "{last}"
        );
    }
}
