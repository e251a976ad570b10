//! Members as they are resolved, beside members as they were.

use std::sync::Arc;

use domain::{
    contact::Document,
    segment::{Scope, SegmentQuery},
};
use ports::{
    contacts::{ContactStore, ContentKey, KeyOnly, View},
    segments::{Member, MemberStream, SegmentResolver},
};

use crate::{
    AppResult,
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

/// The keys of a content, one after the other.
pub(super) struct Known {
    pub contacts: Arc<dyn ContactStore>,
    pub key: ContentKey,
    pub view: View,
    pub read: std::collections::VecDeque<KeyOnly>,
    pub after: Option<Document>,
    pub ended: bool,
}

impl Known {
    pub fn new(contacts: Arc<dyn ContactStore>, key: ContentKey, view: View) -> Self {
        Self {
            contacts,
            key,
            view,
            read: std::collections::VecDeque::new(),
            after: None,
            ended: false,
        }
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

    /// Passes over the keys before this one, and answers how many they were and whether this is there.
    pub async fn pass(&mut self, until: Option<&str>) -> AppResult<(i64, Option<KeyOnly>)> {
        let mut left = 0;
        while let Some(next) = self.peek().await? {
            let next = next.document.as_str();
            if until.is_some_and(|until| next > until) {
                break;
            }
            let is_it = until == Some(next);
            let known = self.read.pop_front();
            if is_it {
                return Ok((left, known));
            }
            left += 1;
        }
        Ok((left, None))
    }
}
