//! Commands that work on a running server, through its HTTP API.

mod api;
mod bus;
mod import;
mod list;
mod operation;
mod recycle;
mod show;
mod transfer;

pub use api::{Api, Refused};
pub use operation::{Operation, watch, watch_in};
pub use show::{Show, number, thousands};
pub use transfer::upload;

use anyhow::Context;

use crate::{
    cli::{AudienceCommand, BusCommand, Connection, DeadCommand, OperationCommand},
    run::Outcome,
};

/// `plateia audience …`
pub fn audience(connection: Connection, command: AudienceCommand) -> anyhow::Result<Outcome> {
    let show = Show::new(connection.json);
    let api = Api::new(&connection)?;
    block_on(async {
        match command {
            AudienceCommand::Import(args) => import::run(&api, show, args).await,
            AudienceCommand::Recycle(args) => recycle::run(&api, show, args).await,
            AudienceCommand::List => list::run(&api, show).await,
        }
    })
}

/// `plateia operation …`
pub fn operation(connection: Connection, command: OperationCommand) -> anyhow::Result<Outcome> {
    let show = Show::new(connection.json);
    let api = Api::new(&connection)?;
    block_on(async {
        match command {
            OperationCommand::Watch { id } => operation::follow(&api, show, &id).await,
            OperationCommand::Cancel { id } => operation::act(&api, show, &id, "cancel").await,
            OperationCommand::Undo { id } => operation::act(&api, show, &id, "undo").await,
        }
    })
}

/// `plateia bus …`
pub fn bus(connection: Connection, command: BusCommand) -> anyhow::Result<Outcome> {
    let show = Show::new(connection.json);
    let api = Api::new(&connection)?;
    let BusCommand::Dead { command } = command;
    block_on(async {
        match command {
            DeadCommand::List { subscription } => {
                bus::list(&api, show, subscription.as_deref()).await
            }
            DeadCommand::Redrive(args) => bus::redrive(&api, show, args).await,
        }
    })
}

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .context("the runtime does not start")?
        .block_on(work)
}
