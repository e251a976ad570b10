//! The HTTP server of a process.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, web};
use runtime::Lifecycle;
use telemetry::Metrics;

use crate::{exchange, health, trace};

/// How long clients may keep the server waiting.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For a head, or for more of a body.
    pub stalled: Duration,
    /// For the next request of a connection.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stalled: Duration::from_secs(30),
            idle: Duration::from_secs(75),
        }
    }
}

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
        Self::with_limits(listen, workers, Limits::default(), life, configure)
    }

    /// As [`Self::start`], with other limits.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn with_limits(
        listen: SocketAddr,
        workers: usize,
        limits: Limits,
        life: &Lifecycle,
        configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (readiness, metrics) = (life.readiness(), Metrics::new());
        let make = move || {
            let (readiness, metrics) = (readiness.clone(), metrics.clone());
            App::new()
                .wrap(from_fn(move |request, next| {
                    exchange::serve(request, next, limits.stalled)
                }))
                .wrap(from_fn(trace::requests))
                .app_data(web::Data::new(metrics.clone()))
                .configure(move |config| health::configure(config, readiness, metrics))
                .configure(configure.clone())
        };
        let server = HttpServer::new(make)
            .workers(workers)
            .disable_signals()
            .client_request_timeout(limits.stalled)
            .keep_alive(limits.idle)
            .shutdown_timeout(cut_after(life))
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

    /// Ends the process: takes no new requests, ends or hands back what runs. `true` when all of it ended
    /// in time.
    pub async fn stop(self, life: &Lifecycle) -> bool {
        life.shutdown();
        // Its task is one of the lifecycle's, and is waited for with them.
        drop(self.handle.stop(true));
        life.drain().await
    }
}

/// Whole seconds until requests that are still being answered are cut off.
fn cut_after(life: &Lifecycle) -> u64 {
    let running = life.grace().running;
    running.as_secs() + u64::from(running.subsec_nanos() > 0)
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
