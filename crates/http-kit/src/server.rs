//! The HTTP server of a process.

use std::{
    future::ready,
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    App,
    dev::{AppConfig, ServerHandle},
    middleware::from_fn,
    rt::net::TcpStream,
    web,
};
use runtime::Lifecycle;
use telemetry::Metrics;

use crate::{Limits, connection::Connection, exchange, health, trace};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long the last bytes of a connection may take.
const LAST_WRITE: Duration = Duration::from_secs(1);

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
        metrics: &Metrics,
        configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        Self::with_limits(listen, workers, Limits::default(), life, metrics, configure)
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
        metrics: &Metrics,
        configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (readiness, metrics) = (life.readiness(), metrics.clone());
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
        let listener = listening(listen)?;
        let address = listener.local_addr()?;
        let soft = life.soft();
        let stop = soft.clone();
        let connections = move || {
            let stop = stop.clone();
            let watched = move |stream: TcpStream| {
                // Answers are small, and what is streamed is written in parts that are ready.
                _ = stream.set_nodelay(true);
                let peer = stream.peer_addr().ok();
                let connection = Connection::new(stream, limits, stop.clone());
                ready(Ok::<_, DispatchError>((connection, Protocol::Http1, peer)))
            };
            let served = map_config(make().into_factory(), move |()| AppConfig::default());
            let http = HttpService::build()
                .keep_alive(limits.idle)
                // Every head is timed by its connection.
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(LAST_WRITE)
                .local_addr(address)
                .on_connect_ext(|connection: &Connection, data| {
                    data.insert(connection.requests());
                })
                .finish(served);
            fn_service(watched).and_then(http)
        };
        let server = actix_server::Server::build()
            .workers(workers)
            .disable_signals()
            .shutdown_timeout(cut_after(life))
            .listen("http", listener, connections)?
            .run();
        let handle = server.handle();
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

fn listening(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4(),
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6(),
    }?;
    // A process that starts again does not wait for the connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Whole seconds until requests that are still being answered are cut off.
fn cut_after(life: &Lifecycle) -> u64 {
    let running = life.grace().running;
    running.as_secs() + u64::from(running.subsec_nanos() > 0)
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
