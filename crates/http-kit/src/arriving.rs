//! The body of a request, watched as it arrives.

use std::{
    cell::RefCell,
    future::Future,
    io::ErrorKind,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_web::{
    HttpMessage,
    dev::{Payload, ServiceRequest},
    error::PayloadError,
    web::Bytes,
};
use futures::Stream;
use tokio::time::{Instant, Sleep, sleep};

/// A body that ends with an error when it stands still while somebody waits for it.
#[derive(Clone)]
pub(crate) struct Arriving(Rc<RefCell<Body>>);

struct Body {
    payload: Payload,
    patience: Duration,
    /// Set while somebody waits.
    limit: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// All of it came, or its connection is gone.
    Whole,
    Stalled,
}

impl Arriving {
    /// Watches the body of a request, if it has one.
    pub(crate) fn watch(request: &mut ServiceRequest, patience: Duration) -> Option<Self> {
        let payload = match request.take_payload() {
            Payload::None => return None,
            payload => payload,
        };
        let body = Body {
            payload,
            patience,
            limit: None,
            waiting: false,
            end: None,
        };
        let arriving = Self(Rc::new(RefCell::new(body)));
        request.set_payload(Payload::Stream {
            payload: Box::pin(arriving.clone()),
        });
        Some(arriving)
    }

    /// Whether it stood still for too long.
    pub(crate) fn stalled(&self) -> bool {
        self.0.borrow().end == Some(End::Stalled)
    }

    /// Whether nothing of it is to come any more. What has come and was not asked for is let go.
    pub(crate) fn ended(&self) -> bool {
        let mut body = self.0.borrow_mut();
        let mut cx = Context::from_waker(Waker::noop());
        while body.end.is_none() {
            if body.arrived(&mut cx).is_pending() {
                return false;
            }
        }
        body.end == Some(End::Whole)
    }
}

impl Body {
    /// What has arrived.
    fn arrived(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let next = Pin::new(&mut self.payload).poll_next(cx);
        if let Poll::Ready(chunk) = &next {
            self.waiting = false;
            if !matches!(chunk, Some(Ok(_))) {
                self.end = Some(End::Whole);
            }
        }
        next
    }

    /// Whether whoever waits has waited for long enough.
    fn tired(&mut self, cx: &mut Context<'_>) -> bool {
        let limit = self
            .limit
            .get_or_insert_with(|| Box::pin(sleep(self.patience)));
        if !self.waiting {
            self.waiting = true;
            limit.as_mut().reset(Instant::now() + self.patience);
        }
        limit.as_mut().poll(cx).is_ready()
    }
}

impl Stream for Arriving {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut body = self.0.borrow_mut();
        if body.end.is_some() {
            return Poll::Ready(None);
        }
        match body.arrived(cx) {
            Poll::Pending if body.tired(cx) => {
                body.end = Some(End::Stalled);
                let stalled = std::io::Error::from(ErrorKind::TimedOut);
                Poll::Ready(Some(Err(PayloadError::Io(stalled))))
            }
            next => next,
        }
    }
}
