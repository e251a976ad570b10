//! An import from a CRM that is made up and runs beside the server.

use anyhow::{Context, bail};
use api_types::imports::{ClientChange, ClientJson, NewClient, ReportJson, RunJson, StartImport};
use fake_crm::{Fake, Plan};
use reqwest::Method;

use crate::{
    cli::DemoImportArgs,
    client::{Api, Show, Watched, read, thousands, watch_in},
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
        let body = StartImport {
            client_id: None,
            client_slug: Some(SLUG.to_owned()),
            import: import.to_owned(),
        };
        let id = api.start(&["imports"], &body).await?;
        let Watched::Ended(ended) = watch_in(&api, show, "imports", &id, None).await? else {
            return Ok(());
        };
        show.result(&ended.raw, || ended.lines());
        let run: RunJson = read(&ended.raw)?;
        if let Some(report) = &run.report {
            tell(report)?;
        }
        if ended.outcome() == Outcome::Failed {
            bail!("{id} did not succeed");
        }
    }
    server.stop.cancel();
    Ok(())
}

/// Makes the client, or points the one of an earlier demonstration to this CRM.
async fn ensure(api: &Api, crm: &str) -> anyhow::Result<()> {
    let body = NewClient {
        slug: SLUG.to_owned(),
        name: Some("CRM de demonstração".to_owned()),
        base_url: crm.to_owned(),
        token: TOKEN.to_owned(),
        requests_per_minute: Some(60_000),
        ..NewClient::default()
    };
    let client: ClientJson = read(&api.post(&["clients", "ensure"], &body).await?)?;
    if client.base_url != crm {
        let body = ClientChange {
            base_url: Some(crm.to_owned()),
            token: Some(TOKEN.to_owned()),
            ..ClientChange::default()
        };
        let change = api.request(Method::PATCH, &["clients", &client.id])?;
        api.send(change.json(&body)).await?;
    }
    Ok(())
}

/// Rows by kind.
fn tell(report: &ReportJson) -> anyhow::Result<()> {
    let kinds = [
        ("tickets", report.tickets),
        ("sessions", report.sessions),
        ("messages", report.messages),
        ("contacts", report.contacts),
        ("tags", report.tags),
    ];
    for (kind, counts) in kinds.iter().filter(|(_, counts)| counts.received > 0) {
        println!(
            "    {kind:<10} {:>12} received, {} new",
            thousands(i64::try_from(counts.received)?),
            thousands(i64::try_from(counts.created)?)
        );
    }
    Ok(())
}
