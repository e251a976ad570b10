//! The sample workspace, loaded through the HTTP API as a user would.
//!
//! Every step looks first whether it was done or begun before, so that a second start on the same
//! directory, or one after a crash, ends with the same workspace.

use std::{fs::File, io::BufWriter, io::Write, net::IpAddr, path::Path};

use anyhow::{Context, bail};
use api_types::{
    List,
    audiences::{AudienceJson, NewAudience},
    notifications::Unread,
    operations::OperationJson,
    recycle::{RecycleBody, RulesBody},
    uploads::UploadJson,
};
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use settings::{ExposeSecret, Settings};

use crate::{
    cli::ReadingArgs,
    client::{Api, Show, finish, outcome, read, thousands, upload},
    demo_communication,
    demo_segments::{self, Size},
    outcome::Outcome,
    sample::{Kind, ROWS, SEED, Sample},
    serve::Running,
};

const AUDIENCE: &str = "Clientes Brasil";
const USER: &str = "demo";
/// One in so many people of the sample is on the list of those who were called already.
const CALLED_EVERY: usize = 8;

/// Settings for somebody who watches: requests are not logged unless that was asked for.
pub fn quiet(mut settings: Settings) -> Settings {
    if settings.telemetry.level == "info" {
        settings.telemetry.level = "warn".to_owned();
    }
    settings
}

/// Loads the sample unless it is there, recycles it once, loads customers and segments, and tells what can be
/// tried.
///
/// # Errors
/// When the server refuses something, or an operation fails.
pub async fn load(server: Running) -> anyhow::Result<()> {
    let Some(credentials) = credentials(&server)? else {
        bail!("the demonstration needs the API key of ws_demo: set PLATEIA_API_KEY");
    };
    let api = Api::local(&local_url(&server), headers(&credentials)?)?;
    let show = Show::new(false);
    let welcome = demo_communication::ask(&api, now()).await?;
    let audience = match find(&api).await? {
        Some(audience) => audience,
        None => fill(&api, show, &server.settings.data_dir).await?,
    };
    recycle(&api, show, &audience.id).await?;
    let until = audience
        .created_at
        .parse()
        .context("the time of an audience")?;
    let segments = demo_segments::load(&api, show, until, Size::default()).await?;
    for segment in segments {
        println!("{}: {} members", segment.name, thousands(segment.contacts));
    }
    farewell(&api, &server, &credentials, &audience.id).await?;
    demo_communication::follow(&api, &welcome, &server.settings.data_dir).await
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server has the clock of this machine"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Name and value of the headers that say who calls.
pub type Credentials = Vec<(&'static str, String)>;

/// On loopback the gateway's headers do; elsewhere the key.
pub fn credentials(server: &Running) -> anyhow::Result<Option<Credentials>> {
    let mut headers = vec![("userId", USER.to_owned())];
    if server.settings.listen.ip().is_loopback() {
        headers.insert(0, ("workSpaceId", "ws_demo".to_owned()));
        return Ok(Some(headers));
    }
    let key = match &server.settings.api_key {
        Some(key) => key.expose_secret().to_owned(),
        None => match std::fs::read_to_string(server.settings.data_dir.join("api-key")) {
            Ok(key) => key.trim().to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("the API key in the data directory"),
        },
    };
    headers.insert(0, ("Authorization", format!("Bearer {key}")));
    Ok(Some(headers))
}

pub fn headers(credentials: &Credentials) -> anyhow::Result<HeaderMap> {
    let header = |(name, value): &(&str, String)| {
        Ok((HeaderName::try_from(*name)?, HeaderValue::from_str(value)?))
    };
    credentials.iter().map(header).collect()
}

/// A server that listens everywhere is reached on loopback.
pub fn local_url(server: &Running) -> String {
    match server.settings.listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => server.url.replacen("0.0.0.0", "127.0.0.1", 1),
        IpAddr::V6(ip) if ip.is_unspecified() => server.url.replacen("[::]", "[::1]", 1),
        _ => server.url.clone(),
    }
}

async fn find(api: &Api) -> anyhow::Result<Option<AudienceJson>> {
    let all = demo_segments::audiences(api).await?;
    Ok(all.into_iter().find(|audience| audience.name == AUDIENCE))
}

/// Makes the audience from a file, or waits for the operation of an earlier start that does.
async fn fill(api: &Api, show: Show, data_dir: &Path) -> anyhow::Result<AudienceJson> {
    let begun = operations(api, "create").await?;
    let operation = match begun.into_iter().find(|operation| !operation.has_ended()) {
        Some(operation) => operation.id,
        None => {
            let file = data_dir.join("sample.csv");
            write_sample(&file).with_context(|| file.display().to_string())?;
            let upload = upload(api, show, &file, &ReadingArgs::default()).await?;
            let upload: UploadJson = read(&upload)?;
            std::fs::remove_file(&file).with_context(|| file.display().to_string())?;
            let body = NewAudience {
                name: AUDIENCE.to_owned(),
                upload_id: Some(upload.id),
                ..NewAudience::default()
            };
            api.start(&["audiences"], &body).await?
        }
    };
    finish(api, show, &operation).await?;
    find(api).await?.context("the sample audience is not there")
}

fn write_sample(file: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    Sample::new(SEED).write(ROWS, &mut out)?;
    out.flush()
}

/// Removes those called already, and one city's customers of one plan.
async fn recycle(api: &Api, show: Show, audience: &str) -> anyhow::Result<()> {
    let begun = operations(api, "recycle").await?;
    if let Some(operation) = begun.iter().find(|operation| !operation.has_ended()) {
        return finish(api, show, &operation.id).await;
    }
    if begun
        .iter()
        .any(|operation| outcome(operation) == Outcome::Done)
    {
        return Ok(());
    }
    let sample = Sample::new(SEED);
    let called = (0..ROWS)
        .filter(|row| Sample::kind(*row) == Kind::Cpf)
        .step_by(CALLED_EVERY);
    let documents: Vec<String> = called.map(|row| sample.document(row)).collect();
    let equals = |field: &str, value: &str| json!({"kind": "property", "field": field, "operator": "equals", "value": value});
    let conditions = [equals("cidade", "São Paulo"), equals("plano", "Básico")];
    let rules = RulesBody {
        documents,
        filter: Some(json!([{"logic": "and", "conditions": conditions}])),
        ..RulesBody::default()
    };
    let body = RecycleBody {
        rules,
        ..RecycleBody::default()
    };
    let path = ["audiences", audience, "recycle"];
    finish(api, show, &api.start(&path, &body).await?).await
}

async fn operations(api: &Api, kind: &str) -> anyhow::Result<Vec<OperationJson>> {
    let listed: List<OperationJson> = read(&api.get(&["operations"], &[("kind", kind)]).await?)?;
    Ok(listed.data)
}

async fn farewell(
    api: &Api,
    server: &Running,
    credentials: &Credentials,
    audience: &str,
) -> anyhow::Result<()> {
    let unread = api.get(&["notifications", "unread_count"], &[]).await?;
    let Unread { unread } = read(&unread)?;
    let here: AudienceJson = read(&api.get(&["audiences", audience], &[]).await?)?;
    println!(
        "{AUDIENCE}: {} contacts; {unread} unread notifications for user {USER}",
        thousands(here.contacts),
    );
    let url = local_url(server);
    let who = credentials
        .iter()
        .map(|(name, value)| format!("-H '{name}: {value}'"));
    let who = who.collect::<Vec<_>>().join(" ");
    let body =
        json!({"name": "Minha lista", "data": [{"document": "123.456.789-09", "name": "José"}]});
    println!("\nPlateia runs at {url} (Ctrl-C stops it). Try:\n");
    println!("  curl -s {who} '{url}/api/v1/audiences/{audience}/contacts?limit=2'");
    println!("  curl -s {who} '{url}/api/v1/rfm/grid'");
    println!("  curl -s {who} '{url}/api/v1/communications'");
    println!("  curl -s {who} '{url}/api/v1/notifications?unread=true'");
    println!(
        "  curl -s {who} -H 'Content-Type: application/json' {url}/create \\\n    -d '{body}'\n"
    );
    Ok(())
}
