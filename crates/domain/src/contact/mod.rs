//! Contacts: the document that identifies a person, the values kept about them, and how items of
//! a request and rows of a file become both.

mod attributes;
mod body;
mod document;
mod email;
mod item;
mod mapping;
mod phone;
mod synonyms;

pub(crate) use attributes::tidy_attributes;
pub use body::{ContactBody, RawValues};
pub use document::{Document, DocumentError, DocumentKind};
pub use email::{Email, normalise_email};
pub use item::{
    ItemRules, MAX_ATTRIBUTES, MAX_TEXT_BYTES, NewContact, document_no_string, parse_document,
    parse_item, parse_row,
};
pub(crate) use item::{check_attributes, check_text};
pub use mapping::{ColumnMapping, FieldTarget, LaterColumns};
pub use phone::{Phone, normalise_phone};

#[cfg(test)]
mod item_tests;
#[cfg(test)]
mod mapping_tests;
