//! The tickets whose messages are due.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use domain::importing::ExternalId;
use kernel::AppError;
use ports::importing::{DueTicket, ListKey, StoredWalk};

use crate::run::work::context::ImportRun;

/// Due tickets looked up at a time.
const LOOK: i64 = 500;

/// Tickets whose messages are due, in order of their ids.
pub struct DueTickets {
    run: Arc<ImportRun>,
    /// Those of which an earlier worker has stored pages.
    begun: HashSet<ExternalId>,
    after: Option<ExternalId>,
    ready: VecDeque<DueTicket>,
    over: bool,
}

impl DueTickets {
    /// Those of a run.
    pub async fn of(run: &Arc<ImportRun>) -> Result<Self, AppError> {
        let mut unit = run.store.begin_import().await?;
        let begun = unit.runs().message_walks(run.lease.operation).await?;
        Ok(Self {
            run: Arc::clone(run),
            begun: begun.into_iter().collect(),
            after: None,
            ready: VecDeque::new(),
            over: false,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Result<Option<DueTicket>, AppError> {
        if self.ready.is_empty() && !self.over {
            let (client, after) = (self.run.client.id, self.after.as_ref());
            let mut unit = self.run.store.begin_import().await?;
            let due = unit.rows().due_tickets(client, after, LOOK).await?;
            self.over = due.is_empty();
            self.ready = due.into();
        }
        let next = self.ready.pop_front();
        if let Some(ticket) = &next {
            self.after = Some(ticket.id.clone());
        }
        Ok(next)
    }

    /// The walk over the messages of a ticket, where an earlier worker began it.
    pub async fn walk_of(&self, ticket: &DueTicket) -> Result<Option<StoredWalk>, AppError> {
        if !self.begun.contains(&ticket.id) {
            return Ok(None);
        }
        let list = ListKey::Messages(ticket.id.clone());
        self.run.stored_walk(&list).await
    }
}
