//! Writing contacts: one writer at a time per content, many contents at once.

mod absent;
mod add;
mod answers;
mod batch;
mod changes;
mod classify;
mod copies;
mod lane;
mod pending;
mod queue;
mod recount;
mod remove;
mod repair;
mod writer;

pub(crate) use add::Parsed;
pub use add::{AddContacts, ContactItems, ContactsAdded, MAX_ITEMS, WriteContacts, item_pointer};
pub(crate) use changes::Changes;
pub(crate) use classify::Marks;
pub use classify::{RowClass, WriteCounts};
pub(crate) use pending::CONTENT_GONE;
pub use pending::{Orders, Row, WriteRequest, WriteResult};
pub use remove::RemoveContact;
pub use repair::Repair;
pub(crate) use writer::Held;
pub use writer::Writer;
