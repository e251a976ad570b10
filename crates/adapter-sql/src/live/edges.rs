//! Who has an instant at the edge of a window that has passed.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    segment::{Change, Edge, date_key},
    shared::{Instant, WorkspaceId},
};
use ports::StoreError;

use super::{
    super::json_rows::{BatchRow, Column, Millis, Value, batch_row, execute, rows as table},
    ALL, Conn,
};

batch_row! {
    struct Passed<'a> {
        name: &'a str,
        first: Millis,
        last: Millis,
    }
}

batch_row! {
    struct PassedDate<'a> {
        name: &'a str,
        first: String,
        last: String,
    }
}

/// Queues those of whom an instant lies so many days ago by now.
pub(super) async fn passed(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    (until, now): (Instant, Instant),
    edges: &BTreeSet<Edge>,
) -> Result<(), StoreError> {
    let (mut events, mut reports, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for edge in edges {
        let (Edge::Event(_, days) | Edge::Outcome(days) | Edge::Value(_, days)) = edge;
        let ago = TimeDelta::days(*days);
        let (first, last) = (until - ago, now - ago);
        match edge {
            Edge::Event(name, _) => events.push(Passed {
                name: name.as_str(),
                first: first.into(),
                last: last.into(),
            }),
            Edge::Outcome(_) => reports.push(Passed {
                name: "",
                first: first.into(),
                last: last.into(),
            }),
            Edge::Value(field, _) => values.push(PassedDate {
                name: field,
                first: date_key(first),
                last: date_key(last),
            }),
        }
    }
    let into = "INSERT INTO live_queue (workspace, audience, change, member_key)";
    let passed = table::<Passed<'_>>("$2");
    if !events.is_empty() {
        let text = format!(
            "{into} SELECT DISTINCT $1, {ALL}, 'event:' || batch.name, c.member_key FROM {passed}
             JOIN customer_events e ON e.workspace = $1 AND e.name = batch.name
                AND e.occurred_at >= batch.first AND e.occurred_at <= batch.last
             JOIN customers c ON c.workspace = $1 AND c.id = e.customer"
        );
        execute(conn, workspace, &text, &events).await?;
    }
    if !reports.is_empty() {
        let text = format!(
            "{into} SELECT DISTINCT $1, {ALL}, '{}', o.document FROM {passed}
             JOIN outcomes o ON o.workspace = $1
                AND o.occurred_at >= batch.first AND o.occurred_at <= batch.last",
            Change::Outcome
        );
        execute(conn, workspace, &text, &reports).await?;
    }
    if !values.is_empty() {
        let text = format!(
            "{into} SELECT DISTINCT $1, {ALL}, '{}', c.member_key FROM {}
             JOIN customer_dates d ON d.workspace = $1 AND d.field = batch.name
                AND d.at >= batch.first AND d.at <= batch.last
             JOIN customers c ON c.workspace = $1 AND c.id = d.customer",
            Change::Values,
            table::<PassedDate<'_>>("$2")
        );
        execute(conn, workspace, &text, &values).await?;
    }
    Ok(())
}
