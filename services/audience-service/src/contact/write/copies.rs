//! Filling an audience that one operation makes, and nobody else writes to.

use domain::{
    audience::Audience,
    contact::{ContactBody, Document},
};
use ports::contacts::Priority;

use super::{
    add::WriteContacts,
    pending::{Orders, Row, WriteRequest},
};
use crate::AppResult;

impl WriteContacts {
    /// Writes contacts, at most [`super::pending::MAX_ROWS`], and counts them to those that were `copied`
    /// before. Repeated from the same count, it changes nothing.
    pub(crate) async fn copies(
        &self,
        audience: &mut Audience,
        contacts: Vec<(Document, ContactBody)>,
        copied: &mut i64,
    ) -> AppResult<()> {
        let mut rows = Vec::with_capacity(contacts.len());
        for (document, body) in contacts {
            let row = u32::try_from(*copied).unwrap_or(u32::MAX);
            rows.push(Row {
                row,
                document,
                body,
            });
            *copied += 1;
        }
        if rows.is_empty() {
            return Ok(());
        }
        let request = WriteRequest {
            workspace: audience.workspace.clone(),
            rows,
            // The first request of a content that nobody else can write to.
            orders: Orders::Taken(0),
            only_absent: false,
            priority: Priority::Bulk,
        };
        self.current(audience, request).await.map(drop)
    }
}
