//! `plateia audience segment`, `refresh`, `preview` and `explain`

use std::{io::Read, path::Path};

use anyhow::Context;
use api_types::{
    audiences::{AudienceChange, AudienceJson, NewAudience},
    operations::OperationJson,
    segments::{ExplainBody, ExplainJson, PreviewJson, SegmentBody, SegmentJson},
};
use reqwest::Method;
use serde_json::Value;

use super::{
    Api, Show,
    operation::{self, Operation, Watched},
    read,
    show::thousands,
};
use crate::{
    cli::{ExplainArgs, PreviewArgs, RefreshArgs, SegmentArgs, Wait},
    outcome::Outcome,
};

/// Shows the conditions of an audience, or replaces them.
///
/// # Errors
/// When the file cannot be read, the server refuses, or goes away.
pub async fn define(api: &Api, show: Show, args: SegmentArgs) -> anyhow::Result<Outcome> {
    let body = args.set.as_deref().map(conditions).transpose()?;
    let id = match (&args.id, &args.name) {
        (Some(id), _) => id.clone(),
        (None, name) => {
            let new = NewAudience {
                name: name.clone().unwrap_or_default(),
                status: Some("draft".to_owned()),
                ..NewAudience::default()
            };
            let made: AudienceJson = read(&api.post(&["audiences"], &new).await?)?;
            made.id
        }
    };
    let path = ["audiences", id.as_str(), "segment"];
    let answer = match &body {
        Some(body) => {
            api.send(api.request(Method::PUT, &path)?.json(body))
                .await?
        }
        None => api.get(&path, &[]).await?,
    };
    if args.publish {
        let active = AudienceChange {
            status: Some("active".to_owned()),
            ..AudienceChange::default()
        };
        let request = api.request(Method::PATCH, &["audiences", &id])?;
        api.send(request.json(&active)).await?;
        return resolve(api, show, &id, args.wait).await;
    }
    let segment: SegmentJson = read(&answer)?;
    show.result(&answer, || segment_lines(&segment));
    Ok(Outcome::Done)
}

/// Resolves the members of a segment and follows that to its end.
///
/// # Errors
/// When the server refuses, or goes away.
pub async fn refresh(api: &Api, show: Show, args: RefreshArgs) -> anyhow::Result<Outcome> {
    resolve(api, show, &args.id, args.wait).await
}

async fn resolve(api: &Api, show: Show, id: &str, wait: Wait) -> anyhow::Result<Outcome> {
    let nothing = serde_json::json!({});
    let started = api.start(&["audiences", id, "refresh"], &nothing).await?;
    operation::follow(api, show, &started, wait).await
}

/// Says who would be a member.
///
/// # Errors
/// When the file cannot be read, the server refuses, or goes away.
pub async fn preview(api: &Api, show: Show, args: PreviewArgs) -> anyhow::Result<Outcome> {
    let body = conditions(&args.conditions)?;
    let mut answer = api.post(&["segments", "preview"], &body).await?;
    if let Ok(OperationJson { id, .. }) = read(&answer) {
        // It takes longer than a request may.
        match operation::watch(api, show, &id, None).await? {
            Watched::Ended(Operation {
                json:
                    OperationJson {
                        report: Some(report),
                        ..
                    },
                ..
            }) => answer = report,
            Watched::Ended(seen) | Watched::Over(seen) | Watched::Interrupted(seen) => {
                show.result(&seen.raw, || seen.lines());
                return Ok(Outcome::Failed);
            }
        }
    }
    let preview: PreviewJson = read(&answer)?;
    show.result(&answer, || {
        let about = if preview.exact { "" } else { "about " };
        let mut lines = vec![format!("{about}{} customers", thousands(preview.count))];
        for condition in &preview.by_condition {
            let count = thousands(condition.count);
            lines.push(format!("  {:<28} {count:>12}", condition.pointer));
        }
        lines
    });
    Ok(Outcome::Done)
}

/// Says why a customer is a member, or is not.
///
/// # Errors
/// When the server refuses, or goes away.
pub async fn explain(api: &Api, show: Show, args: ExplainArgs) -> anyhow::Result<Outcome> {
    let body = ExplainBody {
        customer_id: args.customer,
        document: args.document,
    };
    let answer = api.post(&["audiences", &args.id, "explain"], &body).await?;
    let why: ExplainJson = read(&answer)?;
    show.result(&answer, || explain_lines(&why));
    Ok(Outcome::Done)
}

fn conditions(path: &Path) -> anyhow::Result<SegmentBody> {
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin()
            .read_to_string(&mut text)
            .context("the standard input")?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    }
    serde_json::from_str(&text)
        .with_context(|| format!("{}: conditions are {{\"groups\": […]}}", path.display()))
}

fn segment_lines(segment: &SegmentJson) -> Vec<String> {
    let SegmentJson {
        audience_id,
        status,
        ..
    } = segment;
    let mut lines = vec![format!("{audience_id}  {status}")];
    for (number, group) in segment.groups.iter().enumerate() {
        lines.push(format!("group {number}"));
        let conditions = group.get("conditions").and_then(Value::as_array);
        let conditions = conditions.into_iter().flatten();
        lines.extend(conditions.map(|condition| format!("  {condition}")));
    }
    lines
}

fn explain_lines(why: &ExplainJson) -> Vec<String> {
    let said = |held: bool| if held { "yes" } else { "no" };
    let mut lines = vec![
        format!("member          {}", said(why.member)),
        format!("conditions hold {}", said(why.matches)),
    ];
    for (number, group) in why.groups.iter().enumerate() {
        let exclude = if group.exclude { ", excluded" } else { "" };
        let held = said(group.matches);
        lines.push(format!("group {number} ({}{exclude}) {held}", group.logic));
        for condition in &group.conditions {
            let value = condition.value.as_deref().unwrap_or("-");
            let held = said(condition.matches);
            lines.push(format!("  {held:<4} {value:<20} {}", condition.condition));
        }
    }
    lines
}
