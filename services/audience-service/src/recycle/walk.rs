//! Walking the visible contacts of an audience in the order of their documents.

use std::sync::Arc;

use domain::{
    contact::{ContactBody, Document},
    shared::WorkspaceId,
};
use ports::{
    contacts::{ContactRecord, ContactStore, ContentKey, KeyOnly, Order, View},
    files::Spool,
    store::AudienceQueries,
};

use crate::AppResult;

/// Where a walk reads.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub workspace: WorkspaceId,
    pub key: ContentKey,
    pub view: View,
}

/// A contact to be judged. The body is there when the rules need it.
pub(crate) struct Candidate {
    pub document: Document,
    pub order: Order,
    pub body: Option<ContactBody>,
}

/// What walks and the sets beside them are read from.
#[derive(Clone)]
pub struct Walk {
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) spool: Arc<dyn Spool>,
    /// Contacts of one step.
    pub(crate) step: usize,
}

impl Walk {
    /// The next contacts of a walk. Bodies are read only when `bodies` says so.
    pub(crate) async fn candidates(
        &self,
        source: &Source,
        after: Option<&Document>,
        bodies: bool,
    ) -> AppResult<Vec<Candidate>> {
        let (store, step) = (&self.contacts, self.step);
        if bodies {
            let rows = store.scan(source.key, &source.view, after, step).await?;
            let candidate = |c: ContactRecord| Candidate {
                document: c.document,
                order: c.order,
                body: Some(c.body),
            };
            return Ok(rows.into_iter().map(candidate).collect());
        }
        let rows = store
            .scan_keys(source.key, &source.view, after, step)
            .await?;
        let candidate = |k: KeyOnly| Candidate {
            document: k.document,
            order: k.order,
            body: None,
        };
        Ok(rows.into_iter().map(candidate).collect())
    }
}
