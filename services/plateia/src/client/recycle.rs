//! `plateia audience recycle`

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::{
    Api, Show, operation,
    show::{counts, number, text, thousands},
    upload,
};
use crate::{cli::RecycleArgs, run::Outcome};

/// Shows what would be removed, asks, then removes it and follows that to its end.
///
/// # Errors
/// When a file cannot be read, the server refuses, or goes away.
pub async fn run(api: &Api, show: Show, args: RecycleArgs) -> anyhow::Result<Outcome> {
    let upload_id = match &args.documents {
        Some(path) => {
            let upload = upload(api, show, path, None).await?;
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
    body.insert("dry_run".to_owned(), true.into());
    let path = ["audiences", args.id.as_str(), "recycle"];
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
    body.insert("dry_run".to_owned(), false.into());
    body.insert("plan".to_owned(), text(&plan, "plan").into());
    let accepted = api.post(&path, &body.into()).await?;
    operation::follow(api, show, &accepted.operation_id()?).await
}

fn request(args: &RecycleArgs, upload_id: Option<Value>) -> Map<String, Value> {
    let mut rules = Map::new();
    let mut rule = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            rules.insert(name.to_owned(), value);
        }
    };
    let listed = |items: &[String]| (!items.is_empty()).then(|| json!(items));
    rule("upload_id", upload_id);
    rule("audience_ids", listed(&args.minus));
    rule("where", args.conditions.clone());
    rule("outcomes", listed(&args.outcome));
    let target = match args.to_new.as_deref() {
        None => json!({"type": "in_place"}),
        Some("") => json!({"type": "new"}),
        Some(name) => json!({"type": "new", "name": name}),
    };
    let mut body = Map::new();
    body.insert("rules".to_owned(), rules.into());
    body.insert("target".to_owned(), target);
    if let Some(audiences) = listed(&args.keep_audience) {
        body.insert("keep".to_owned(), json!({"audience_ids": audiences}));
    }
    body
}

fn plan_lines(plan: &Value) -> Vec<String> {
    let line = |name: &str| format!("{name:<14} {:>12}", thousands(number(plan, name)));
    let mut lines = vec![line("total"), line("removed")];
    lines.extend(counts(plan.get("by_reason")));
    lines.push(line("kept"));
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
            documents: None,
            minus: Vec::new(),
            conditions: None,
            outcome: Vec::new(),
            keep_audience: Vec::new(),
            to_new: None,
            dry_run: false,
            yes: false,
        }
    }

    #[test]
    fn only_what_was_said_is_sent() {
        let body = request(&args(), None);
        assert_eq!(
            Value::from(body),
            json!({"rules": {}, "target": {"type": "in_place"}})
        );
        let full = RecycleArgs {
            minus: vec!["aud_2".to_owned()],
            outcome: vec!["busy".to_owned()],
            keep_audience: vec!["aud_3".to_owned()],
            to_new: Some("N".to_owned()),
            ..args()
        };
        let body = request(&full, Some(json!("upl_1")));
        let rules = json!({"upload_id": "upl_1", "audience_ids": ["aud_2"], "outcomes": ["busy"]});
        assert_eq!(body["rules"], rules);
        assert_eq!(body["keep"], json!({"audience_ids": ["aud_3"]}));
        assert_eq!(body["target"], json!({"type": "new", "name": "N"}));
        let unnamed = RecycleArgs {
            to_new: Some(String::new()),
            ..args()
        };
        assert_eq!(request(&unnamed, None)["target"], json!({"type": "new"}));
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
    }
}
