//! Members as they are resolved, beside members as they were.

use std::{cmp::Ordering, collections::VecDeque, sync::Arc};

use domain::{
    audience::Departure,
    contact::Document,
    segment::{Scope, SegmentQuery},
    shared::AudienceId,
};
use ports::{
    contacts::{ContactStore, ContentKey, KeyOnly, Order, View},
    segments::{Member, MemberStream, ReadMembers, SegmentResolver},
    store::{AudienceStore, Content, Durability},
};

use crate::{
    AppResult,
    contact::view_of,
    segment::{
        conditions::{Named, ReadConditions},
        unresolved,
    },
};

/// Customers of one statement where lists of contacts take part.
const STEP: usize = 20_000;
/// Keys that are read of the old content in one go.
const KEYS: usize = 10_000;

/// Members in the order of their keys, each key once.
pub(super) struct Resolved {
    pub resolver: Arc<dyn SegmentResolver>,
    pub read: ReadConditions,
    pub named: Named,
    pub query: SegmentQuery,
    pub walk: Option<Box<dyn MemberStream>>,
    pub after: Option<String>,
    pub last: Option<String>,
    pub ended: bool,
}

impl Resolved {
    /// The next members; none at the end.
    pub async fn next(&mut self) -> AppResult<Vec<Member>> {
        while !self.ended {
            let mut batch = match self.named.lists.is_empty() {
                true => self.of_stream().await?,
                false => self.of_range().await?,
            };
            // People who share a document are one contact: the one who was registered first.
            batch.retain(|member| {
                let repeats = self.last.as_ref() == Some(&member.key);
                self.last = Some(member.key.clone());
                !repeats
            });
            if !batch.is_empty() {
                return Ok(batch);
            }
        }
        Ok(Vec::new())
    }

    /// What reading them came to so far.
    pub fn read(&self) -> ReadMembers {
        self.walk
            .as_ref()
            .map(|walk| walk.read())
            .unwrap_or_default()
    }

    async fn of_stream(&mut self) -> AppResult<Vec<Member>> {
        let walk = match &mut self.walk {
            Some(walk) => walk,
            None => {
                let begun = self.resolver.stream(self.query.clone()).await;
                self.walk.insert(begun.map_err(unresolved)?)
            }
        };
        let batch = walk.next().await.map_err(unresolved)?;
        self.ended = batch.is_empty();
        Ok(batch)
    }

    /// Those of a range of keys, beside the keys that the lists have in it.
    async fn of_range(&mut self) -> AppResult<Vec<Member>> {
        let after = self.after.as_deref();
        let workspace = &self.query.workspace;
        let keys = self.resolver.keys(workspace, after, STEP).await;
        let keys = keys.map_err(unresolved)?;
        let Some(until) = keys.last().cloned() else {
            self.ended = true;
            return Ok(Vec::new());
        };
        let named = &self.named;
        self.query.references = self.read.with_keys(named, after, &keys).await?;
        self.query.scope = Scope::Keys {
            after: self.after.replace(until.clone()),
            until: Some(until),
        };
        let found = self.resolver.members(&self.query, usize::MAX).await;
        found.map_err(unresolved)
    }
}

/// How many of those who enter or leave are looked at one by one.
pub(super) const SHOWN: usize = 1_000;

/// The members that readers see, beside those that are resolved, both in the order of keys.
pub(super) struct Known {
    contacts: Arc<dyn ContactStore>,
    key: ContentKey,
    view: View,
    read: VecDeque<KeyOnly>,
    after: Option<Document>,
    ended: bool,
    /// How many of them are members no more.
    pub left: i64,
    /// The first of these.
    pub gone: Vec<String>,
    journal: Option<Journal>,
}

/// Notes who has left, to count once readers see the refresh; and who enters, where events are published of it.
pub(super) struct Journal {
    pub store: Arc<dyn AudienceStore>,
    /// The refresh by which they leave and enter.
    pub request: i64,
    /// Whether events are published of who enters and leaves.
    pub publishes: bool,
    left: Vec<Departure>,
    entered: Vec<String>,
}

impl Journal {
    pub const fn new(store: Arc<dyn AudienceStore>, request: i64, publishes: bool) -> Self {
        Self {
            store,
            request,
            publishes,
            left: Vec::new(),
            entered: Vec::new(),
        }
    }

    async fn write(&mut self, audience: AudienceId) -> AppResult<()> {
        if self.left.is_empty() && self.entered.is_empty() {
            return Ok(());
        }
        let mut uow = self.store.begin(Durability::Derived).await?;
        let mut memberships = uow.memberships();
        memberships.depart(audience, &self.left).await?;
        if self.publishes {
            let left = self.left.iter().map(|departure| departure.key.as_str());
            let keys = left.chain(self.entered.iter().map(String::as_str));
            let keys: Vec<&str> = keys.collect();
            memberships
                .queue_changes(audience, self.request, &keys)
                .await?;
        }
        drop(memberships);
        uow.commit().await?;
        self.left.clear();
        self.entered.clear();
        Ok(())
    }
}

impl Known {
    /// Those of a content, after a key. Who has left is written down, or only counted.
    pub fn new(
        contacts: Arc<dyn ContactStore>,
        content: &Content,
        after: Option<&str>,
        journal: Option<Journal>,
    ) -> Self {
        Self {
            contacts,
            key: content.key,
            view: view_of(content),
            read: VecDeque::new(),
            after: after.map(|key| Document::from_stored(key.to_owned())),
            ended: false,
            left: 0,
            gone: Vec::new(),
            journal,
        }
    }

    /// The audience.
    pub const fn audience(&self) -> AudienceId {
        self.key.audience
    }

    /// The next key, which stays the next one.
    async fn peek(&mut self) -> AppResult<Option<&KeyOnly>> {
        if self.read.is_empty() && !self.ended {
            let after = self.after.as_ref();
            let found = self
                .contacts
                .scan_keys(self.key, &self.view, after, KEYS)
                .await?;
            self.ended = found.len() < KEYS;
            self.after = found.last().map(|last| last.document.clone());
            self.read = found.into();
        }
        Ok(self.read.front())
    }

    /// The order of a member, if it is one of these. Those before it have left.
    pub async fn order_of(&mut self, member: &str) -> AppResult<Option<Order>> {
        while let Some(next) = self.peek().await? {
            match next.document.as_str().cmp(member) {
                Ordering::Greater => break,
                Ordering::Equal => return Ok(self.read.pop_front().map(|known| known.order)),
                Ordering::Less => self.leave().await?,
            }
        }
        Ok(None)
    }

    /// Those that are behind every member have left.
    pub async fn leave_rest(&mut self) -> AppResult<()> {
        while self.peek().await?.is_some() {
            self.leave().await?;
        }
        self.write().await
    }

    /// Stores who has left so far.
    pub async fn write(&mut self) -> AppResult<()> {
        match &mut self.journal {
            Some(journal) => journal.write(self.key.audience).await,
            None => Ok(()),
        }
    }

    /// Notes somebody who enters, where events are published of it.
    pub fn enters(&mut self, key: &str) {
        if let Some(journal) = self.journal.as_mut().filter(|journal| journal.publishes) {
            journal.entered.push(key.to_owned());
        }
    }

    async fn leave(&mut self) -> AppResult<()> {
        let Some(known) = self.read.pop_front() else {
            return Ok(());
        };
        self.depart(known.document.as_str(), known.order).await
    }

    /// Counts somebody as having left.
    pub async fn depart(&mut self, key: &str, order: Order) -> AppResult<()> {
        self.left += 1;
        if self.gone.len() < SHOWN {
            self.gone.push(key.to_owned());
        }
        if let Some(journal) = &mut self.journal {
            journal.left.push(Departure {
                key: key.to_owned(),
                entered: order.request(),
                left: journal.request,
            });
            if journal.left.len() >= KEYS {
                journal.write(self.key.audience).await?;
            }
        }
        Ok(())
    }
}
