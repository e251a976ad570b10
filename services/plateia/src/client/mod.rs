//! Commands that work on a running server, through its HTTP API.

mod api;
mod bus;
mod control;
mod import;
mod list;
mod operation;
mod recycle;
mod segment;
mod show;
mod transfer;

pub use api::{Api, Refused, read};
pub use operation::{Watched, finish, outcome, watch_in};
pub use show::{Show, thousands};
pub use transfer::upload;

use anyhow::Context;

use self::operation::Operation;
use crate::{
    cli::{
        AudienceCommand, BusCommand, Connection, DeadCommand, NotificationCommand, OperationCommand,
    },
    outcome::Outcome,
};

/// `plateia audience …`
pub fn audience(connection: Connection, command: AudienceCommand) -> anyhow::Result<Outcome> {
    let show = Show::new(connection.json);
    let api = Api::new(&connection)?;
    block_on(async {
        match command {
            AudienceCommand::Import(args) => import::run(&api, show, args).await,
            AudienceCommand::Recycle(args) => recycle::run(&api, show, args).await,
            AudienceCommand::List(args) => list::audiences(&api, show, &args).await,
            AudienceCommand::Segment(args) => segment::define(&api, show, args).await,
            AudienceCommand::Refresh(args) => segment::refresh(&api, show, args).await,
            AudienceCommand::Preview(args) => segment::preview(&api, show, args).await,
            AudienceCommand::Explain(args) => segment::explain(&api, show, args).await,
        }
    })
}

/// `plateia operation …`
pub fn operation(connection: Connection, command: OperationCommand) -> anyhow::Result<Outcome> {
    let show = Show::new(connection.json);
    let api = Api::new(&connection)?;
    block_on(async {
        match command {
            OperationCommand::List(args) => list::operations(&api, show, &args).await,
            OperationCommand::Show { id } => control::show_one(&api, show, &id).await,
            OperationCommand::Watch { id, wait } => operation::follow(&api, show, &id, wait).await,
            OperationCommand::Cancel { id, wait } => control::cancel(&api, show, &id, wait).await,
            OperationCommand::Retry { id, wait } => control::retry(&api, show, &id, wait).await,
            OperationCommand::Confirm { id, wait } => control::confirm(&api, show, &id, wait).await,
            OperationCommand::Undo { id } => control::undo(&api, show, &id).await,
            OperationCommand::Rejected { id, out } => {
                control::rejected(&api, show, &id, out.as_deref()).await
            }
            OperationCommand::Resubmit(args) => control::resubmit(&api, show, args).await,
        }
    })
}

/// `plateia notification …`
pub fn notification(
    connection: Connection,
    command: NotificationCommand,
) -> anyhow::Result<Outcome> {
    let show = Show::new(connection.json);
    let api = Api::new(&connection)?;
    block_on(async {
        match command {
            NotificationCommand::List { unread, paging } => {
                list::notifications(&api, show, unread, &paging).await
            }
            NotificationCommand::Read { ids, .. } => list::mark_read(&api, show, &ids).await,
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
            DeadCommand::List {
                subscription,
                paging,
            } => bus::list(&api, show, subscription.as_deref(), &paging).await,
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
