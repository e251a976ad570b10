//! The messages of tickets that are due: several tickets at a time where the budget leaves room, what
//! came in the meantime stored together.

mod batch;
mod due;
mod read;

use std::sync::Arc;

use kernel::AppError;
use ports::{StoreError, crm::SourceError};
use tokio::{sync::mpsc, task::JoinSet};

use super::{context::ImportRun, fetch::PageFetcher, state::State};
use due::DueTickets;
use read::{Arrival, read};

/// Most pages of a transaction.
const AT_ONCE: usize = 64;
/// Tickets in a row that cannot be read before it is the CRM that is at fault.
const IN_A_ROW: u32 = 3;

/// Reads what is due to the end.
pub async fn run(
    run: &Arc<ImportRun>,
    fetcher: &Arc<PageFetcher>,
    state: &mut State,
) -> Result<(), AppError> {
    let fetchers = fetcher.fetchers().await;
    let (sender, mut arrivals) = mpsc::channel(AT_ONCE);
    let mut readers = JoinSet::new();
    let mut due = DueTickets::of(run).await?;
    let mut failures = Failures::default();
    let mut in_flight = 0;
    loop {
        while in_flight < fetchers {
            let Some(ticket) = due.next().await? else {
                break;
            };
            let (walk, as_of) = match due.walk_of(&ticket).await? {
                None => (None, fetcher.clock()),
                begun => (begun, state.run.started_at()),
            };
            let (fetcher, out) = (Arc::clone(fetcher), sender.clone());
            readers.spawn(read(fetcher, ticket, walk, as_of, out));
            in_flight += 1;
        }
        if in_flight == 0 {
            break;
        }
        let mut arrived = Vec::new();
        tokio::select! {
            biased;
            _ = arrivals.recv_many(&mut arrived, AT_ONCE) => {}
            Some(ended) = readers.join_next() => {
                ended.map_err(|error| StoreError::Internal(Box::new(error)))?;
                continue;
            }
        }
        // One that is not joined keeps its memory, and there may be a task for every ticket.
        while let Some(ended) = readers.try_join_next() {
            ended.map_err(|error| StoreError::Internal(Box::new(error)))?;
        }
        in_flight -= arrived.iter().filter(|arrival| is_last(arrival)).count();
        let pages = failures.sort_out(arrived)?;
        if failures.last.is_some() {
            state.run.leave_out_messages();
        }
        batch::store(run, state, pages).await?;
    }
    failures.check()
}

/// Whether nothing more comes of a ticket.
fn is_last(arrival: &Result<Box<Arrival>, AppError>) -> bool {
    arrival.as_ref().map_or(true, |arrival| arrival.is_last())
}

/// Tickets that could not be read. They stay due, unless it is the CRM that is at fault.
#[derive(Default)]
struct Failures {
    /// Whether another could be read.
    read: bool,
    in_a_row: u32,
    last: Option<&'static str>,
}

impl Failures {
    /// What is to be stored of what arrived.
    fn sort_out(
        &mut self,
        arrived: Vec<Result<Box<Arrival>, AppError>>,
    ) -> Result<Vec<Arrival>, AppError> {
        let mut pages = Vec::new();
        for arrival in arrived {
            match arrival {
                Ok(arrival) => {
                    self.read = true;
                    self.in_a_row = 0;
                    pages.push(*arrival);
                }
                Err(error) => self.note(error)?,
            }
        }
        Ok(pages)
    }

    fn note(&mut self, error: AppError) -> Result<(), AppError> {
        let code = skippable(&error).ok_or(error)?;
        tracing::warn!(code, "the messages of a ticket cannot be read and stay due");
        self.last = Some(code);
        self.in_a_row += 1;
        if self.in_a_row >= IN_A_ROW {
            return Err(skipped(code));
        }
        Ok(())
    }

    /// Fails where tickets could not be read, and none could.
    fn check(&self) -> Result<(), AppError> {
        match self.last {
            Some(code) if !self.read => Err(skipped(code)),
            _ => Ok(()),
        }
    }
}

/// The messages of several tickets could not be read, the last for this reason.
fn skipped(code: &'static str) -> AppError {
    let detail = format!("the messages of several tickets in a row could not be read: {code}");
    AppError::failed(code, detail)
}

/// The code of a failure that may be the ticket's alone.
const fn skippable(error: &AppError) -> Option<&'static str> {
    match error {
        AppError::Source(
            error @ (SourceError::Transient { .. } | SourceError::Malformed { .. }),
        ) => Some(error.code()),
        AppError::Walk(error) => Some(error.code()),
        _ => None,
    }
}
