//! `plateia bus dead …`

use api_types::bus::{DeadLetterJson, RedriveBody, Redriven};

use super::{Api, Show, list, read, show::thousands};
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
    let line = |letter: &DeadLetterJson| {
        let DeadLetterJson {
            subscription,
            event_id,
            event_type,
            attempts,
            reason,
            buried_at,
            ..
        } = letter;
        format!(
            "{buried_at}  {subscription}  {event_type}  {event_id}  {attempts} attempts: {reason}"
        )
    };
    list::list(api, show, &["bus", "dead"], &query, paging, line).await
}

/// Sends deliveries again that were given up.
///
/// # Errors
/// When the server refuses.
pub async fn redrive(api: &Api, show: Show, args: RedriveArgs) -> anyhow::Result<Outcome> {
    let body = RedriveBody {
        all: args.all,
        subscription: args.subscription,
        event_id: args.event_id,
    };
    let answer = api.post(&["bus", "dead", "redrive"], &body).await?;
    let Redriven { redriven } = read(&answer)?;
    let count = thousands(i64::try_from(redriven)?);
    show.result(&answer, || vec![format!("{count} sent again")]);
    Ok(Outcome::Done)
}
