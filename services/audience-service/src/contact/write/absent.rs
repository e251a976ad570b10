//! Adding contacts that are not there yet.

use domain::{
    audience::Audience,
    contact::{Document, NewContact},
};
use ports::contacts::ContentKey;

use super::{
    add::WriteContacts,
    pending::{Orders, Row},
};
use crate::{AppResult, contact::view_of};

impl WriteContacts {
    /// Adds those of these contacts whom readers do not see in the audience; the others stay as they are.
    pub(crate) async fn absent(
        &self,
        mut audience: Audience,
        contacts: Vec<NewContact>,
    ) -> AppResult<()> {
        let key = ContentKey {
            audience: audience.id,
            epoch: audience.epoch,
        };
        let documents = contacts.iter().map(|contact| contact.document.clone());
        let documents: Vec<Document> = documents.collect();
        // Without the lock: who adds nobody takes no place in the order of acceptance, and changes nothing.
        // Otherwise it is decided for each of them under the lock.
        if let Some(content) = self.queries.content(key).await? {
            let view = view_of(&content);
            let seen = self.writer.visible(key, &view, &documents).await?;
            if documents.iter().all(|document| seen.contains(document)) {
                return Ok(());
            }
        }
        let rows = (0..).zip(contacts).map(|(row, contact)| Row {
            row,
            document: contact.document,
            body: contact.body,
        });
        let orders = Orders::Next { receipt: None };
        self.in_parts(&mut audience, rows.collect(), orders, true)
            .await?;
        Ok(())
    }
}
