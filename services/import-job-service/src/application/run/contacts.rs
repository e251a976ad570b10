//! Runs over contacts: their list, page by page, each page's people on to the bus.

use std::{collections::HashSet, sync::Arc};

use domain::{
    importing::{
        ImportReport, Page,
        rows::{Contact, RowKind},
        walk::{End, Limits, Mark, Next, Walk},
    },
    operation::OperationResult,
};
use kernel::payload;
use operations::Ending;
use ports::{crash, importing::ListKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Job,
    asker::Asker,
    page::{counted, parts, progress, taken_up},
};
use crate::application::AppResult;

/// What a run over contacts is taken up from, beside its walk.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct State {
    report: ImportReport,
    /// Whether the walk is over.
    done: bool,
    /// Whether no pass was stable.
    partial: bool,
}

/// Runs from where it was left to the end.
pub(super) async fn run(job: &Arc<Job>, asker: &Arc<Asker>, checkpoint: &Value) -> AppResult<()> {
    let state: Option<State> = payload::decode(checkpoint, "the checkpoint of an import")?;
    let mut state = state.unwrap_or_default();
    if !state.done {
        walk_list(job, asker, &mut state).await?;
    }
    crash::point("import.before_finish");
    finish(job, &state).await?;
    crash::point("import.finished");
    Ok(())
}

async fn walk_list(job: &Arc<Job>, asker: &Arc<Asker>, state: &mut State) -> AppResult<()> {
    let stored = job.stored_walk(&ListKey::Contacts).await?;
    let mut unit = job.app.deps.store.begin_import().await?;
    // Where an earlier run was cut off: `contacts:page` is the last one that was stored.
    let page_done = unit.runs().contacts_page(job.client.id).await?;
    drop(unit);
    let mut walk = taken_up(Limits::LIST, stored, page_done + 1);
    let ahead = asker.fetchers().await > 1;
    let Next::Page(number) = walk.next() else {
        return Ok(());
    };
    let ask = |number| asker.ask(move |source| source.contacts(number));
    let mut page = ask(number).await?;
    loop {
        let mark = walk.arrived(page.keys(), &page.totals)?;
        crash::point("import.page_fetched");
        let next = match walk.next() {
            Next::Page(number) => Some(number),
            Next::Done(end) => {
                state.done = true;
                state.partial = end == End::Partial;
                None
            }
        };
        let stored = store(job, state, page, &walk, &mark);
        let Some(next) = next else {
            return stored.await;
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

/// Stores a page, its mark, its checkpoint, the cursor and the event in one transaction.
async fn store(
    job: &Job,
    state: &mut State,
    page: Page<Contact>,
    walk: &Walk,
    mark: &Mark,
) -> AppResult<()> {
    let client = &job.client;
    let operation = job.lease.operation;
    let mut unit = job.app.deps.store.begin_import().await?;
    let stored = unit.rows().put_contacts(client.id, page.rows()).await?;
    job.quarantine(unit.as_mut(), None, page.quarantined())
        .await?;
    let changed: HashSet<_> = stored.created.iter().chain(&stored.updated).collect();
    let contacts = page.rows().iter().map(|row| &row.value);
    let people = contacts.filter(|c| !c.is_group && changed.contains(&c.id));
    let owner = (client.id, &client.slug);
    job.app
        .emit_customers(unit.as_mut(), &client.workspace, owner, operation, people)
        .await?;
    let report = &mut state.report;
    report.pages += 1;
    report
        .contacts
        .add(counted(&page, page.rows().len(), &stored));
    let tags = page
        .rows()
        .iter()
        .map(|row| (&row.value.id, row.value.tags.len()));
    let tags = parts(RowKind::Tag, &page, &stored, tags);
    report.tags.add(tags);
    let checkpoint = walk.checkpoint();
    let mut runs = unit.runs();
    runs.save_walk(operation, &ListKey::Contacts, checkpoint, mark)
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
    job.checkpoint(unit.as_mut(), &*state, &state.report, done)
        .await?;
    crash::point("import.page_stored");
    unit.commit().await?;
    job.app.wake.outbox();
    crash::point("import.page_committed");
    Ok(())
}

async fn finish(job: &Job, state: &State) -> AppResult<()> {
    let total = state.report.total();
    if total.received > 0 && total.quarantined == total.received {
        return Err(super::nothing_readable());
    }
    let whole = !state.partial && total.quarantined == 0;
    let result = if whole {
        OperationResult::Complete
    } else {
        OperationResult::Partial
    };
    job.app
        .end_leased(&job.lease, &job.client.workspace, &Ending::done(result))
        .await
}
