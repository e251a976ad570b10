//! Contacts: writing under the audience's lock, reading by cursor and by page, looking up, removing.

pub mod pages;
pub mod read;
mod view;
pub mod write;

pub(crate) use view::view_of;
pub(crate) use write::Marks;
