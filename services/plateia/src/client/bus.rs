//! `plateia bus dead …`

use serde_json::json;

use super::{
    Api, Show, list,
    show::{number, text, thousands},
};
use crate::{
    cli::{Paging, RedriveArgs},
    outcome::Outcome,
};

/// Lists deliveries that were given up.
///
/// # Errors
/// When the server refuses.
pub async fn list(
    api: &Api,
    show: Show,
    subscription: Option<&str>,
    paging: &Paging,
) -> anyhow::Result<Outcome> {
    let query = [("subscription", subscription)];
    list::list(api, show, &["bus", "dead"], &query, paging, |letter| {
        let what =
            ["buried_at", "subscription", "event_type", "event_id"].map(|name| text(letter, name));
        format!(
            "{}  {} attempts: {}",
            what.join("  "),
            number(letter, "attempts"),
            text(letter, "reason")
        )
    })
    .await
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
