//! From a command to the exit code.

use std::{
    io::{self, BufWriter, ErrorKind, Write},
    process::ExitCode,
};

use anyhow::{Context, anyhow};

use crate::{
    cli::{Cli, Command, ConfigCommand, DemoArgs, DemoCommand, EnvironmentCommand, SampleArgs},
    client, config, demo, demo_import,
    outcome::Outcome,
    sample::Sample,
    serve,
};

/// Runs a command; an error goes to standard error in one line.
pub fn run(cli: Cli) -> ExitCode {
    match dispatch(cli.command) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("plateia: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<Outcome> {
    // TLS for https servers and collectors.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow!("TLS is set up already"))?;
    match command {
        Command::Serve(args) => serve::serve(config::load(&args)?, |_| async { Ok(()) }),
        Command::Demo(DemoArgs { what: None, server }) => {
            serve::serve(demo::quiet(config::load(&server)?), demo::load)
        }
        Command::Demo(DemoArgs {
            what: Some(DemoCommand::Import(args)),
            ..
        }) => demo_import::run(&args),
        Command::Sample(args) => sample(&args),
        Command::Config { command } => configuration(&command),
        Command::Environment { command } => environment(&command),
        Command::Audience {
            connection,
            command,
        } => client::audience(connection, command),
        Command::Operation {
            connection,
            command,
        } => client::operation(connection, command),
        Command::Notification {
            connection,
            command,
        } => client::notification(connection, command),
        Command::Bus {
            connection,
            command,
        } => client::bus(connection, command),
    }
}

fn sample(args: &SampleArgs) -> anyhow::Result<Outcome> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = Sample::new(args.seed).write(args.rows, &mut out);
    match written.and_then(|()| out.flush()) {
        // A reader such as `head` has had enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Outcome::Done),
        other => other.map(|()| Outcome::Done).context("standard output"),
    }
}

fn environment(command: &EnvironmentCommand) -> anyhow::Result<Outcome> {
    let (args, adopt) = match command {
        EnvironmentCommand::Adopt(args) => (args, true),
        EnvironmentCommand::Show(args) => (args, false),
    };
    let lines = serve::environments(&config::load(args)?, adopt)?;
    for line in &lines {
        println!("{line}");
    }
    if lines.is_empty() {
        println!("there is no database in the data directory");
    }
    Ok(Outcome::Done)
}

fn configuration(command: &ConfigCommand) -> anyhow::Result<Outcome> {
    match command {
        ConfigCommand::Check(args) => {
            config::load(args)?;
            println!("the configuration can be used");
        }
        ConfigCommand::Print(args) => print!("{}", config::as_toml(&config::load(args)?)?),
    }
    Ok(Outcome::Done)
}
