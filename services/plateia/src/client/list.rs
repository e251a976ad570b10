//! Lists: of audiences, operations and notifications.

use api_types::{List, audiences::AudienceJson, notifications::NotificationJson};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Api, Show, operation::line, read, show::thousands};
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
pub async fn list<T: DeserializeOwned>(
    api: &Api,
    show: Show,
    path: &[&str],
    query: &[Said<'_>],
    paging: &Paging,
    line: impl Fn(&T) -> String,
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
    let (answer, page) = if one_page {
        let answer = api.get(path, &query).await?;
        let page: List<T> = read(&answer)?;
        (answer, page)
    } else {
        let answer = json!(api.all(path, &query).await?);
        let data = read(&answer)?;
        let next_cursor = None;
        (answer, List { data, next_cursor })
    };
    show.result(&answer, || page.data.iter().map(line).collect());
    match &page.next_cursor {
        Some(cursor) => show.note(&format!("more follow: --cursor {cursor}")),
        None if page.data.is_empty() => show.note("there are none"),
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
    let line = |audience: &AudienceJson| {
        let contacts = thousands(audience.contacts);
        format!(
            "{:<24} {contacts:>12}  {:<24}  {}",
            audience.id, audience.updated_at, audience.name
        )
    };
    list(api, show, &["audiences"], &query, &args.paging, line).await
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
    let line = |told: &NotificationJson| {
        let is_read = told.read_at.is_some();
        format!(
            "{:<24} {:<6} {:<24}  {:<24} {} {}",
            told.id,
            if is_read { "read" } else { "unread" },
            told.created_at,
            told.operation_id,
            told.end.kind,
            told.end.state,
        )
    };
    list(api, show, &["notifications"], &query, paging, line).await
}

/// Marks notifications as read, all where none is named.
///
/// # Errors
/// When the server refuses one; those before it are marked.
pub async fn mark_read(api: &Api, show: Show, ids: &[String]) -> anyhow::Result<Outcome> {
    let mut answers = Vec::new();
    for id in ids {
        let path = ["notifications", id.as_str(), "read"];
        answers.push(api.post(&path, &json!({})).await?);
    }
    let marked = if ids.is_empty() {
        let path = ["notifications", "read_all"];
        api.post(&path, &json!({})).await?
    } else {
        json!(answers)
    };
    show.result(&marked, || vec!["marked as read".to_owned()]);
    Ok(Outcome::Done)
}
