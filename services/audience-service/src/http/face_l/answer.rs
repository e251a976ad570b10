//! Answers of face L to commands.

use domain::{audience::Audience, shared::OperationId};
use http_kit::timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use domain::shared::Rejection;

use crate::contact::write::{ContactsAdded, WriteCounts};

/// Answer to a write of contacts: `received = inserted + updated + unchanged + rejected`.
#[derive(Serialize, ToSchema)]
#[schema(as = ListWritten)]
pub struct Written {
    /// The list, a decimal.
    id: String,
    /// The same.
    snowflake_id: String,
    /// Its name.
    name: String,
    /// Contacts in it now.
    contacts: i64,
    /// Items received.
    received: usize,
    /// Items that made a contact.
    inserted: i64,
    /// Items that replaced a contact, earlier ones of the same request included.
    updated: i64,
    /// Items that changed nothing.
    unchanged: i64,
    /// Items refused.
    rejected: usize,
    /// Why, item by item.
    errors: Vec<ItemError>,
}

/// Why an item was refused.
#[derive(Serialize, ToSchema)]
#[schema(as = ListItemError)]
pub struct ItemError {
    /// Its index in the request.
    index: usize,
    /// The member at fault, `""` for the item.
    field: String,
    /// Stable code.
    code: &'static str,
    /// For a person.
    detail: String,
}

impl From<ContactsAdded> for Written {
    fn from(added: ContactsAdded) -> Self {
        let id = added.audience.id.decimal();
        let WriteCounts {
            inserted,
            updated,
            unchanged,
        } = added.counts;
        let rejected = added.rejected.len();
        let error = |r: Rejection| ItemError {
            index: r.index,
            field: r.error.field,
            code: r.error.code,
            detail: r.error.detail,
        };
        Self {
            snowflake_id: id.clone(),
            id,
            name: added.audience.name.as_str().to_owned(),
            contacts: added.audience.contacts,
            received: added.received,
            inserted,
            updated,
            unchanged,
            rejected,
            errors: added.rejected.into_iter().map(error).collect(),
        }
    }
}

/// Answer to the other commands.
#[derive(Serialize, ToSchema)]
#[schema(as = ListChanged)]
pub struct Changed {
    /// The list, a decimal.
    id: String,
    /// The same.
    snowflake_id: String,
    /// Contacts in it now.
    contacts: i64,
    /// When it was deleted, if it is.
    deleted_at: Option<String>,
    /// After emptying: the operation by which it can be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<String>,
}

impl Changed {
    /// The audience, and the operation that emptied it.
    pub fn new(audience: &Audience, operation: Option<OperationId>) -> Self {
        let id = audience.id.decimal();
        Self {
            snowflake_id: id.clone(),
            id,
            contacts: audience.contacts,
            deleted_at: audience.deleted_at.map(timestamp),
            operation_id: operation.map(|o| o.to_string()),
        }
    }
}
