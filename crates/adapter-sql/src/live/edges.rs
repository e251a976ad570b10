//! Who has an instant at the edge of a window that has passed.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use diesel::{sql_query, sql_types::Text};
use diesel_async::RunQueryDsl;
use domain::{
    segment::{Change, Edge, date_key},
    shared::{Instant, WorkspaceId},
};
use ports::StoreError;

use super::{ALL, Conn};
use crate::core::{
    error::store,
    types::{At, UtcMillis},
};

/// The key of a customer, looked up by number: as a join, it may be all customers that are read.
const KEY: &str =
    "(SELECT c.member_key FROM customers c WHERE c.workspace = $1 AND c.id = passed.customer)";

/// Queues those of whom an instant lies so many days ago by now. A statement for each edge, so that the planner knows
/// how short the time is: for all of them in one it reads every event there is.
pub(super) async fn passed(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    (until, now): (Instant, Instant),
    edges: &BTreeSet<Edge>,
) -> Result<(), StoreError> {
    for edge in edges {
        let (Edge::Event(_, days) | Edge::Outcome(days) | Edge::Value(_, days)) = edge;
        let ago = TimeDelta::days(*days);
        let (first, last) = (until - ago, now - ago);
        let (change, key, from, name) = match edge {
            Edge::Event(name, _) => {
                let from = "customer_events AS passed
                            WHERE workspace = $1 AND occurred_at >= $3 AND occurred_at <= $4 AND name = $5";
                (Change::Event(name.clone()), KEY, from, name.as_str())
            }
            Edge::Outcome(_) => {
                let from = "outcomes AS passed
                            WHERE workspace = $1 AND occurred_at >= $3 AND occurred_at <= $4 AND $5 = ''";
                (Change::Outcome, "passed.document", from, "")
            }
            Edge::Value(field, _) => {
                let from = "customer_dates AS passed
                            WHERE workspace = $1 AND at >= $3 AND at <= $4 AND field = $5";
                (Change::Values, KEY, from, field.as_str())
            }
        };
        let query = sql_query(format!(
            "INSERT INTO live_queue (workspace, audience, change, member_key)
             SELECT $1, {ALL}, $2, found.member_key
             FROM (SELECT DISTINCT {key} AS member_key FROM {from}) AS found
             WHERE found.member_key IS NOT NULL"
        ))
        .bind::<Text, _>(workspace.as_str())
        .bind::<Text, _>(change.to_string());
        let queued = match edge {
            Edge::Event(..) | Edge::Outcome(_) => {
                let query = query
                    .bind::<UtcMillis, _>(At(first))
                    .bind::<UtcMillis, _>(At(last));
                query.bind::<Text, _>(name).execute(conn).await
            }
            // Dates are kept as texts that compare like instants.
            Edge::Value(..) => {
                let query = query
                    .bind::<Text, _>(date_key(first))
                    .bind::<Text, _>(date_key(last));
                query.bind::<Text, _>(name).execute(conn).await
            }
        };
        queued.map_err(store)?;
    }
    Ok(())
}
