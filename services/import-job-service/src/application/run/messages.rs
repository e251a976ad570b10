//! The messages of tickets that are due: several tickets at a time where the budget leaves room, what
//! came in the meantime stored together.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use domain::{
    importing::{
        Counts, ExternalId, MessagesRead, Page,
        rows::Message,
        walk::{Checkpoint, End, Limits, Mark, Next},
    },
    shared::Instant,
};
use ports::{
    StoreError, crash,
    crm::{SourceError, TicketSource},
    importing::{DueTicket, ImportUnit, ListKey, StoredWalk, TicketMessages},
};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    Job,
    asker::Asker,
    page::{progress, taken_up},
    state::State,
};
use crate::application::{AppError, AppResult};

/// Due tickets looked up at a time.
const LOOK: i64 = 500;
/// Most pages of a transaction.
const AT_ONCE: usize = 64;
/// Tickets in a row that cannot be read before it is the CRM that is at fault.
const IN_A_ROW: u32 = 3;

/// What came of a ticket.
enum Came {
    /// A page, and how the walk ended if it was the last one.
    Page(Box<PageOf>),
    /// The ticket is no longer there, or has nothing more.
    Nothing(DueTicket, Instant),
    /// It cannot be read.
    Failed(AppError),
}

/// A page of messages.
struct PageOf {
    ticket: DueTicket,
    /// The other side's clock before the first page was asked for.
    as_of: Instant,
    page: Page<Message>,
    mark: Mark,
    checkpoint: Checkpoint,
    /// Whether pages were stored before.
    begun: bool,
    end: Option<End>,
}

/// Tickets whose messages are due, in order of their ids.
struct Queue {
    after: Option<ExternalId>,
    ready: VecDeque<DueTicket>,
    over: bool,
}

/// Tickets that could not be read.
#[derive(Default)]
struct Tally {
    read: bool,
    in_a_row: u32,
    last: Option<&'static str>,
}

/// Reads what is due to the end.
pub(super) async fn run(job: &Arc<Job>, asker: &Arc<Asker>, state: &mut State) -> AppResult<()> {
    let mut unit = job.app.deps.store.begin_import().await?;
    let begun = unit.runs().message_walks(job.lease.operation).await?;
    drop(unit);
    let begun: HashSet<_> = begun.into_iter().collect();
    let fetchers = asker.fetchers().await;
    let (sender, mut arrivals) = mpsc::channel(AT_ONCE);
    let mut tasks = JoinSet::new();
    let mut queue = Queue {
        after: None,
        ready: VecDeque::new(),
        over: false,
    };
    let mut tally = Tally::default();
    let mut on_their_way = 0;
    loop {
        while on_their_way < fetchers {
            let Some(ticket) = queue.next(job).await? else {
                break;
            };
            let (walk, as_of) = if begun.contains(&ticket.id) {
                let list = ListKey::Messages(ticket.id.clone());
                (job.stored_walk(&list).await?, state.run.started_at)
            } else {
                (None, asker.clock())
            };
            tasks.spawn(fetch(
                Arc::clone(asker),
                ticket,
                walk,
                as_of,
                sender.clone(),
            ));
            on_their_way += 1;
        }
        if on_their_way == 0 {
            break;
        }
        let mut came = Vec::new();
        tokio::select! {
            biased;
            _ = arrivals.recv_many(&mut came, AT_ONCE) => {}
            Some(ended) = tasks.join_next() => {
                ended.map_err(|error| StoreError::Internal(Box::new(error)))?;
                continue;
            }
        }
        // One that is not joined keeps its memory, and there may be a task for every ticket.
        while let Some(ended) = tasks.try_join_next() {
            ended.map_err(|error| StoreError::Internal(Box::new(error)))?;
        }
        let (pages, ended) = sort(came, state, &mut tally)?;
        on_their_way -= ended;
        store(job, state, pages).await?;
    }
    match tally.last {
        Some(code) if !tally.read => Err(skipped(code)),
        _ => Ok(()),
    }
}

impl Queue {
    async fn next(&mut self, job: &Job) -> AppResult<Option<DueTicket>> {
        if self.ready.is_empty() && !self.over {
            let mut unit = job.app.deps.store.begin_import().await?;
            let after = self.after.as_ref();
            let due = unit.rows().due_tickets(job.client.id, after, LOOK).await?;
            self.over = due.is_empty();
            self.ready = due.into();
        }
        let next = self.ready.pop_front();
        if let Some(ticket) = &next {
            self.after = Some(ticket.id.clone());
        }
        Ok(next)
    }
}

/// Reads the messages of one ticket; the last thing it sends is an end.
async fn fetch(
    asker: Arc<Asker>,
    ticket: DueTicket,
    stored: Option<StoredWalk>,
    as_of: Instant,
    out: mpsc::Sender<Came>,
) {
    let last = match walk(&asker, &ticket, stored, as_of, &out).await {
        Ok(true) => return,
        Ok(false) | Err(AppError::Source(SourceError::NotFound)) => Came::Nothing(ticket, as_of),
        Err(error) => Came::Failed(error),
    };
    // Nobody listening: the run has ended.
    let _ = out.send(last).await;
}

/// Answers whether the end was sent with the last page.
async fn walk<'a>(
    asker: &'a Asker,
    ticket: &'a DueTicket,
    stored: Option<StoredWalk>,
    as_of: Instant,
    out: &mpsc::Sender<Came>,
) -> AppResult<bool> {
    let mut begun = stored.is_some();
    let mut walk = taken_up(Limits::MESSAGES, stored, 1);
    while let Next::Page(number) = walk.next() {
        let request = |source: &'a dyn TicketSource| source.messages(&ticket.id, number);
        let page = asker.ask(request).await?;
        let mark = walk.arrived(page.keys(), &page.totals)?;
        crash::point("import.page_fetched");
        let end = match walk.next() {
            Next::Page(_) => None,
            Next::Done(end) => Some(end),
        };
        let page = PageOf {
            ticket: ticket.clone(),
            as_of,
            page,
            mark,
            checkpoint: walk.checkpoint().clone(),
            begun,
            end,
        };
        let sent = out.send(Came::Page(Box::new(page))).await;
        if sent.is_err() || end.is_some() {
            return Ok(true);
        }
        begun = true;
    }
    Ok(false)
}

/// Pages to store, and how many tickets have come to an end.
type Sorted = (Vec<PageOf>, usize);

/// Sorts what came; a ticket that cannot be read is left due, unless it is one of several.
fn sort(came: Vec<Came>, state: &mut State, tally: &mut Tally) -> AppResult<Sorted> {
    let (mut pages, mut ended) = (Vec::new(), 0);
    for came in came {
        match came {
            Came::Page(page) => {
                ended += usize::from(page.end.is_some());
                tally.read = true;
                tally.in_a_row = 0;
                pages.push(*page);
            }
            Came::Nothing(ticket, as_of) => {
                ended += 1;
                tally.read = true;
                pages.push(PageOf::nothing(ticket, as_of));
            }
            Came::Failed(error) => {
                ended += 1;
                let code = skippable(&error).ok_or(error)?;
                tracing::warn!(code, "the messages of a ticket cannot be read and stay due");
                state.run.partial = true;
                tally.last = Some(code);
                tally.in_a_row += 1;
                if tally.in_a_row >= IN_A_ROW {
                    return Err(skipped(code));
                }
            }
        }
    }
    Ok((pages, ended))
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

impl PageOf {
    /// The end of a ticket that has no page.
    fn nothing(ticket: DueTicket, as_of: Instant) -> Self {
        Self {
            ticket,
            as_of,
            page: Page::default(),
            mark: Mark {
                pass: 0,
                request: 0,
                keys: Vec::new(),
            },
            checkpoint: Checkpoint::default(),
            begun: true,
            end: Some(End::Complete),
        }
    }
}

/// Stores pages, their marks, their checkpoints and what came of them in one transaction.
async fn store(job: &Job, state: &mut State, pages: Vec<PageOf>) -> AppResult<()> {
    if pages.is_empty() {
        return Ok(());
    }
    let mut unit = job.app.deps.store.begin_import().await?;
    let mut read = Vec::new();
    let mut group = Group::default();
    for page in pages {
        close_page(job, unit.as_mut(), state, &page, &mut read).await?;
        if group.tickets.contains(&page.ticket.id) {
            std::mem::take(&mut group)
                .write(job, unit.as_mut(), state)
                .await?;
        }
        group.add(page);
    }
    group.write(job, unit.as_mut(), state).await?;
    if !read.is_empty() {
        unit.rows().messages_read(job.client.id, &read).await?;
    }
    let done = state.walked + state.read;
    let total = state.walked + state.owed.max(state.read);
    let done = progress(done, Some(total));
    job.checkpoint(unit.as_mut(), &*state, &state.run.report, done)
        .await?;
    crash::point("import.page_stored");
    unit.commit().await?;
    crash::point("import.page_committed");
    Ok(())
}

/// Keeps where the walk of a page is, or notes that it is over.
async fn close_page(
    job: &Job,
    unit: &mut dyn ImportUnit,
    state: &mut State,
    page: &PageOf,
    read: &mut Vec<(ExternalId, MessagesRead)>,
) -> AppResult<()> {
    let ticket = &page.ticket;
    job.quarantine(unit, Some(&ticket.id), page.page.quarantined())
        .await?;
    let operation = job.lease.operation;
    let list = ListKey::Messages(ticket.id.clone());
    let Some(end) = page.end else {
        return Ok(unit
            .runs()
            .save_walk(operation, &list, &page.checkpoint, &page.mark)
            .await?);
    };
    if page.begun {
        unit.runs().end_walk(operation, &list).await?;
    }
    state.read += 1;
    match end {
        End::Partial => state.run.partial = true,
        End::Complete => {
            let as_read = MessagesRead {
                ticket: ticket.fingerprint,
                as_of: page.as_of,
            };
            read.push((ticket.id.clone(), as_read));
        }
    }
    Ok(())
}

/// Pages of different tickets, which are written by one statement.
#[derive(Default)]
struct Group {
    tickets: HashSet<ExternalId>,
    messages: Vec<TicketMessages>,
    counts: Counts,
    pages: u64,
}

impl Group {
    fn add(&mut self, mut page: PageOf) {
        let messages = page.page.take_rows();
        // Those that are new or differ are counted when they are written.
        self.counts.add(page.page.counts(messages.len(), 0, 0));
        self.pages += u64::from(page.mark.request > 0);
        self.tickets.insert(page.ticket.id.clone());
        if !messages.is_empty() {
            self.messages.push(TicketMessages {
                ticket: page.ticket.id,
                messages,
            });
        }
    }

    async fn write(
        mut self,
        job: &Job,
        unit: &mut dyn ImportUnit,
        state: &mut State,
    ) -> AppResult<()> {
        if !self.messages.is_empty() {
            let client = job.client.id;
            let stored = unit.rows().put_messages(client, &self.messages).await?;
            self.counts.created = stored.created.len() as u64;
            self.counts.updated = stored.updated.len() as u64;
            self.counts.unchanged -= self.counts.created + self.counts.updated;
        }
        state.run.report.messages.add(self.counts);
        state.run.report.pages += self.pages;
        Ok(())
    }
}
