//! Storing the members that a refresh resolves.

use std::sync::Arc;

use domain::{
    audience::Audience,
    contact::Document,
    operation::{Progress, Report},
    shared::WriteNo,
};
use operations::{Job, Run};
use ports::{
    contacts::{ContactRecord, MAX_BATCH, Order, Priority},
    crash,
    segments::Member,
    store::Content,
};

use super::{
    contact::{Registered, account},
    members::{Journal, Known, Resolved},
    run::{RefreshCheckpoint, RunRefresh, count, filled, version},
};
use crate::AppResult;

/// Members that are stored next.
struct Ready {
    members: Vec<Member>,
    registered: Registered,
}

impl RunRefresh {
    /// Stores all members in the new content, from where an earlier run of it came to.
    pub(super) async fn fill(
        &self,
        run: &mut Run,
        audience: &Audience,
        content: &Content,
        at: &mut RefreshCheckpoint,
    ) -> AppResult<()> {
        let now = at.now.unwrap_or_else(|| self.clock.now());
        let mut resolved = self.resolved(audience, now).await?;
        resolved.after = at.after.clone();
        let settings = self.queries.workspace_settings(&audience.workspace).await?;
        let (store, publishes) = (Arc::clone(&self.store), settings.member_events);
        let journal = Journal::new(store, at.request, publishes);
        let (contacts, after) = (Arc::clone(&self.contacts), at.after.as_deref());
        let mut known = Known::new(contacts, content, after, Some(journal));
        known.left = at.counted.left;
        let reached = at.after.clone();
        // The first ones may take as long as all of them.
        let mut next = tokio::select! {
            stop = run.signals.stopped() => return Err(stop.into()),
            first = self.ready(&mut resolved, reached.as_deref()) => first?,
        };
        while let Some(batch) = next {
            // While some are stored, the next ones are read.
            let (stored, read) = tokio::join!(
                self.store(run, &batch, &mut known, at),
                self.ready(&mut resolved, reached.as_deref()),
            );
            stored?;
            next = read?;
        }
        known.leave_rest().await?;
        at.counted.left = known.left;
        account(&mut at.counted, resolved.read());
        Ok(())
    }

    /// The next members after a key, with what is registered of them; none at the end.
    async fn ready(
        &self,
        resolved: &mut Resolved,
        reached: Option<&str>,
    ) -> AppResult<Option<Ready>> {
        loop {
            let mut members = resolved.next().await?;
            if members.is_empty() {
                return Ok(None);
            }
            members.retain(|member| reached.is_none_or(|reached| member.key.as_str() > reached));
            if !members.is_empty() {
                let workspace = &resolved.query.workspace;
                let registered = Registered::of(&*self.queries, workspace, &members).await?;
                return Ok(Some(Ready {
                    members,
                    registered,
                }));
            }
        }
    }

    async fn store(
        &self,
        run: &mut Run,
        ready: &Ready,
        known: &mut Known,
        at: &mut RefreshCheckpoint,
    ) -> AppResult<()> {
        for part in ready.members.chunks(MAX_BATCH) {
            self.store_part(run, part, &ready.registered, known, at)
                .await?;
            crash::point("refresh.batch_stored");
            let progress = Progress {
                done: at.counted.size,
                total: run.operation.progress.total,
            };
            Self::save(run, progress, Some(Report::Refresh(at.counted)), at).await?;
        }
        Ok(())
    }

    async fn store_part(
        &self,
        run: &Run,
        part: &[Member],
        registered: &Registered,
        known: &mut Known,
        at: &mut RefreshCheckpoint,
    ) -> AppResult<()> {
        let mut rows = Vec::with_capacity(part.len());
        for member in part {
            let before = known.order_of(&member.key).await?;
            let Some(body) = registered.body(member) else {
                // Erased since it was resolved.
                if let Some(order) = before {
                    known.depart(&member.key, order).await?;
                }
                continue;
            };
            count(&mut at.counted, member, before);
            if before.is_none() {
                known.enters(&member.key);
            }
            let entered = before.map_or(at.request, Order::request);
            rows.push(ContactRecord {
                document: Document::from_stored(member.key.clone()),
                order: Order::new(entered, version(member)),
                body,
            });
        }
        known.write().await?;
        at.counted.left = known.left;
        at.after = part.last().map(|last| last.key.clone());
        if rows.is_empty() {
            return Ok(());
        }
        let write = WriteNo(self.ids.next());
        let key = filled(known.audience(), at);
        let workspace = &run.operation.workspace;
        let stored = self
            .contacts
            .upsert(key, workspace, write, rows, Priority::Bulk);
        Ok(stored.await.map(drop)?)
    }
}
