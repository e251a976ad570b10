//! One connection to the broker: opening it in bounded time, watching it, opening it again.

use std::{future::Future, time::Duration};

use futures::{Stream, StreamExt};
use lapin::{Connection, ConnectionProperties, Event, runtime::default_runtime};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{RabbitSettings, RabbitStartError, status::Lamp, topology::Topology};

/// The longest that opening a connection may take.
pub(crate) const OPEN_LIMIT: Duration = Duration::from_secs(8);
/// The longest that declaring everything may take; silence means a dead connection.
const DECLARE_LIMIT: Duration = Duration::from_secs(5);
/// The longest farewell.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// Pauses between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a connection is given up, for logs and status.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(pub String);

impl From<lapin::Error> for Broken {
    fn from(error: lapin::Error) -> Self {
        Self(error.to_string())
    }
}

/// Opens a connection called `name` in the broker's lists.
pub(crate) async fn open(
    settings: &RabbitSettings,
    name: &str,
) -> Result<Connection, RabbitStartError> {
    let properties = ConnectionProperties::default()
        .with_connection_name(format!("{} {name}", settings.prefix()).into());
    let (uri, tls) = (settings.uri()?, settings.tls());
    let connecting = async {
        Connection::connect_uri_with_config(uri, properties, tls, default_runtime()?).await
    };
    match timeout(OPEN_LIMIT, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(RabbitStartError::connecting(settings, &error)),
        Err(_) => Err(RabbitStartError::late(settings, OPEN_LIMIT)),
    }
}

/// Says goodbye, if anyone listens.
pub(crate) async fn close(connection: &Connection) {
    let _ = timeout(CLOSE_LIMIT, connection.close(200, "bye".into())).await;
}

/// Declares everything again.
///
/// # Errors
/// When the connection does not work. A refusal is answered as text: the connection is well, and what
/// could be declared is.
pub(crate) async fn declare(
    topology: &Topology,
    connection: &Connection,
) -> Result<Option<String>, Broken> {
    match timeout(DECLARE_LIMIT, topology.declare(connection)).await {
        Ok(Ok(())) => Ok(None),
        Ok(Err(undeclared)) if undeclared.is_refusal() => {
            let (name, error) = (undeclared.name, undeclared.error);
            Ok(Some(format!("{name} cannot be declared: {error}")))
        }
        Ok(Err(undeclared)) => Err(undeclared.error.into()),
        Err(_) => Err(Broken("the broker does not answer".to_owned())),
    }
}

/// Waits until the connection breaks, and tells why. Blocking and unblocking go to `blocked`.
pub(crate) async fn broken(
    connection: &Connection,
    mut events: impl Stream<Item = Event> + Unpin,
    blocked: impl Fn(Option<String>),
) -> Broken {
    loop {
        match timeout(Duration::from_secs(1), events.next()).await {
            Ok(Some(Event::Error(error))) if !connection.status().connected() => {
                return error.into();
            }
            Ok(Some(Event::ConnectionBlocked(reason))) => blocked(Some(reason)),
            Ok(Some(Event::ConnectionUnblocked)) => blocked(None),
            Ok(Some(_)) => {}
            Ok(None) => return Broken("the connection ended".to_owned()),
            // Whatever the events leave out, the status shows.
            Err(_) if !connection.status().connected() => {
                return Broken("the connection is lost".to_owned());
            }
            Err(_) => {}
        }
    }
}

/// Runs `session` again and again until `stop`, with growing pauses while it does not come to work. It
/// lights the lamp once it works, and ends without an error only when it was stopped.
pub(crate) async fn supervise<S>(
    name: &str,
    lamp: &Lamp,
    stop: &CancellationToken,
    session: impl Fn() -> S,
) where
    S: Future<Output = Result<(), Broken>>,
{
    let mut failures = 0;
    while !stop.is_cancelled() {
        let Err(Broken(problem)) = session().await else {
            return;
        };
        failures = if lamp.is_lit() { 0 } else { failures + 1 };
        // Said once, not with every attempt.
        if lamp.set(false, Some(problem.clone())) {
            tracing::warn!(link = name, problem, "no connection to the broker");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause(failures)) => {}
        }
    }
}

/// The pause after so many failures in a row: doubling, capped, jittered.
pub(crate) fn pause(failures: u32) -> Duration {
    let bound = FIRST_PAUSE.saturating_mul(1 << failures.min(10));
    bound
        .min(LONGEST_PAUSE)
        .mul_f64(rand::random_range(0.5..1.0))
}
