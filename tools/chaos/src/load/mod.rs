//! Load: several workspaces, each with users of its own, one audience that several write into, and
//! readers.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use api_types::{
    List, audiences::AudienceJson, contacts::ContactsJson, notifications::NotificationJson,
};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

pub mod client;
mod lane;
mod removals;
mod shared;

use crate::history::History;
use client::{Caller, Target};
use lane::Lane;

/// What the load consists of.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Workspaces.
    pub workspaces: usize,
    /// Users per workspace, each with an audience of its own.
    pub users: usize,
    /// Contacts that an audience can have at most.
    pub contacts: usize,
    /// Audiences that a user makes at most.
    pub audiences: usize,
    /// A new audience has all contacts that it can have.
    pub full: bool,
    /// Nothing is taken back.
    pub no_undo: bool,
    /// Only requests that are answered at once, without operations.
    pub no_operations: bool,
    /// Chance in 100 that a client goes away in the middle of a request.
    pub abandon: u8,
    /// Pause of each user between two commands.
    pub pause: Duration,
}

impl Shape {
    pub const USUAL: Self = Self {
        workspaces: 2,
        users: 3,
        contacts: 400,
        audiences: 60,
        full: false,
        no_undo: false,
        no_operations: false,
        abandon: 0,
        pause: Duration::from_millis(30),
    };
    /// Few audiences, each so large that long operations take many steps.
    pub const LARGE: Self = Self {
        workspaces: 1,
        users: 3,
        contacts: 50_000,
        audiences: 2,
        full: true,
        ..Self::USUAL
    };
    /// Nothing is taken back.
    pub const FORWARD: Self = Self {
        no_undo: true,
        ..Self::USUAL
    };
    /// Clients that go away most of the time.
    pub const FICKLE: Self = Self {
        abandon: 80,
        users: 6,
        pause: Duration::from_millis(5),
        ..Self::USUAL
    };
}

/// What a reader may see of an audience: the counts before and after the command that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Grows with every change.
    turn: u64,
    audience: String,
    /// `None` while parts of the command may show.
    counts: Option<[u64; 2]>,
}

/// What readers may see of one user's audience.
#[derive(Debug, Default)]
pub(crate) struct View(Mutex<Allowed>);

impl View {
    fn get(&self) -> Allowed {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn allow(&self, audience: &str, counts: Option<[u64; 2]>) {
        let mut allowed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *allowed = Allowed {
            turn: allowed.turn + 1,
            audience: audience.to_owned(),
            counts,
        };
    }
}

/// A load that runs.
pub struct Load {
    pub history: Arc<History>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Load {
    /// Starts it.
    pub fn start(target: &Arc<Target>, shape: Shape) -> Self {
        let mut load = Self {
            history: Arc::new(History::default()),
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
        };
        for workspace in 0..shape.workspaces {
            let workspace = format!("ws{workspace}");
            for user in 0..shape.users {
                load.user(target, shape, &workspace, &format!("user{user}"));
            }
            load.writers(target, shape, &workspace);
            load.notified(target, &workspace);
        }
        load
    }

    fn user(&mut self, target: &Arc<Target>, shape: Shape, workspace: &str, user: &str) {
        let view = Arc::new(View::default());
        let caller = Caller::new(Arc::clone(target), workspace, user);
        let history = Arc::clone(&self.history);
        let lane = Lane::new(caller, user, shape, Arc::clone(&history), Arc::clone(&view));
        let stop = self.stop.clone();
        self.tasks.spawn(lane.run(stop));
        let reader = Caller::new(Arc::clone(target), workspace, "reader");
        self.tasks
            .spawn(read(reader, view, history, self.stop.clone()));
    }

    fn writers(&mut self, target: &Arc<Target>, shape: Shape, workspace: &str) {
        let (target, history) = (Arc::clone(target), Arc::clone(&self.history));
        let (workspace, stop) = (workspace.to_owned(), self.stop.clone());
        self.tasks.spawn(async move {
            shared::write_together(&target, &workspace, shape, &history, &stop).await;
        });
    }

    fn notified(&mut self, target: &Arc<Target>, workspace: &str) {
        let caller = Caller::new(Arc::clone(target), workspace, "user0");
        let (history, stop) = (Arc::clone(&self.history), self.stop.clone());
        self.tasks.spawn(async move {
            while !stop.is_cancelled() {
                let path = "/api/v1/notifications?limit=100";
                let _: Option<List<NotificationJson>> = caller.get(path, &history).await;
                sleep(Duration::from_millis(250)).await;
            }
        });
    }

    /// Waits until `count` more commands have been acknowledged, at most as long as `patience`.
    pub async fn progress(&self, count: usize, patience: Duration) -> anyhow::Result<()> {
        let wanted = self.history.len() + count;
        crate::servers::until("acknowledged commands", patience, async || {
            self.history.len() >= wanted
        })
        .await
    }

    /// Lets every user end what it is at; answers what was acknowledged.
    pub async fn stop(mut self) -> Arc<History> {
        self.stop.cancel();
        // Each has a limit for its last command, and tells what it did not get.
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                self.history
                    .anomaly(format!("the load itself failed: {error}"));
            }
        }
        self.history
    }
}

fn documents(page: &ContactsJson) -> impl Iterator<Item = &str> {
    page.data.iter().map(|contact| contact.document.as_str())
}

/// Pause of a reader.
const LOOK: Duration = Duration::from_millis(150);

/// Contacts of a numbered page that a reader looks at.
const PER_PAGE: u64 = 50;

/// How a numbered page contradicts itself: it shows more or fewer than its total says.
fn contradiction(page: &ContactsJson, number: u64) -> Option<String> {
    let (total, shown) = (page.total?, page.data.len() as u64);
    let due = total.saturating_sub((number - 1) * PER_PAGE).min(PER_PAGE);
    (shown != due).then(|| format!("{shown} contacts on page {number} of a total of {total}"))
}

/// Looks at an audience again and again: its count, its first page, and its last one by number.
async fn read(caller: Caller, view: Arc<View>, history: Arc<History>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        sleep(LOOK).await;
        let before = view.get();
        if before.audience.is_empty() {
            continue;
        }
        let path = format!("/api/v1/audiences/{}", before.audience);
        if let Some(seen) = caller.get::<AudienceJson>(&path, &history).await
            && let Some(counts) = before.counts
            && view.get() == before
        {
            let seen = u64::try_from(seen.contacts).unwrap_or(u64::MAX);
            if !counts.contains(&seen) {
                history.anomaly(format!("{path} counts {seen}, allowed are {counts:?}"));
            }
            let last = seen / PER_PAGE + 1;
            let numbered = format!("{path}/contacts?page={last}&per_page={PER_PAGE}");
            let page: Option<ContactsJson> = caller.get(&numbered, &history).await;
            if let Some(what) = page.and_then(|page| contradiction(&page, last)) {
                history.anomaly(format!("{path}: {what}"));
            }
        }
        let first = format!("{path}/contacts?limit=500");
        if let Some(page) = caller.get::<ContactsJson>(&first, &history).await {
            let own = format!("{}-", caller.workspace);
            if let Some(foreign) = documents(&page).find(|d| !d.to_lowercase().starts_with(&own)) {
                history.anomaly(format!("{path} shows {foreign}"));
            }
            if !documents(&page).is_sorted_by(|a, b| a < b) {
                history.anomaly(format!(
                    "{path}: a page out of order, or with a document twice"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    fn page(rows: usize, total: u64) -> ContactsJson {
        let row = json!({
            "contact_id": "c", "document": "D", "document_kind": "other", "document_valid": true,
            "phone_valid": false, "email_valid": false, "attributes": {}, "raw": { "document": "D" },
            "updated_at": "2026-01-01T00:00:00.000Z",
        });
        let page = json!({ "data": vec![row; rows], "next_cursor": null, "total": total });
        ContactsJson::deserialize(page).unwrap()
    }

    #[test]
    fn pages_that_contradict_their_total_are_found() {
        for (rows, total, number, is_found) in [
            (50, 120, 1, false),
            (20, 120, 3, false),
            (0, 100, 3, false),
            (21, 120, 3, true),
            (20, 121, 3, true),
            (49, 120, 2, true),
        ] {
            let found = contradiction(&page(rows, total), number);
            assert_eq!(found.is_some(), is_found, "{rows} of {total} on {number}");
        }
    }
}
