//! Reads the messages of one ticket.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    importing::{
        Page,
        rows::Message,
        walk::{Checkpoint, End, Limits, Mark, Next, Walk},
    },
    shared::Instant,
};
use kernel::{AppError, Stop};
use ports::{
    crm::SourceError,
    importing::{DueTicket, StoredWalk},
};
use tokio::sync::mpsc::Sender;

use crate::run::work::{
    context::taken_up,
    fetch::PageFetcher,
    list::{self, PageSink},
};

/// A page of messages, or the end of a ticket that has none.
pub struct Arrival {
    pub ticket: DueTicket,
    /// The other side's clock before the first page was requested.
    pub as_of: Instant,
    pub page: Option<Page<Message>>,
    /// Whether pages were stored before.
    pub begun: bool,
    pub then: Then,
}

/// What comes after a page.
pub enum Then {
    /// More; the walk is here.
    More(Checkpoint, Mark),
    /// Nothing; the walk ended like this.
    End(End),
}

impl Arrival {
    /// Whether nothing more comes of the ticket.
    pub const fn is_last(&self) -> bool {
        matches!(self.then, Then::End(_))
    }
}

/// Reads the messages of one ticket; the last thing it sends is an end or an error.
pub async fn read(
    fetcher: Arc<PageFetcher>,
    ticket: DueTicket,
    stored: Option<StoredWalk>,
    as_of: Instant,
    out: Sender<Result<Box<Arrival>, AppError>>,
) {
    let mut pages = Pages {
        ticket: &ticket,
        as_of,
        begun: stored.is_some(),
        ended: false,
        out: &out,
    };
    let walk = taken_up(Limits::MESSAGES, stored, 1);
    let walked = list::walk(
        &fetcher,
        walk,
        false,
        |source, number| source.messages(&ticket.id, number),
        &mut pages,
    );
    let last = match walked.await {
        Ok(()) if pages.ended => return,
        // It is no longer there, or has nothing more.
        Ok(()) | Err(AppError::Source(SourceError::NotFound)) => Ok(Box::new(Arrival {
            ticket,
            as_of,
            page: None,
            begun: true,
            then: Then::End(End::Complete),
        })),
        Err(error) => Err(error),
    };
    // No receiver: the run has ended.
    let _ = out.send(last).await;
}

/// Sends the pages of a ticket.
struct Pages<'a> {
    ticket: &'a DueTicket,
    as_of: Instant,
    begun: bool,
    ended: bool,
    out: &'a Sender<Result<Box<Arrival>, AppError>>,
}

#[async_trait]
impl PageSink for Pages<'_> {
    type Row = Message;

    async fn take(&mut self, page: Page<Message>, walk: &Walk, mark: Mark) -> Result<(), AppError> {
        let then = match walk.next() {
            Next::Page(_) => Then::More(walk.checkpoint().clone(), mark),
            Next::Done(end) => Then::End(end),
        };
        let arrival = Arrival {
            ticket: self.ticket.clone(),
            as_of: self.as_of,
            page: Some(page),
            begun: self.begun,
            then,
        };
        self.begun = true;
        self.ended = arrival.is_last();
        let sent = self.out.send(Ok(Box::new(arrival))).await;
        // No receiver: the run has ended.
        sent.map_err(|_| Stop::Stopping.into())
    }
}
