//! Runs over tickets: first their list, then the messages of those that are due.

use std::sync::Arc;

use domain::{
    importing::{
        ExternalId, Filter, Page, Selection, TicketRun, messages_due,
        rows::{Row, RowKind, Ticket},
        walk::{End, Limits, Mark, Next, Walk},
    },
    operation::OperationResult,
    shared::Instant,
};
use kernel::{Stop, payload};
use operations::Ending;
use ports::{
    StoreError, crash,
    importing::{ImportUnit, ListKey},
};
use serde_json::Value;

use super::{
    Job,
    asker::Asker,
    messages,
    page::{counted, parts, progress, taken_up},
    state::State,
};
use crate::application::AppResult;

/// Runs from where it was left to the end.
pub(super) async fn run(job: &Arc<Job>, asker: &Arc<Asker>, checkpoint: &Value) -> AppResult<()> {
    let mut state: Option<State> = payload::decode(checkpoint, "the checkpoint of an import")?;
    if state.as_ref().is_none_or(|state| !state.run.tickets_done) {
        state = Some(walk_list(job, asker, state).await?);
    }
    let Some(mut state) = state else {
        return Ok(());
    };
    messages::run(job, asker, &mut state).await?;
    crash::point("import.before_finish");
    finish(job, &state).await?;
    crash::point("import.finished");
    Ok(())
}

async fn walk_list(job: &Arc<Job>, asker: &Arc<Asker>, state: Option<State>) -> AppResult<State> {
    let stored = job.stored_walk(&ListKey::Tickets).await?;
    let mut walk = taken_up(Limits::LIST, stored, 1);
    let ahead = asker.fetchers().await > 1;
    let ask = |number| asker.ask(move |source| source.tickets(number));
    let (mut state, mut page) = match (state, walk.next()) {
        (state, Next::Page(number)) => {
            let first = ask(number).await?;
            let state = match state {
                Some(state) => state,
                None => begin(job, first.clock.unwrap_or_else(|| asker.clock())).await?,
            };
            (state, first)
        }
        // The walk was over, but not yet noted so: no page is that.
        (Some(state), Next::Done(_)) => return Ok(state),
        (None, Next::Done(_)) => return Err(StoreError::Corrupt("checkpoint of an import").into()),
    };
    loop {
        let mark = walk.arrived(page.keys(), &page.totals)?;
        crash::point("import.page_fetched");
        let next = match walk.next() {
            Next::Page(number) => Some(number),
            Next::Done(end) => {
                state.run.tickets_done = true;
                state.run.partial |= end == End::Partial;
                None
            }
        };
        let stored = store(job, &mut state, page, &walk, &mark);
        let Some(next) = next else {
            stored.await?;
            return Ok(state);
        };
        // With a budget that leaves room, the next page is on its way while this one is stored.
        page = if ahead {
            let (stored, fetched) = tokio::join!(stored, ask(next));
            stored?;
            fetched?
        } else {
            stored.await?;
            ask(next).await?
        };
    }
}

/// A run that starts with its first page.
async fn begin(job: &Job, started_at: Instant) -> AppResult<State> {
    let mut unit = job.app.deps.store.begin_import().await?;
    let filter = Filter {
        start_at: job.app.deps.policy.start_at,
        cursor: unit.runs().cursor(job.client.id).await?,
    };
    Ok(State {
        run: TicketRun::start(filter, started_at),
        walked: 0,
        owed: 0,
        read: 0,
    })
}

/// Stores a page, its mark, its checkpoint and what came of it in one transaction.
async fn store(
    job: &Job,
    state: &mut State,
    mut page: Page<Ticket>,
    walk: &Walk,
    mark: &Mark,
) -> AppResult<()> {
    let client = job.client.id;
    let mut unit = job.app.deps.store.begin_import().await?;
    let (taken, due) = select(job, unit.as_mut(), &mut state.run, &mut page).await?;
    let stored = unit.rows().put_tickets(client, &taken).await?;
    if !due.is_empty() {
        unit.rows().owe_messages(client, &due).await?;
    }
    job.quarantine(unit.as_mut(), None, page.quarantined())
        .await?;
    let report = &mut state.run.report;
    report.pages += 1;
    report.tickets.add(counted(&page, taken.len(), &stored));
    let sessions = taken
        .iter()
        .map(|row| (&row.value.id, row.value.sessions.len()));
    let sessions = parts(RowKind::Session, &page, &stored, sessions);
    report.sessions.add(sessions);
    let list = ListKey::Tickets;
    unit.runs()
        .save_walk(job.lease.operation, &list, walk.checkpoint(), mark)
        .await?;
    let (seen, total) = walk.progress();
    state.walked = seen.max(state.walked);
    if state.run.tickets_done {
        state.owed = unit.rows().due_count(client).await?;
    }
    let total = total.filter(|_| !state.run.tickets_done);
    let total = total.or(Some(state.walked + state.owed));
    let done = progress(state.walked, total);
    job.checkpoint(unit.as_mut(), &*state, &state.run.report, done)
        .await?;
    crash::point("import.page_stored");
    unit.commit().await?;
    crash::point("import.page_committed");
    Ok(())
}

/// The tickets of a page that the filter takes, and those of them whose messages are to be read.
async fn select(
    job: &Job,
    unit: &mut dyn ImportUnit,
    run: &mut TicketRun,
    page: &mut Page<Ticket>,
) -> AppResult<(Vec<Row<Ticket>>, Vec<ExternalId>)> {
    let ids: Vec<_> = page.rows().iter().map(|row| row.value.id.clone()).collect();
    let known = unit.rows().known_tickets(job.client.id, &ids).await?;
    let (mut taken, mut due) = (Vec::new(), Vec::new());
    for row in page.take_rows() {
        run.saw(row.value.updated_at);
        let stored = known.get(&row.value.id);
        let at = row.value.updated_at;
        let fingerprint = stored.map(|ticket| ticket.fingerprint);
        match run.filter.select(at, row.fingerprint, fingerprint) {
            Selection::Outside => continue,
            Selection::Late => run.report.late += 1,
            Selection::Current => {}
        }
        let read = stored.and_then(|ticket| ticket.messages_read.as_ref());
        if messages_due(&row, read) {
            due.push(row.value.id.clone());
        }
        taken.push(row);
    }
    Ok((taken, due))
}

/// Moves the cursor and ends the run.
async fn finish(job: &Job, state: &State) -> AppResult<()> {
    let total = state.run.report.total();
    if total.received > 0 && total.quarantined == total.received {
        return Err(super::nothing_readable());
    }
    let whole = !state.run.partial && total.quarantined == 0;
    let result = if whole {
        OperationResult::Complete
    } else {
        OperationResult::Partial
    };
    let app = &job.app;
    let mut unit = app.deps.store.begin_import().await?;
    if let Some(cursor) = state.run.cursor() {
        unit.runs().move_cursor(job.client.id, cursor).await?;
    }
    let found = unit
        .operations()
        .get(&job.client.workspace, job.lease.operation)
        .await?;
    let operation = found.ok_or(Stop::LeaseLost)?;
    app.end_in(unit.as_mut(), &job.lease, operation, &Ending::done(result))
        .await?;
    Ok(unit.commit().await?)
}
