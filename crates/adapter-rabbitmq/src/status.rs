//! Whether the broker is there, for readiness and operators.

use std::sync::Arc;

use domain::shared::Instant;
use ports::Clock;
use tokio::sync::watch;

/// One of the two connections to the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// Whether it works.
    pub connected: bool,
    /// Since when.
    pub since: Instant,
    /// What is wrong, without personal data; also where it works in part.
    pub problem: Option<String>,
}

/// Follows one connection.
#[derive(Clone)]
pub(crate) struct Lamp {
    state: watch::Sender<LinkStatus>,
    clock: Arc<dyn Clock>,
}

impl Lamp {
    pub fn new(clock: Arc<dyn Clock>, connected: bool) -> Self {
        let state = watch::Sender::new(LinkStatus {
            connected,
            since: clock.now(),
            problem: None,
        });
        Self { state, clock }
    }

    /// Shows a state, and answers whether it is another than before. The time stays while only the
    /// problem changes.
    pub fn set(&self, connected: bool, problem: Option<String>) -> bool {
        let now = self.clock.now();
        self.state.send_if_modified(|link| {
            if link.connected == connected && link.problem == problem {
                return false;
            }
            if link.connected != connected {
                link.since = now;
            }
            (link.connected, link.problem) = (connected, problem);
            true
        })
    }

    pub fn is_lit(&self) -> bool {
        self.state.borrow().connected
    }

    fn now(&self) -> LinkStatus {
        self.state.borrow().clone()
    }

    fn changes(&self) -> watch::Receiver<LinkStatus> {
        self.state.subscribe()
    }
}

/// Whether the bus works. A handle: ask it again and again.
#[derive(Clone)]
pub struct BusStatus {
    pub(crate) publisher: Lamp,
    pub(crate) consumers: Lamp,
}

impl BusStatus {
    /// The connection that events leave by.
    pub fn publisher(&self) -> LinkStatus {
        self.publisher.now()
    }

    /// The connection that events arrive by: connected when every subscription consumes.
    pub fn consumers(&self) -> LinkStatus {
        self.consumers.now()
    }

    /// Whether both work and nothing is wrong.
    pub fn is_healthy(&self) -> bool {
        [self.publisher(), self.consumers()]
            .iter()
            .all(|link| link.connected && link.problem.is_none())
    }

    /// Waits until [`is_healthy`](Self::is_healthy) is `wanted`.
    pub async fn wait(&self, wanted: bool) {
        let (mut publisher, mut consumers) = (self.publisher.changes(), self.consumers.changes());
        while self.is_healthy() != wanted {
            // The senders live as long as this handle.
            tokio::select! {
                _ = publisher.changed() => {}
                _ = consumers.changed() => {}
            }
        }
    }
}
