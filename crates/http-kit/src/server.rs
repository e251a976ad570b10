//! The HTTP server of a process.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, web};
use runtime::Lifecycle;
use telemetry::Metrics;

use crate::{health, trace};

/// How long a client may take to send its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// A server that listens.
pub struct Server {
    address: SocketAddr,
    handle: ServerHandle,
}

impl Server {
    /// Listens, with the routes of operators and those that `configure` adds.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(
        listen: SocketAddr,
        workers: usize,
        life: &Lifecycle,
        configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (readiness, metrics) = (life.readiness(), Metrics::new());
        let make = move || {
            let (readiness, metrics) = (readiness.clone(), metrics.clone());
            App::new()
                .wrap(from_fn(trace::requests))
                .app_data(web::Data::new(metrics.clone()))
                .configure(move |config| health::configure(config, readiness, metrics))
                .configure(configure.clone())
        };
        let server = HttpServer::new(make)
            .workers(workers)
            .disable_signals()
            .client_request_timeout(HEADERS_WITHIN)
            .keep_alive(KEEP_ALIVE)
            .bind(listen)?;
        let address = server.addrs().first().copied().unwrap_or(listen);
        let server = server.run();
        let handle = server.handle();
        let soft = life.soft();
        life.spawn_named("http", async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the server ended");
            }
            // A server that was asked to stop ends before the lifecycle has heard of it.
            soft.cancelled().await;
        });
        Ok(Self { address, handle })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening, and waits for requests that are being answered.
    pub async fn stop(&self, grace: Duration) {
        // Streams end with the lifecycle; what is left after the grace period is cut.
        let _ = tokio::time::timeout(grace, self.handle.stop(true)).await;
    }
}
