//! Customers: the registered people of a workspace, what is known of them, whether they may be
//! addressed, and what they did.
//!
//! Two sides write a customer. The API writes what it names; an import writes name, phone, e-mail and
//! its own tags, and nothing else: documents, attributes, the API's tags and consent are not its to
//! change.

mod address;
mod amount;
mod consent;
mod contact;
mod event;
mod identity;
mod item;
mod patch;
mod person;
mod sync;
mod zone;

pub use address::Address;
pub use amount::{Amount, AmountError};
pub use consent::{Channel, Consent, ConsentStatus, Consents, parse_consent};
pub use event::{CustomerEvent, EventName, MAX_EARLY, MAX_PROPERTIES_BYTES, NewEvent, parse_event};
pub use identity::{ClientRef, CustomerId, CustomerKey, Identity};
pub use item::{CustomerItem, parse_customer, parse_customer_patch};
pub use patch::{Change, CustomerPatch};
pub use person::{Customer, ImportedTag, MAX_IMPORTED_TAGS};
pub use sync::{Synced, SyncedPerson};
pub use zone::zone_of_phone;

#[cfg(test)]
mod tests;
