//! Lists with registered people: what describes one and whom it gets, in one change.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use domain::{
    audience::{Audience, AudienceChange, AudienceKind},
    contact::NewContact,
    customer::{Customer, CustomerId},
};
use ports::{Clock, store::AudienceQueries};

use crate::{
    Actor, AppError, AppResult,
    audience::{ChangeAudience, FindAudience},
    contact::write::WriteContacts,
};

/// Most customers that one change adds.
pub const MAX_CUSTOMERS: usize = 10_000;
/// Most customers that a refusal names.
const NAMED: usize = 10;

/// A customer as a request names it.
#[derive(Debug)]
pub struct CustomerName {
    /// As it was sent.
    pub text: String,
    /// The number that it is, if it can be one.
    pub id: Option<CustomerId>,
}

/// Changes a list and adds customers to it.
#[derive(Clone)]
pub struct EditList {
    pub(crate) find: FindAudience,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) change: ChangeAudience,
    pub(crate) write: WriteContacts,
}

impl EditList {
    /// Changes what describes a list, and adds customers; those who are in it already stay as they are. What
    /// is refused changes nothing.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `audience_dynamic`, `too_many_customers`, `customers_not_found`,
    /// `name_taken`; store errors.
    #[tracing::instrument(name = "group.edit", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        number: i64,
        change: AudienceChange,
        customers: Option<Vec<CustomerName>>,
    ) -> AppResult<Audience> {
        let list = self.find.of_number(actor, number).await?;
        let contacts = match customers {
            Some(customers) => self.contacts(actor, &list, &customers).await?,
            None => Vec::new(),
        };
        // The name may still be refused, which is known once it is stored.
        let changed = self.change.change(actor, list.id, None, change).await?;
        if contacts.is_empty() {
            return Ok(changed);
        }
        self.write.absent(changed, contacts).await?;
        self.find.visible(actor, list.id).await
    }

    /// The contacts that customers become, each once.
    async fn contacts(
        &self,
        actor: &Actor,
        list: &Audience,
        customers: &[CustomerName],
    ) -> AppResult<Vec<NewContact>> {
        if list.kind == AudienceKind::Dynamic {
            let detail = "The list is a segment; its members follow its conditions.";
            return Err(AppError::conflict("audience_dynamic", detail));
        }
        if customers.len() > MAX_CUSTOMERS {
            let detail = format!("At most {MAX_CUSTOMERS} contacts can be added at once.");
            return Err(AppError::conflict("too_many_customers", detail));
        }
        let ids: HashSet<CustomerId> = customers.iter().filter_map(|c| c.id).collect();
        let ids: Vec<CustomerId> = ids.into_iter().collect();
        let found = self.queries.customers_of(&actor.workspace, &ids).await?;
        let mut found: HashMap<CustomerId, Customer> =
            found.into_iter().map(|c| (c.id, c)).collect();
        let is_known = |name: &&CustomerName| name.id.is_some_and(|id| found.contains_key(&id));
        let mut unknown = Vec::new();
        for name in customers.iter().filter(|name| !is_known(name)) {
            if unknown.len() < NAMED && !unknown.contains(&name.text.as_str()) {
                unknown.push(name.text.as_str());
            }
        }
        if !unknown.is_empty() {
            let detail = format!("Contacts not found: {}.", unknown.join(", "));
            return Err(AppError::conflict("customers_not_found", detail));
        }
        let now = self.clock.now();
        // In the order that they were sent in, which is their order of acceptance.
        let named = customers.iter().filter_map(|name| name.id);
        let contact = |customer: Customer| {
            let mut contact = customer.contact();
            contact.body.updated_at = now;
            contact
        };
        Ok(named
            .filter_map(|id| found.remove(&id).map(contact))
            .collect())
    }
}
