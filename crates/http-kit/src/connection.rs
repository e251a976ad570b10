//! A client's connection, watched from below the HTTP server, which times only the first head of each.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_web::{body::BoxBody, http::StatusCode, rt::net::TcpStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::{Problem, holding::holding};

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

/// A connection that ends when the head of a request stands still, or when the process stops between two
/// requests.
pub(crate) struct Connection {
    stream: TcpStream,
    requests: Requests,
    limits: Limits,
    timer: Pin<Box<Sleep>>,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether something of an answer waits for the client to read.
    unwritten: bool,
    ended: bool,
}

/// What a connection and the requests on it tell each other.
#[derive(Clone)]
pub(crate) struct Requests(Rc<State>);

struct State {
    served: Cell<usize>,
    /// Until when a request must be there.
    deadline: Cell<Instant>,
    /// Whether something of its head has come.
    begun: Cell<bool>,
    reader: RefCell<Option<Waker>>,
    idle: Duration,
    stop: CancellationToken,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, limits: Limits, stop: CancellationToken) -> Self {
        let state = State {
            served: Cell::new(0),
            deadline: Cell::new(Instant::now() + limits.stalled),
            begun: Cell::new(true),
            reader: RefCell::new(None),
            idle: limits.idle,
            stop: stop.clone(),
        };
        Self {
            stream,
            requests: Requests(Rc::new(state)),
            limits,
            timer: Box::pin(sleep(limits.stalled)),
            stopping: Box::pin(stop.cancelled_owned()),
            unwritten: false,
            ended: false,
        }
    }

    pub(crate) fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// Whether nothing more is read, given that nothing has come.
    fn ends(&mut self, cx: &mut Context<'_>) -> bool {
        let state = &self.requests.0;
        state.reader.replace(Some(cx.waker().clone()));
        if state.served.get() > 0 {
            return false;
        }
        if self.stopping.as_mut().poll(cx).is_ready() {
            return true;
        }
        if self.timer.deadline() != state.deadline.get() {
            self.timer.as_mut().reset(state.deadline.get());
        }
        if self.timer.as_mut().poll(cx).is_pending() {
            return false;
        }
        if state.begun.get() && !self.unwritten {
            // What does not fit into the buffers of the connection is not worth waiting for.
            _ = self.stream.try_write(&head_stalled());
        }
        true
    }

    fn wrote(&mut self, written: &Poll<io::Result<usize>>) {
        self.unwritten = written.is_pending();
        let state = &self.requests.0;
        if !state.begun.get() {
            // A client that reads its answer slowly has not had the time to ask again.
            state.deadline.set(Instant::now() + self.limits.idle);
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                let state = &self.requests.0;
                if state.served.get() == 0 && !state.begun.replace(true) {
                    state.deadline.set(Instant::now() + self.limits.stalled);
                }
                Poll::Ready(read)
            }
            Poll::Pending if self.ends(cx) => {
                self.ended = true;
                Poll::Ready(Ok(()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Requests {
    /// Says that a request is being served, until what it returns is dropped.
    pub(crate) fn serve(&self) -> Serving {
        self.0.served.set(self.0.served.get() + 1);
        Serving(self.clone())
    }

    /// Whether the process stops, so that no other request is taken.
    pub(crate) fn end(&self) -> bool {
        self.0.stop.is_cancelled()
    }
}

/// A request that is being served.
pub(crate) struct Serving(Requests);

impl Serving {
    /// An answer whose request is served until all of it was taken.
    pub(crate) fn until_sent(self, body: BoxBody) -> BoxBody {
        holding(body, self)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let state = &self.0.0;
        state.served.set(state.served.get() - 1);
        state.begun.set(false);
        state.deadline.set(Instant::now() + state.idle);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }
}

/// The answer to a head that stands still, as it is sent.
fn head_stalled() -> Vec<u8> {
    let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "head_stalled")
        .with_detail("The head of the request did not come to its end.");
    let body = serde_json::json!(problem.body()).to_string();
    format!(
        "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
