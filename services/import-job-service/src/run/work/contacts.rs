//! Runs over contacts: their list, page by page, each page's people on to the bus.

use std::collections::HashSet;

use async_trait::async_trait;
use domain::importing::{
    ImportReport, Page,
    rows::{Contact, RowKind},
    walk::{End, Limits, Mark, Next, Walk},
};
use kernel::{AppError, payload};
use operations::Ending;
use ports::{crash, importing::ListKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    context::{ImportRun, counted, ending, parts, progress, taken_up},
    fetch::PageFetcher,
    list::{self, PageSink},
};
use crate::run::events::emit_customers;

/// What a run over contacts is taken up from, beside its walk.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct State {
    report: ImportReport,
    /// Whether the walk is over.
    done: bool,
    /// Whether no pass was stable.
    partial: bool,
}

struct Contacts<'a> {
    run: &'a ImportRun,
    state: State,
}

/// Runs from where it was left; answers how the run ends.
pub async fn run(
    run: &ImportRun,
    fetcher: &PageFetcher,
    checkpoint: &Value,
) -> Result<Ending, AppError> {
    let state: Option<State> = payload::decode(checkpoint, "the checkpoint of an import")?;
    let state = state.unwrap_or_default();
    let mut contacts = Contacts { run, state };
    if !contacts.state.done {
        let stored = run.stored_walk(&ListKey::Contacts).await?;
        let mut unit = run.store.begin_import().await?;
        // Where an earlier run was cut off: `contacts:page` is the last one that was stored.
        let page_done = unit.runs().contacts_page(run.client.id).await?;
        drop(unit);
        let walk = taken_up(Limits::LIST, stored, page_done + 1);
        let ahead = fetcher.fetchers().await > 1;
        let walked = list::walk(
            fetcher,
            walk,
            ahead,
            |source, number| source.contacts(number),
            &mut contacts,
        );
        walked.await?;
    }
    ending(&contacts.state.report, contacts.state.partial)
}

#[async_trait]
impl PageSink for Contacts<'_> {
    type Row = Contact;

    /// Stores a page, its mark, its checkpoint, the cursor and the event in one transaction.
    async fn take(&mut self, page: Page<Contact>, walk: &Walk, mark: Mark) -> Result<(), AppError> {
        let Self { run, state } = self;
        if let Next::Done(end) = walk.next() {
            state.done = true;
            state.partial = end == End::Partial;
        }
        let client = &run.client;
        let operation = run.lease.operation;
        let mut unit = run.store.begin_import().await?;
        let stored = unit.rows().put_contacts(client.id, page.rows()).await?;
        run.quarantine(unit.as_mut(), None, page.quarantined())
            .await?;
        let changed: HashSet<_> = stored.created.iter().chain(&stored.updated).collect();
        let contacts = page.rows().iter().map(|row| &row.value);
        let people = contacts.filter(|c| !c.is_group && changed.contains(&c.id));
        emit_customers(unit.as_mut(), run.clock.now(), client, operation, people).await?;
        let report = &mut state.report;
        report.pages += 1;
        let count = page.rows().len();
        report.contacts.add(counted(&page, count, &stored));
        let rows = page.rows().iter().map(|row| &row.value);
        let tags = rows.map(|contact| (&contact.id, contact.tags.len()));
        report.tags.add(parts(RowKind::Tag, &page, &stored, tags));
        let checkpoint = walk.checkpoint();
        let mut runs = unit.runs();
        runs.save_walk(operation, &ListKey::Contacts, checkpoint, &mark)
            .await?;
        runs.save_contacts_page(client.id, checkpoint.page_done())
            .await?;
        drop(runs);
        let (seen, total) = walk.progress();
        let done = if state.done {
            progress(state.report.contacts.received, None)
        } else {
            progress(seen, total)
        };
        run.checkpoint(unit.as_mut(), &*state, &state.report, done)
            .await?;
        crash::point("import.page_stored");
        unit.commit().await?;
        run.wake.outbox();
        crash::point("import.page_committed");
        Ok(())
    }
}
