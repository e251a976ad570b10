//! A fake inside a test.

use std::{
    io,
    net::TcpListener,
    sync::{MutexGuard, mpsc},
    thread::JoinHandle,
};

use actix_web::{App, HttpServer, dev::ServerHandle, web};

use crate::{Change, Log, Plan, World, control, server, server::Shared};

/// Threads that answer.
const WORKERS: usize = 2;

/// A running CRM. It ends when dropped.
pub struct Fake {
    /// Where it answers, without a slash at the end.
    pub url: String,
    shared: web::Data<Shared>,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Fake {
    /// Starts one on a free port of the loopback interface.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(plan: Plan) -> io::Result<Self> {
        Self::listen(plan, "127.0.0.1:0")
    }

    /// Starts one at an address.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn listen(plan: Plan, address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = web::Data::new(Shared::new(plan));
        let (sender, receiver) = mpsc::channel();
        let data = shared.clone();
        let thread = std::thread::Builder::new()
            .name("fake-crm".to_owned())
            .spawn(move || {
                actix_web::rt::System::new().block_on(async move {
                    let app = move || {
                        App::new()
                            .app_data(data.clone())
                            .app_data(web::JsonConfig::default().limit(1 << 20))
                            .configure(server::routes)
                            .configure(control::routes)
                    };
                    let server = HttpServer::new(app)
                        .workers(WORKERS)
                        .disable_signals()
                        .shutdown_timeout(0)
                        .listen(listener)?
                        .run();
                    let _ = sender.send(server.handle());
                    server.await
                })
            })?;
        let handle = receiver
            .recv()
            .map_err(|_| io::Error::other("the server did not start"))?;
        Ok(Self {
            url,
            shared,
            handle,
            thread: Some(thread),
        })
    }

    /// Changes a row now.
    pub fn change(&self, change: Change) {
        self.shared.change(change);
    }

    /// Changes the plan. Request numbers of faults and changes count from now on.
    pub fn replan(&self, change: impl FnOnce(&mut Plan)) {
        self.shared.replan(change);
    }

    /// The rows as they are now. The server waits while this is held.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// Every request so far.
    pub fn log(&self) -> Log {
        self.shared.log().clone()
    }

    /// Forgets the requests so far.
    pub fn clear_log(&self) {
        self.shared.log().requests.clear();
    }

    /// Waits until the server has ended.
    ///
    /// # Errors
    /// When it failed.
    pub fn wait(mut self) -> io::Result<()> {
        let ended = self.thread.take().map(JoinHandle::join);
        ended.map_or(Ok(()), |ended| {
            ended.unwrap_or_else(|_| Err(io::Error::other("the server panicked")))
        })
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // The command is sent by the call; its answer would need a runtime to wait on.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
