//! Sorted sets of documents, read in step with a walk in the same order.

use std::sync::Arc;

use domain::contact::Document;
use ports::{
    StoreError,
    contacts::{ContactStore, ContentKey, View},
    files::{FileError, SortedRecords, Spool},
};

/// Keys of another audience read at a time.
const KEYS: usize = 5_000;
/// Memory for documents being sorted.
pub(crate) const SORT_BYTES: usize = 16 << 20;

/// A sorted file of documents; asked in ascending order, each answer is one step.
pub(crate) struct FileSet {
    sorted: Box<dyn SortedRecords>,
    head: Option<Vec<u8>>,
    begun: bool,
}

impl FileSet {
    pub fn open(spool: &dyn Spool, name: &str) -> Result<Self, FileError> {
        Ok(Self {
            sorted: spool.open(name, 0)?,
            head: None,
            begun: false,
        })
    }

    /// Whether the set holds the document. Documents must be asked for in ascending order.
    pub fn contains(&mut self, document: &Document) -> Result<bool, FileError> {
        let wanted = document.as_str().as_bytes();
        while !self.begun || self.head.as_deref().is_some_and(|head| head < wanted) {
            self.begun = true;
            let next = self.sorted.next()?;
            match (next, &mut self.head) {
                (Some((key, _)), Some(head)) => {
                    head.clear();
                    head.extend_from_slice(key);
                }
                (Some((key, _)), head @ None) => *head = Some(key.to_vec()),
                (None, head) => {
                    *head = None;
                    return Ok(false);
                }
            }
        }
        Ok(self.head.as_deref() == Some(wanted))
    }
}

/// Members of another audience, as they were when the recycling began to read them.
pub(crate) struct MemberSet {
    contacts: Arc<dyn ContactStore>,
    key: ContentKey,
    view: View,
    buffer: std::collections::VecDeque<Document>,
    last: Option<Document>,
    ended: bool,
}

impl MemberSet {
    pub fn new(contacts: Arc<dyn ContactStore>, key: ContentKey, view: View) -> Self {
        Self {
            contacts,
            key,
            view,
            buffer: Default::default(),
            last: None,
            ended: false,
        }
    }

    /// Begins after this document instead of at the first.
    pub fn begin_after(&mut self, after: Option<&Document>) {
        self.last = after.cloned();
    }

    /// Whether the document is a member. Documents must be asked for in ascending order.
    pub async fn contains(&mut self, document: &Document) -> Result<bool, StoreError> {
        loop {
            while self.buffer.front().is_some_and(|head| head < document) {
                self.buffer.pop_front();
            }
            if let Some(head) = self.buffer.front() {
                return Ok(head == document);
            }
            if self.ended || self.last.as_ref().is_some_and(|last| last >= document) {
                return Ok(false);
            }
            let after = self.last.as_ref();
            let keys = self
                .contacts
                .scan_keys(self.key, &self.view, after, KEYS)
                .await?;
            self.ended = keys.len() < KEYS;
            self.last = keys
                .last()
                .map(|k| k.document.clone())
                .or_else(|| self.last.take());
            self.buffer.extend(keys.into_iter().map(|k| k.document));
        }
    }
}
