//! An answer that keeps hold of something until all of it was taken.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

struct Holding<T> {
    body: BoxBody,
    _held: T,
}

/// The body, which drops `held` when it is dropped itself.
pub(crate) fn holding<T: Unpin + 'static>(body: BoxBody, held: T) -> BoxBody {
    BoxBody::new(Holding { body, _held: held })
}

impl<T: Unpin> MessageBody for Holding<T> {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
