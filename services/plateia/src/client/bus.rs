//! `plateia bus dead …`

use serde_json::json;

use super::{
    Api, Show,
    show::{number, text, thousands},
};
use crate::{cli::RedriveArgs, run::Outcome};

/// Lists deliveries that were given up.
///
/// # Errors
/// When the server refuses.
pub async fn list(api: &Api, show: Show, subscription: Option<&str>) -> anyhow::Result<Outcome> {
    let query: Vec<_> = subscription
        .iter()
        .map(|name| ("subscription", *name))
        .collect();
    let dead = api.all(&["bus", "dead"], &query).await?;
    show.result(&json!(dead), || {
        let line = |letter| {
            let what = ["buried_at", "subscription", "event_type", "event_id"]
                .map(|name| text(letter, name));
            format!(
                "{}  {} attempts: {}",
                what.join("  "),
                number(letter, "attempts"),
                text(letter, "reason")
            )
        };
        dead.iter().map(line).collect()
    });
    if dead.is_empty() {
        show.note("nothing was given up");
    }
    Ok(Outcome::Done)
}

/// Sends deliveries again that were given up.
///
/// # Errors
/// When the server refuses.
pub async fn redrive(api: &Api, show: Show, args: RedriveArgs) -> anyhow::Result<Outcome> {
    let mut body = json!({"all": args.all});
    if let Some(subscription) = args.subscription {
        body = json!({"subscription": subscription, "event_id": args.event_id});
    }
    let sent = api.post(&["bus", "dead", "redrive"], &body).await?.body;
    show.result(&sent, || {
        vec![format!(
            "{} sent again",
            thousands(number(&sent, "redriven"))
        )]
    });
    Ok(Outcome::Done)
}
