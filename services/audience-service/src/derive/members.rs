//! The members of several audiences side by side, in the order of their keys.

use std::{collections::VecDeque, sync::Arc};

use domain::{
    audience::Recipe,
    contact::{ContactBody, Document},
    shared::{AudienceId, Epoch, RemovalNo},
};
use ports::contacts::{ContactStore, ContentKey, View};
use serde::{Deserialize, Serialize};

use crate::AppResult;

/// Fewest contacts that are read of an audience in one go.
const LEAST: usize = 200;

/// What is read of an audience: the same for as long as an operation runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pinned {
    pub audience: i64,
    pub epoch: i64,
    pub removals: Vec<RemovalNo>,
}

impl Pinned {
    pub const fn key(&self) -> ContentKey {
        ContentKey {
            audience: AudienceId::from_raw(self.audience),
            epoch: Epoch(self.epoch),
        }
    }

    pub fn view(&self) -> View {
        View {
            removals: self.removals.clone(),
        }
    }
}

/// Somebody who is in one of the audiences.
pub(super) struct Person {
    pub document: Document,
    /// The values of the first audience that has them.
    pub body: Option<ContactBody>,
    /// In which of the audiences.
    pub is_in: Vec<bool>,
}

/// The members of one audience that are still to come.
struct Head {
    key: ContentKey,
    view: View,
    /// Whether values are wanted.
    bodies: bool,
    read: VecDeque<(Document, Option<ContactBody>)>,
    after: Option<Document>,
    ended: bool,
}

impl Head {
    fn next(&self) -> Option<&Document> {
        self.read.front().map(|(document, _)| document)
    }

    fn is_at(&self, document: &Document) -> bool {
        self.next().is_some_and(|next| next == document)
    }
}

/// The members of all of them.
pub(super) struct Members {
    contacts: Arc<dyn ContactStore>,
    heads: Vec<Head>,
    /// Contacts that are read of an audience in one go.
    step: usize,
    /// Whether whoever is in any of them counts, or those of the first alone.
    of_any: bool,
    /// Contacts of those who count that were passed.
    pub passed: i64,
}

impl Members {
    /// Those after a key, as far as a recipe asks for them.
    pub fn new(
        contacts: Arc<dyn ContactStore>,
        sources: &[Pinned],
        recipe: &Recipe,
        after: Option<&str>,
        step: usize,
    ) -> Self {
        let of_any = *recipe == Recipe::Union;
        let head = |(index, source): (usize, &Pinned)| Head {
            key: source.key(),
            view: source.view(),
            bodies: of_any || index == 0,
            read: VecDeque::new(),
            after: after.map(|key| Document::from_stored(key.to_owned())),
            ended: false,
        };
        Self {
            contacts,
            heads: sources.iter().enumerate().map(head).collect(),
            step: (step / sources.len().max(1)).max(LEAST.min(step)),
            of_any,
            passed: 0,
        }
    }

    /// The next of them, at most so many; none at the end.
    pub async fn next(&mut self, most: usize) -> AppResult<Vec<Person>> {
        let mut people = Vec::new();
        while people.len() < most {
            for index in 0..self.heads.len() {
                self.fill(index).await?;
            }
            let Some(document) = self.first().cloned() else {
                break;
            };
            for index in 1..self.heads.len() {
                self.pass(index, &document).await?;
            }
            people.push(self.take(document));
        }
        Ok(people)
    }

    /// The first key of those who count.
    fn first(&self) -> Option<&Document> {
        match self.of_any {
            true => self
                .heads
                .iter()
                .filter_map(Head::next)
                .min_by_key(|document| document.as_str()),
            false => self.heads.first()?.next(),
        }
    }

    /// The person of this key, wherever the person is.
    fn take(&mut self, document: Document) -> Person {
        let mut body = None;
        let mut is_in = Vec::with_capacity(self.heads.len());
        for (index, head) in self.heads.iter_mut().enumerate() {
            let here = head.is_at(&document);
            is_in.push(here);
            if !here {
                continue;
            }
            if let Some((_, found)) = head.read.pop_front() {
                body = body.or(found);
            }
            self.passed += i64::from(self.of_any || index == 0);
        }
        Person {
            document,
            body,
            is_in,
        }
    }

    /// Passes over those of an audience whose keys lie before this one.
    async fn pass(&mut self, index: usize, until: &Document) -> AppResult<()> {
        loop {
            let Some(head) = self.heads.get_mut(index) else {
                return Ok(());
            };
            let before = |next: &Document| next.as_str() < until.as_str();
            if !head.next().is_some_and(before) {
                return Ok(());
            }
            head.read.pop_front();
            self.fill(index).await?;
        }
    }

    /// Reads on where nothing is left of what was read.
    async fn fill(&mut self, index: usize) -> AppResult<()> {
        let (step, contacts) = (self.step, &self.contacts);
        let Some(head) = self.heads.get_mut(index) else {
            return Ok(());
        };
        if !head.read.is_empty() || head.ended {
            return Ok(());
        }
        let after = head.after.as_ref();
        head.read = match head.bodies {
            true => {
                let found = contacts.scan(head.key, &head.view, after, step).await?;
                let row = found.into_iter().map(|c| (c.document, Some(c.body)));
                row.collect()
            }
            false => {
                let found = contacts
                    .scan_keys(head.key, &head.view, after, step)
                    .await?;
                found.into_iter().map(|key| (key.document, None)).collect()
            }
        };
        head.ended = head.read.len() < step;
        head.after = head.read.back().map(|(document, _)| document.clone());
        Ok(())
    }
}
