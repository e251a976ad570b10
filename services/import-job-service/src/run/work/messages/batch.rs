//! Stores pages of messages, of several tickets at once.

use std::collections::HashSet;

use domain::importing::{Counts, ExternalId, MessagesRead, walk::End};
use kernel::AppError;
use ports::{
    crash,
    importing::{ImportUnit, ListKey, TicketMessages},
};

use super::read::{Arrival, Then};
use crate::run::work::{
    context::{ImportRun, progress},
    state::State,
};

/// Stores pages, their marks, their checkpoints and what came of them in one transaction.
pub async fn store(
    run: &ImportRun,
    state: &mut State,
    arrivals: Vec<Arrival>,
) -> Result<(), AppError> {
    if arrivals.is_empty() {
        return Ok(());
    }
    let mut unit = run.store.begin_import().await?;
    let mut read = Vec::new();
    let mut group = Group::default();
    for arrival in arrivals {
        close_page(run, unit.as_mut(), state, &arrival, &mut read).await?;
        if group.tickets.contains(&arrival.ticket.id) {
            let full = std::mem::take(&mut group);
            full.write(run, unit.as_mut(), state).await?;
        }
        group.add(arrival);
    }
    group.write(run, unit.as_mut(), state).await?;
    if !read.is_empty() {
        unit.rows().messages_read(run.client.id, &read).await?;
    }
    let done = state.walked + state.read;
    let total = state.walked + state.owed.max(state.read);
    let done = progress(done, Some(total));
    run.checkpoint(unit.as_mut(), &*state, &state.run.report, done)
        .await?;
    crash::point("import.page_stored");
    unit.commit().await?;
    crash::point("import.page_committed");
    Ok(())
}

/// Keeps where the walk of a page is, or notes that it is over.
async fn close_page(
    run: &ImportRun,
    unit: &mut dyn ImportUnit,
    state: &mut State,
    arrival: &Arrival,
    read: &mut Vec<(ExternalId, MessagesRead)>,
) -> Result<(), AppError> {
    let ticket = &arrival.ticket;
    if let Some(page) = &arrival.page {
        run.quarantine(unit, Some(&ticket.id), page.quarantined())
            .await?;
    }
    let operation = run.lease.operation;
    let list = ListKey::Messages(ticket.id.clone());
    let end = match &arrival.then {
        Then::More(checkpoint, mark) => {
            let mut runs = unit.runs();
            return Ok(runs.save_walk(operation, &list, checkpoint, mark).await?);
        }
        Then::End(end) => end,
    };
    if arrival.begun {
        unit.runs().end_walk(operation, &list).await?;
    }
    state.read += 1;
    match end {
        End::Partial => state.run.leave_out_messages(),
        End::Complete => {
            let as_read = MessagesRead {
                ticket: ticket.fingerprint,
                as_of: arrival.as_of,
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
    fn add(&mut self, arrival: Arrival) {
        let ticket = arrival.ticket.id;
        self.tickets.insert(ticket.clone());
        let Some(mut page) = arrival.page else { return };
        let messages = page.take_rows();
        // Those that are new or differ are told apart when they are written.
        self.counts.add(page.counts(messages.len(), 0, 0));
        self.pages += 1;
        if !messages.is_empty() {
            self.messages.push(TicketMessages { ticket, messages });
        }
    }

    async fn write(
        mut self,
        run: &ImportRun,
        unit: &mut dyn ImportUnit,
        state: &mut State,
    ) -> Result<(), AppError> {
        if !self.messages.is_empty() {
            let client = run.client.id;
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
