//! The server in one process.

use std::io::{self, Write};

use anyhow::Context;
use settings::Settings;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{lock::DataDirLock, outcome::Outcome};

/// Names the crash point to end at; for tests only.
const CRASH_AT: &str = "CRASH_AT";

/// Runs the server until a signal ends it, with `beside` at its side.
///
/// # Errors
/// When the data directory is taken, the server cannot start, or `beside` fails.
pub fn serve<F>(settings: Settings, beside: impl FnOnce(Running) -> F) -> anyhow::Result<Outcome>
where
    F: Future<Output = anyhow::Result<()>>,
{
    if let Some(at) = std::env::var_os(CRASH_AT) {
        service_kit::crash::arm(&at.to_string_lossy())?;
    }
    let _lock = DataDirLock::acquire(&settings.data_dir)?;
    let telemetry = service_kit::start_telemetry("plateia", &settings)?;
    let outcome = runtime()?.block_on(live(settings, beside));
    telemetry.shutdown();
    outcome
}

/// To which environment the databases belong, or that they belong to this one from now on.
///
/// # Errors
/// When a database cannot be opened.
pub fn environments(settings: &Settings, adopt: bool) -> anyhow::Result<Vec<String>> {
    let told = service_kit::environments(settings, adopt);
    Ok(runtime()?.block_on(told)?)
}

/// A server that answers.
pub struct Running {
    /// Its settings.
    pub settings: Settings,
    /// Where it answers: `http://HOST:PORT`.
    pub url: String,
    /// Ends it.
    pub stop: CancellationToken,
}

async fn live<F>(settings: Settings, beside: impl FnOnce(Running) -> F) -> anyhow::Result<Outcome>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let audiences = audience_service::module::embedded(&settings).await?;
    let imports = import_job_service::module::embedded(&settings).await?;
    let schedules = {
        let (directory, recipients) = (audiences.directory, audiences.recipients);
        scheduler_service::module::embedded(&settings, directory, recipients).await?
    };
    let sender = plateia_sender::module::embedded(&settings).await?;
    let modules = vec![audiences.module, imports, schedules, sender];
    let embedded = service_kit::embedded(&settings, audiences.keys, modules).await?;
    let life = embedded.lifecycle().clone();
    life.watch_signals()?;
    let url = format!("http://{}", embedded.address());
    announce(&url, embedded.made_key(), &settings)?;
    let soft = life.soft();
    let beside = async {
        let stop = life.soft();
        let done = beside(Running {
            settings,
            url,
            stop,
        })
        .await;
        if done.is_ok() {
            std::future::pending::<()>().await;
        }
        done
    };
    let ended = tokio::select! {
        () = soft.cancelled() => Ok(()),
        ended = beside => ended,
    };
    let failed = life.has_failed();
    embedded.stop().await;
    ended?;
    Ok(if failed {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

fn announce(url: &str, made_key: Option<&str>, settings: &Settings) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if let Some(key) = made_key {
        let dir = settings.data_dir.display();
        writeln!(
            out,
            "api key {key} (workspace ws_demo, kept in {dir}; not shown again)"
        )?;
    }
    writeln!(out, "ready {url}")?;
    out.flush()
}

/// Two to four threads: work that blocks has its own.
fn runtime() -> anyhow::Result<Runtime> {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors.clamp(2, 4))
        .enable_all()
        .build()
        .context("the runtime does not start")
}

#[cfg(test)]
mod tests {
    use http_kit::openapi;
    use serde_json::Value;

    #[test]
    fn the_joined_document_has_all_of_each() {
        let documents = || {
            let imports = import_job_service::http::document();
            let schedules = scheduler_service::http::document();
            [
                audience_service::http::openapi::document(),
                imports,
                schedules,
            ]
        };
        let [audience, imports, schedules] = documents();
        let joined = openapi::joined(audience, [imports, schedules]);
        let joined = serde_json::to_value(joined).unwrap();
        for document in documents() {
            let one = serde_json::to_value(document).unwrap();
            for members in [
                "/paths",
                "/components/schemas",
                "/components/securitySchemes",
            ] {
                let members = |document: &Value| document.pointer(members).cloned().unwrap();
                let all = members(&joined);
                for (name, member) in members(&one).as_object().unwrap() {
                    assert_eq!(all.get(name), Some(member), "{name}");
                }
            }
        }
    }
}
