//! A service in the process of another: they share the port, the bus, the callers and the end.

use std::sync::Arc;

use actix_web::web::ServiceConfig;
use http_kit::Authenticator;
use http_kit::operations::OperationService;
use ports::bus::{Binding, EventPublisher, InboxStore, WakeUp};
use runtime::Lifecycle;
use utoipa::openapi::OpenApi;

/// A subscription of a neighbour, where its events are stored, and who then works on them.
pub struct Heard {
    /// The subscription.
    pub binding: Binding,
    /// Where its events are stored.
    pub inbox: Arc<dyn InboxStore>,
    /// Who then works on them.
    pub wake: Arc<dyn WakeUp>,
}

/// What the process gives to a neighbour.
pub struct Host {
    /// The bus of the process.
    pub publisher: Arc<dyn EventPublisher>,
    /// Start and end of the process.
    pub life: Lifecycle,
    /// Tells who calls.
    pub authenticator: Authenticator,
    /// What the process derives its keys from.
    pub secret: String,
}

/// Adds the paths of a neighbour to a server.
pub type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// A neighbour at work.
pub struct Started {
    /// Its paths.
    pub routes: Routes,
    /// What describes them.
    pub document: OpenApi,
    /// Its long operations.
    pub operations: Arc<dyn OperationService>,
}

/// A service whose stores are open, and which waits for a process to live in.
pub trait Neighbour: Send {
    /// What it listens to, before anything is published.
    fn heard(&self) -> Vec<Heard>;

    /// Starts its work.
    fn start(self: Box<Self>, host: Host) -> Started;
}
