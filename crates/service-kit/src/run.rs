//! From a command to the exit code.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use adapter_sql::Context;
use anyhow::{Context as _, anyhow};
use clap::{CommandFactory, FromArgMatches};
use ports::{auth::ApiKeyStore, bus::EnvironmentStore};
use settings::{Settings, SettingsError};

use crate::{
    Module, StartError,
    cli::{Cli, Command, ConfigCommand, EnvironmentCommand},
    crash, database,
    guard::{adopted, shown},
    replica, start_telemetry,
};

/// Names the crash point to end at; for tests only.
const CRASH_AT: &str = "CRASH_AT";

/// A service whose stores are open, and who knows its callers.
pub type Opened = (Box<dyn Module>, Arc<dyn ApiKeyStore>);

/// A service that a program runs.
pub trait Service {
    /// Name of the program.
    const NAME: &'static str;
    /// Whether the settings hold what the service needs.
    ///
    /// # Errors
    /// Names the key.
    fn check(settings: &Settings) -> Result<(), SettingsError>;

    /// Brings tables and indexes up to date.
    fn migrate(settings: &Settings) -> impl Future<Output = Result<(), StartError>>;

    /// Opens its stores, brought up to date; with who knows its callers.
    fn open(settings: &Settings) -> impl Future<Output = Result<Opened, StartError>>;
}

/// Runs the program of a service; an error goes to standard error in one line.
pub fn main<S: Service>() -> ExitCode {
    let command = Cli::command().name(S::NAME).bin_name(S::NAME);
    let cli = match Cli::from_arg_matches(&command.get_matches()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match dispatch::<S>(cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}: {}", S::NAME, one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, each said once.
fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.replace('\n', " "));
    }
    text
}

fn dispatch<S: Service>(cli: Cli) -> anyhow::Result<bool> {
    // TLS for every client that speaks it.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow!("TLS is set up already"))?;
    match cli.command {
        Command::Serve { config, listen } => {
            let mut settings = config.load()?;
            settings.listen = listen.unwrap_or(settings.listen);
            S::check(&settings)?;
            serve::<S>(&settings)
        }
        Command::Migrate(config) => {
            let settings = config.load()?;
            S::check(&settings)?;
            runtime()?.block_on(S::migrate(&settings))?;
            println!("tables and indexes are up to date");
            Ok(true)
        }
        Command::Environment { command } => environment::<S>(command),
        Command::Config {
            command: ConfigCommand::Check(config),
        } => {
            S::check(&config.load()?)?;
            println!("the configuration can be used");
            Ok(true)
        }
    }
}

fn environment<S: Service>(command: EnvironmentCommand) -> anyhow::Result<bool> {
    let (EnvironmentCommand::Adopt(config) | EnvironmentCommand::Show(config)) = &command;
    let settings = config.load()?;
    S::check(&settings)?;
    let own = settings.environment.id.as_str();
    runtime()?.block_on(async {
        let db = database(&settings, &[Context::Messaging]).await?;
        let line = match command {
            EnvironmentCommand::Adopt(_) => adopted(db.adopt(own).await?, own),
            EnvironmentCommand::Show(_) => shown(&db.environment(own).await?, own),
        };
        println!("{line}");
        Ok(true)
    })
}

fn serve<S: Service>(settings: &Settings) -> anyhow::Result<bool> {
    if let Some(at) = std::env::var_os(CRASH_AT) {
        crash::arm(&at.to_string_lossy())?;
    }
    let telemetry = start_telemetry(S::NAME, settings)?;
    let outcome = runtime()?.block_on(async {
        let (module, keys) = S::open(settings).await?;
        let service = replica(settings, keys, module).await?;
        let life = service.lifecycle().clone();
        life.watch_signals()?;
        let mut out = io::stdout().lock();
        writeln!(out, "ready http://{}", service.address())?;
        out.flush()?;
        drop(out);
        life.soft().cancelled().await;
        let failed = life.has_failed();
        let ended = service.stop().await;
        Ok(ended && !failed)
    });
    telemetry.shutdown();
    outcome
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors.max(2))
        .enable_all()
        .build()
        .context("the runtime does not start")
}
