//! Contacts: writing under the audience's lock, reading by cursor and by page, looking up, removing.

mod answers;
mod batch;
mod classify;
mod counted;
mod cut;
mod index;
mod lane;
mod page_index;
mod pending;
mod queue;
mod read;
mod recount;
mod remove;
mod repair;
mod slot;
#[cfg(test)]
mod slot_tests;
mod write;
mod writer;

pub(crate) use classify::Marks;
pub use classify::{RowClass, WriteCounts};
pub(crate) use counted::{Cuts, Surveyed};
pub use page_index::PageIndexes;
pub(crate) use pending::CONTENT_GONE;
pub use pending::{Orders, Row, WriteRequest, WriteResult};
pub use read::{ContactCursor, ContactView, CursorPage, Lookup, NumberedPage, RemovedBy};
pub(crate) use write::Parsed;
pub use write::{AddContacts, ContactsAdded, MAX_ITEMS, Rejection, item_pointer};
pub(crate) use writer::Held;
pub use writer::Writer;

use ports::{contacts::View, store::Content};

/// What readers of a content see now.
pub(crate) fn view_of(content: &Content) -> View {
    View {
        removals: content.active.clone(),
    }
}
