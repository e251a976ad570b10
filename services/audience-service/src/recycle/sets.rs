//! Sorted sets of documents, read in step with a walk in the same order.

use std::sync::Arc;

use domain::{
    contact::Document,
    operation::Operation,
    shared::{OperationId, UploadId},
};
use futures::TryStreamExt;
use ports::{
    StoreError,
    contacts::{ContactStore, ContentKey, View},
    files::{BlobStore, FileError, SortedRecords, Sorter, Spool},
};

use super::{DUPLICATES, KEEP, REMOVE, RecycleParams, set_name};
use crate::{
    Actor, AppResult,
    upload::{Exclusion, Exclusions},
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

/// Where a set of documents comes from.
#[derive(Debug, Default)]
pub struct SetSource {
    /// Documents in the request.
    pub documents: Vec<Document>,
    /// An uploaded file whose document column is the set.
    pub upload: Option<UploadId>,
}

impl SetSource {
    pub(super) fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.upload.is_none()
    }
}

/// The sorted sets of documents that operations work from.
#[derive(Clone)]
pub struct DocumentSets {
    pub(crate) spool: Arc<dyn Spool>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) exclusions: Exclusions,
}

impl DocumentSets {
    /// Writes the sorted sets that the request names. Answers what was found in a file.
    pub(super) async fn write(
        &self,
        actor: &Actor,
        sets: OperationId,
        remove: &SetSource,
        keep: &[Document],
    ) -> AppResult<Option<(i64, Exclusion)>> {
        let mut file = None;
        if !remove.is_empty() {
            file = self.write_removed(actor, sets, remove).await?;
        }
        if !keep.is_empty() {
            self.sorted(sets, KEEP, keep)?.finish()?;
        }
        Ok(file)
    }

    /// Keeps what the sets were made of: scratch files are of one machine, and a worker on another one
    /// writes them again.
    pub(super) async fn keep(
        &self,
        sets: OperationId,
        remove: &SetSource,
        keep: &[Document],
    ) -> AppResult<()> {
        for (which, documents) in [(REMOVE, remove.documents.as_slice()), (KEEP, keep)] {
            if documents.is_empty() {
                continue;
            }
            let mut writer = self.blobs.create(&set_name(sets, which)).await?;
            for document in documents {
                writer.write(document.as_str().as_bytes()).await?;
                writer.write(b"\n").await?;
            }
            writer.finish().await?;
        }
        Ok(())
    }

    /// Writes again what is missing of the sets of an operation.
    pub(super) async fn ensure(
        &self,
        operation: &Operation,
        params: &RecycleParams,
    ) -> AppResult<()> {
        let sets = operation.id;
        if params.rules.documents && !self.spool.exists(&set_name(sets, REMOVE))? {
            let upload = params.file.as_ref().map(|(upload, _)| *upload);
            let remove = SetSource {
                documents: self.kept(sets, REMOVE).await?,
                upload: upload.map(UploadId::from_raw),
            };
            let actor = Actor {
                workspace: operation.workspace.clone(),
                user: operation.created_by.clone(),
            };
            self.write_removed(&actor, sets, &remove).await?;
        }
        if params.keep.documents && !self.spool.exists(&set_name(sets, KEEP))? {
            let keep = self.kept(sets, KEEP).await?;
            self.sorted(sets, KEEP, &keep)?.finish()?;
        }
        Ok(())
    }

    /// The documents of a request; none where it named a file alone.
    async fn kept(&self, sets: OperationId, which: &str) -> AppResult<Vec<Document>> {
        let lines = match self.blobs.stream(&set_name(sets, which), 0).await {
            Ok(stream) => stream.try_concat().await?,
            Err(FileError::NotFound) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let text = String::from_utf8(lines);
        let text = text.map_err(|_| FileError::Damaged("a set of documents"))?;
        let documents = text.lines().map(str::to_owned).map(Document::from_stored);
        Ok(documents.collect())
    }

    async fn write_removed(
        &self,
        actor: &Actor,
        sets: OperationId,
        remove: &SetSource,
    ) -> AppResult<Option<(i64, Exclusion)>> {
        let mut sorter = self.sorted(sets, REMOVE, &remove.documents)?;
        let mut file = None;
        if let Some(upload) = remove.upload {
            let (filled, found) = self.exclusions.push(actor, upload, sorter).await?;
            sorter = filled;
            file = Some((upload.raw(), found));
        }
        sorter.finish()?;
        Ok(file)
    }

    fn sorted(
        &self,
        sets: OperationId,
        which: &str,
        documents: &[Document],
    ) -> AppResult<Box<dyn Sorter>> {
        let mut sorter = self.spool.sorter(&set_name(sets, which), SORT_BYTES)?;
        for document in documents {
            sorter.push(document.as_str().as_bytes(), &[])?;
        }
        Ok(sorter)
    }

    /// Deletes the sets and what they were made of.
    pub(super) async fn remove(&self, sets: OperationId) -> AppResult<()> {
        for which in [REMOVE, KEEP, DUPLICATES] {
            let name = set_name(sets, which);
            self.spool.remove(&name)?;
            self.blobs.remove(&name).await?;
        }
        Ok(())
    }
}
