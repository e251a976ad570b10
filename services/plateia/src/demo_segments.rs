//! Customers of the sample workspace, what they did, their scores, and segments of them.

use anyhow::Context;
use api_types::{
    audiences::{AudienceChange, AudienceJson, NewAudience},
    customers::Upsert,
    events::NewEvents,
    segments::SegmentBody,
};
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Api, Show, finish, read, thousands},
    sample::{CUSTOMERS, Customers, EVENTS, SEED},
};

/// Customers of one request.
const CUSTOMERS_AT_A_TIME: usize = 2_500;
/// Events of one request: as many as it takes.
const EVENTS_AT_A_TIME: usize = 1_000;
/// Requests under way: while one is stored, others are read.
const AT_ONCE: usize = 3;

/// How much is loaded.
#[derive(Clone, Copy)]
pub struct Size {
    pub customers: usize,
    pub events: u64,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            customers: CUSTOMERS,
            events: EVENTS,
        }
    }
}

/// A segment of the demonstration.
struct Segment {
    name: &'static str,
    /// When it is refreshed.
    audience_type: Value,
    conditions: Value,
}

fn segments() -> [Segment; 3] {
    let did = |name: &str, days: u32| json!({"kind": "event", "name": name, "window": {"last_days": days}});
    let cells = ["champions", "loyal"];
    [
        Segment {
            name: "Compraram nos últimos 30 dias",
            audience_type: json!({"type": "live"}),
            conditions: json!([did("order.paid", 30)]),
        },
        Segment {
            name: "Campeões e fiéis",
            audience_type: json!({"type": "static"}),
            conditions: json!([{"kind": "rfm", "field": "cell", "operator": "in", "value": cells}]),
        },
        Segment {
            name: "Carrinho abandonado, com WhatsApp",
            audience_type: json!({"type": "scheduled", "cron": "0 6 * * *"}),
            conditions: json!([
                did("cart.abandoned", 30),
                {"kind": "consent", "channel": "whatsapp", "status": "granted"},
            ]),
        },
    ]
}

/// Loads what is not there yet, and answers the segments. `until` is the present of the events: the same
/// at each start, so that one after a crash repeats those that are stored, and adds the others.
///
/// # Errors
/// When the server refuses something, or an operation fails.
pub async fn load(
    api: &Api,
    show: Show,
    until: DateTime<Utc>,
    size: Size,
) -> anyhow::Result<Vec<AudienceJson>> {
    let known = audiences(api).await?;
    let of_name = |name: &str| known.iter().find(|audience| audience.name == name).cloned();
    let segments = segments();
    // They are made when everything else is there.
    if !segments.iter().any(|s| of_name(s.name).is_some()) {
        let sample = Customers::new(SEED, size.customers, until);
        customers(api, &sample).await?;
        show.note(&format!("{} customers", count(size.customers)));
        events(api, &sample, size.events).await?;
        show.note(&format!(
            "{} events",
            thousands(i64::try_from(size.events)?)
        ));
        let scoring = api.start(&["rfm", "refresh"], &json!({})).await?;
        finish(api, show, &scoring).await?;
    }
    let mut ready = Vec::with_capacity(segments.len());
    for segment in segments {
        let known = of_name(segment.name);
        ready.push(publish(api, show, segment, known).await?);
    }
    Ok(ready)
}

fn count(number: usize) -> String {
    thousands(i64::try_from(number).unwrap_or(i64::MAX))
}

/// All audiences of the workspace.
///
/// # Errors
/// When the server refuses.
pub async fn audiences(api: &Api) -> anyhow::Result<Vec<AudienceJson>> {
    let all = api.all(&["audiences"], &[]).await?;
    all.iter().map(read).collect()
}

async fn customers(api: &Api, sample: &Customers) -> anyhow::Result<()> {
    let all: Vec<Value> = sample.all().collect();
    let bodies = all.chunks(CUSTOMERS_AT_A_TIME).map(|part| Upsert {
        data: part.to_vec(),
        strict: true,
    });
    for body in bodies {
        api.post(&["customers"], &body).await.context("customers")?;
    }
    Ok(())
}

async fn events(api: &Api, sample: &Customers, count: u64) -> anyhow::Result<()> {
    let starts = (0..count).step_by(EVENTS_AT_A_TIME);
    let send = |start: u64| async move {
        let end = (start + EVENTS_AT_A_TIME as u64).min(count);
        let data = (start..end).map(|number| sample.event(number)).collect();
        let body = NewEvents { data };
        api.post(&["events"], &body)
            .await
            .context("events")
            .map(drop)
    };
    let sent = stream::iter(starts).map(send).buffer_unordered(AT_ONCE);
    sent.try_collect().await
}

/// Makes a segment, or goes on with one that an earlier start began, until its members are resolved.
async fn publish(
    api: &Api,
    show: Show,
    segment: Segment,
    known: Option<AudienceJson>,
) -> anyhow::Result<AudienceJson> {
    let audience = match known {
        Some(audience) => audience,
        None => {
            let body = NewAudience {
                name: segment.name.to_owned(),
                status: Some("draft".to_owned()),
                ..NewAudience::default()
            };
            read(&api.post(&["audiences"], &body).await?)?
        }
    };
    let id = audience.id.as_str();
    if audience.status == "draft" {
        let body = SegmentBody {
            groups: vec![json!({ "conditions": segment.conditions })],
            group_type: None,
            audience_type: Some(segment.audience_type),
        };
        let define = api.request(Method::PUT, &["audiences", id, "segment"])?;
        api.send(define.json(&body)).await?;
        let active = AudienceChange {
            status: Some("active".to_owned()),
            ..AudienceChange::default()
        };
        let activate = api.request(Method::PATCH, &["audiences", id])?;
        api.send(activate.json(&active)).await?;
    }
    if audience.status != "active" {
        // The one that is under way, as a rule.
        let refresh = ["audiences", id, "refresh"];
        finish(api, show, &api.start(&refresh, &json!({})).await?).await?;
    }
    read(&api.get(&["audiences", id], &[]).await?)
}

#[cfg(test)]
#[path = "demo_segments_tests.rs"]
mod tests;
