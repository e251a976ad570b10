//! An import from a CRM that is made up and runs beside the server.

use anyhow::{Context, bail};
use fake_crm::{Fake, Plan};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    cli::DemoImportArgs,
    client::{Api, Show, Watched, number, thousands, watch_in},
    config,
    demo::{credentials, headers, local_url, quiet},
    outcome::Outcome,
    serve::{self, Running},
};

const SLUG: &str = "demo-crm";
const TOKEN: &str = "demo";

/// Starts both, imports everything, tells what came of it, and ends.
///
/// # Errors
/// When one of them does not start, the server refuses something, or a run fails.
pub fn run(args: &DemoImportArgs) -> anyhow::Result<Outcome> {
    let plan = Plan {
        tickets: args.tickets,
        contacts: args.contacts,
        token: Some(TOKEN.to_owned()),
        ..Plan::default()
    };
    let crm = Fake::start(plan).context("the made-up CRM does not start")?;
    let mut settings = quiet(config::load(&args.server)?);
    let hosts = &mut settings.imports.allow_private_hosts;
    let host = crm.url.trim_start_matches("http://");
    *hosts = format!("{hosts},{host}");
    serve::serve(settings, |server| import(server, crm.url.clone()))
}

async fn import(server: Running, crm: String) -> anyhow::Result<()> {
    let Some(credentials) = credentials(&server)? else {
        bail!("the demonstration needs the API key of ws_demo: set PLATEIA_API_KEY");
    };
    let api = Api::local(&local_url(&server), headers(&credentials)?)?;
    let show = Show::new(false);
    ensure(&api, &crm).await?;
    for import in ["tickets", "contacts"] {
        show.note(&format!("importing {import} from {crm}"));
        let body = json!({"client_slug": SLUG, "import": import});
        let id = api.post(&["imports"], &body).await?.operation_id()?;
        let Watched::Ended(ended) = watch_in(&api, show, "imports", &id, None).await? else {
            return Ok(());
        };
        show.result(&ended.0, || ended.lines());
        tell(&ended.0);
        if ended.outcome() == Outcome::Failed {
            bail!("{id} did not succeed");
        }
    }
    server.stop.cancel();
    Ok(())
}

/// Makes the client, or points the one of an earlier demonstration to this CRM.
async fn ensure(api: &Api, crm: &str) -> anyhow::Result<()> {
    let body = json!({
        "slug": SLUG, "name": "CRM de demonstração", "base_url": crm, "token": TOKEN,
        "requests_per_minute": 60_000,
    });
    let client = api.post(&["clients", "ensure"], &body).await?.body;
    if client.get("base_url").and_then(Value::as_str) != Some(crm) {
        let id = client.get("id").and_then(Value::as_str);
        let path = ["clients", id.context("the client has no id")?];
        let change = api.request(Method::PATCH, &path)?;
        api.send(change.json(&json!({"base_url": crm, "token": TOKEN})))
            .await?;
    }
    Ok(())
}

/// Rows by kind.
fn tell(run: &Value) {
    let report = run.get("report").unwrap_or(&Value::Null);
    for kind in ["tickets", "sessions", "messages", "contacts", "tags"] {
        let counts = report.get(kind).unwrap_or(&Value::Null);
        let received = number(counts, "received");
        if received > 0 {
            let created = thousands(number(counts, "created"));
            println!(
                "    {kind:<10} {:>12} received, {created} new",
                thousands(received)
            );
        }
    }
}
