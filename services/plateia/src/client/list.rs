//! Lists: of audiences, operations and notifications.

use serde_json::{Value, json};

use super::{
    Api, Operation, Show,
    show::{number, text, thousands},
};
use crate::{
    cli::{AudienceList, OperationList, Paging},
    outcome::Outcome,
};

/// A member of a query that is there only where it was said.
type Said<'a> = (&'static str, Option<&'a str>);

/// Shows one page where one was asked for, in JSON as the server answers it; else everything, in
/// JSON as one array.
///
/// # Errors
/// When the server refuses.
pub async fn list(
    api: &Api,
    show: Show,
    path: &[&str],
    query: &[Said<'_>],
    paging: &Paging,
    line: impl Fn(&Value) -> String,
) -> anyhow::Result<Outcome> {
    let limit = paging.limit.map(|limit| limit.to_string());
    let page = [
        ("limit", limit.as_deref()),
        ("cursor", paging.cursor.as_deref()),
    ];
    let one_page = page.iter().any(|(_, value)| value.is_some());
    let said = query.iter().chain(&page);
    let query: Vec<(&str, &str)> = said
        .filter_map(|(name, value)| value.map(|value| (*name, value)))
        .collect();
    let answer = if one_page {
        api.get(path, &query).await?
    } else {
        json!(api.all(path, &query).await?)
    };
    let items = answer.get("data").unwrap_or(&answer).as_array();
    show.result(&answer, || items.into_iter().flatten().map(line).collect());
    match answer.get("next_cursor").and_then(Value::as_str) {
        Some(cursor) => show.note(&format!("more follow: --cursor {cursor}")),
        None if items.is_none_or(Vec::is_empty) => show.note("there are none"),
        None => {}
    }
    Ok(Outcome::Done)
}

/// Lists the audiences of the workspace.
///
/// # Errors
/// When the server refuses.
pub async fn audiences(api: &Api, show: Show, args: &AudienceList) -> anyhow::Result<Outcome> {
    let query = [
        ("search", args.search.as_deref()),
        ("status", args.status.as_deref()),
        ("kind", args.kind.as_deref()),
        ("tag", args.tag.as_deref()),
        ("deleted", args.deleted.as_deref()),
        ("sort", args.sort.as_deref()),
    ];
    list(
        api,
        show,
        &["audiences"],
        &query,
        &args.paging,
        |audience| {
            let contacts = thousands(number(audience, "contacts"));
            let updated = text(audience, "updated_at");
            format!(
                "{:<24} {contacts:>12}  {updated:<24}  {}",
                text(audience, "id"),
                text(audience, "name")
            )
        },
    )
    .await
}

/// Lists operations, newest first.
///
/// # Errors
/// When the server refuses.
pub async fn operations(api: &Api, show: Show, args: &OperationList) -> anyhow::Result<Outcome> {
    let query = [
        ("kind", args.kind.as_deref()),
        ("state", args.state.as_deref()),
        ("audience_id", args.audience.as_deref()),
    ];
    let line = |item: &Value| Operation(item.clone()).line();
    list(api, show, &["operations"], &query, &args.paging, line).await
}

/// Lists the caller's notifications, newest first.
///
/// # Errors
/// When the server refuses.
pub async fn notifications(
    api: &Api,
    show: Show,
    unread: bool,
    paging: &Paging,
) -> anyhow::Result<Outcome> {
    let query = [("unread", unread.then_some("true"))];
    list(api, show, &["notifications"], &query, paging, |item| {
        let is_read = item.get("read_at").is_some_and(Value::is_string);
        format!(
            "{:<24} {:<6} {:<24}  {:<24} {} {}",
            text(item, "id"),
            if is_read { "read" } else { "unread" },
            text(item, "created_at"),
            text(item, "operation_id"),
            text(item, "kind"),
            text(item, "state"),
        )
    })
    .await
}

/// Marks notifications as read, all where none is named.
///
/// # Errors
/// When the server refuses one; those before it are marked.
pub async fn mark_read(api: &Api, show: Show, ids: &[String]) -> anyhow::Result<Outcome> {
    let mut answers = Vec::new();
    for id in ids {
        let path = ["notifications", id.as_str(), "read"];
        answers.push(api.post(&path, &json!({})).await?.body);
    }
    let marked = if ids.is_empty() {
        let path = ["notifications", "read_all"];
        api.post(&path, &json!({})).await?.body
    } else {
        json!(answers)
    };
    show.result(&marked, || vec!["marked as read".to_owned()]);
    Ok(Outcome::Done)
}
