//! Runs over tickets: first their list, then the messages of those that are due.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    importing::{
        ExternalId, Filter, Page, Selection, TicketRun, messages_due,
        rows::{Row, RowKind, Ticket},
        walk::{Limits, Mark, Next, Walk},
    },
    shared::Instant,
};
use kernel::{AppError, payload};
use operations::Ending;
use ports::{
    StoreError, crash,
    importing::{ImportUnit, ListKey},
};
use serde_json::Value;

use super::{
    context::{ImportRun, counted, ending, parts, progress, taken_up},
    fetch::PageFetcher,
    list::{self, PageSink},
    messages,
    state::State,
};

struct Tickets<'a> {
    run: &'a ImportRun,
    start_at: Instant,
    /// None before the first page.
    state: Option<State>,
}

/// Runs from where it was left; answers how the run ends, and the cursor that is reached.
pub async fn run(
    run: &Arc<ImportRun>,
    fetcher: &Arc<PageFetcher>,
    start_at: Instant,
    checkpoint: &Value,
) -> Result<(Ending, Option<Instant>), AppError> {
    let what = "the checkpoint of an import";
    let state: Option<State> = payload::decode(checkpoint, what)?;
    let mut tickets = Tickets {
        run,
        start_at,
        state,
    };
    let walked = tickets.state.as_ref().is_some_and(|s| s.run.tickets_done());
    if !walked {
        let stored = run.stored_walk(&ListKey::Tickets).await?;
        let walk = taken_up(Limits::LIST, stored, 1);
        let ahead = fetcher.fetchers().await > 1;
        let walked = list::walk(
            fetcher,
            walk,
            ahead,
            |source, number| source.tickets(number),
            &mut tickets,
        );
        walked.await?;
    }
    let mut state = tickets.state.ok_or(StoreError::Corrupt(what))?;
    messages::run(run, fetcher, &mut state).await?;
    let ending = ending(&state.run.report, state.run.is_partial())?;
    Ok((ending, state.run.cursor()))
}

/// A run that starts with its first page.
async fn begin(
    unit: &mut dyn ImportUnit,
    run: &ImportRun,
    start_at: Instant,
    clock: Option<Instant>,
) -> Result<State, AppError> {
    let filter = Filter {
        start_at,
        cursor: unit.runs().cursor(run.client.id).await?,
    };
    Ok(State {
        run: TicketRun::start(filter, clock.unwrap_or_else(|| run.clock.now())),
        walked: 0,
        owed: 0,
        read: 0,
    })
}

#[async_trait]
impl PageSink for Tickets<'_> {
    type Row = Ticket;

    /// Stores a page, its mark, its checkpoint and what came of it in one transaction.
    async fn take(
        &mut self,
        mut page: Page<Ticket>,
        walk: &Walk,
        mark: Mark,
    ) -> Result<(), AppError> {
        let run = self.run;
        let client = run.client.id;
        let mut unit = run.store.begin_import().await?;
        let state = match &mut self.state {
            Some(state) => state,
            none => {
                let begun = begin(unit.as_mut(), run, self.start_at, page.clock).await?;
                none.insert(begun)
            }
        };
        if let Next::Done(end) = walk.next() {
            state.run.end_tickets(end);
        }
        let (taken, due) = select(run, unit.as_mut(), &mut state.run, &mut page).await?;
        let stored = unit.rows().put_tickets(client, &taken).await?;
        if !due.is_empty() {
            unit.rows().owe_messages(client, &due).await?;
        }
        run.quarantine(unit.as_mut(), None, page.quarantined())
            .await?;
        let report = &mut state.run.report;
        report.pages += 1;
        report.tickets.add(counted(&page, taken.len(), &stored));
        let tickets = taken.iter().map(|row| &row.value);
        let sessions = tickets.map(|ticket| (&ticket.id, ticket.sessions.len()));
        let sessions = parts(RowKind::Session, &page, &stored, sessions);
        report.sessions.add(sessions);
        let list = ListKey::Tickets;
        unit.runs()
            .save_walk(run.lease.operation, &list, walk.checkpoint(), &mark)
            .await?;
        let (seen, total) = walk.progress();
        state.walked = seen.max(state.walked);
        if state.run.tickets_done() {
            state.owed = unit.rows().due_count(client).await?;
        }
        let total = total.filter(|_| !state.run.tickets_done());
        let total = total.or(Some(state.walked + state.owed));
        let done = progress(state.walked, total);
        run.checkpoint(unit.as_mut(), &*state, &state.run.report, done)
            .await?;
        crash::point("import.page_stored");
        unit.commit().await?;
        crash::point("import.page_committed");
        Ok(())
    }
}

/// The tickets of a page that the filter takes, and those of them whose messages are to be read.
async fn select(
    run: &ImportRun,
    unit: &mut dyn ImportUnit,
    state: &mut TicketRun,
    page: &mut Page<Ticket>,
) -> Result<(Vec<Row<Ticket>>, Vec<ExternalId>), AppError> {
    let ids: Vec<_> = page.rows().iter().map(|row| row.value.id.clone()).collect();
    let known = unit.rows().known_tickets(run.client.id, &ids).await?;
    let (mut taken, mut due) = (Vec::new(), Vec::new());
    for row in page.take_rows() {
        let stored = known.get(&row.value.id);
        let fingerprint = stored.map(|ticket| ticket.fingerprint);
        if state.select(&row, fingerprint) == Selection::Outside {
            continue;
        }
        let read = stored.and_then(|ticket| ticket.messages_read.as_ref());
        if messages_due(&row, read) {
            due.push(row.value.id.clone());
        }
        taken.push(row);
    }
    Ok((taken, due))
}
