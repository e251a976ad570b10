//! The server in one process.

use std::io::{self, Write};

use anyhow::Context;
use audience_service::wiring::Embedded;
use settings::{LogFormat, Settings};
use tokio::runtime::Runtime;

use crate::{crash, lock::DataDirLock, run::Outcome};

/// Names the crash point to end at; for tests only.
const CRASH_AT: &str = "CRASH_AT";
/// Threads that serve HTTP where the configuration does not say: each has an idle cost.
const HTTP_WORKERS: usize = 2;

/// Runs the server until a signal ends it, with `beside` at its side.
///
/// # Errors
/// When the data directory is taken, the server cannot start, or `beside` fails.
pub fn serve<F>(
    mut settings: Settings,
    beside: impl FnOnce(Running) -> F,
) -> anyhow::Result<Outcome>
where
    F: Future<Output = anyhow::Result<()>>,
{
    settings.workers.http.get_or_insert(HTTP_WORKERS);
    if let Some(at) = std::env::var_os(CRASH_AT) {
        crash::arm(&at.to_string_lossy())?;
    }
    let _lock = DataDirLock::acquire(&settings.data_dir)?;
    let telemetry = telemetry::init(&telemetry::Config {
        service: "plateia",
        format: match settings.telemetry.log_format {
            LogFormat::Text => telemetry::LogFormat::Text,
            LogFormat::Json => telemetry::LogFormat::Json,
        },
        level: &settings.telemetry.level,
        otlp_endpoint: settings.telemetry.otlp_endpoint.as_deref(),
    })?;
    let outcome = runtime()?.block_on(live(settings, beside));
    telemetry.shutdown();
    outcome
}

/// A server that answers.
pub struct Running {
    /// Its settings.
    pub settings: Settings,
    /// Where it answers: `http://HOST:PORT`.
    pub url: String,
}

async fn live<F>(settings: Settings, beside: impl FnOnce(Running) -> F) -> anyhow::Result<Outcome>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let embedded = Embedded::start(&settings).await?;
    let life = embedded.lifecycle().clone();
    life.watch_signals()?;
    let url = format!("http://{}", embedded.address());
    announce(&url, embedded.made_key(), &settings)?;
    let soft = life.soft();
    let beside = async {
        let done = beside(Running { settings, url }).await;
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
