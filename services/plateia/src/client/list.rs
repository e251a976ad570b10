//! `plateia audience list`

use serde_json::json;

use super::{
    Api, Show,
    show::{number, text, thousands},
};
use crate::run::Outcome;

/// Lists the audiences of the workspace.
///
/// # Errors
/// When the server refuses.
pub async fn run(api: &Api, show: Show) -> anyhow::Result<Outcome> {
    let audiences = api.all(&["audiences"], &[]).await?;
    show.result(&json!(audiences), || {
        let line = |audience| {
            let contacts = thousands(number(audience, "contacts"));
            let updated = text(audience, "updated_at");
            format!(
                "{:<24} {contacts:>12}  {updated:<24}  {}",
                text(audience, "id"),
                text(audience, "name")
            )
        };
        audiences.iter().map(line).collect()
    });
    Ok(Outcome::Done)
}
