//! Keys as strings whose order is that of the fields in them.
//!
//! The server compares strings byte by byte, and documents are compared the same way everywhere else.

use domain::contact::Document;
use ports::{StoreError, contacts::ContentKey};

/// Digits in ascending order of their bytes.
const DIGITS: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
/// Digits of a number of 63 bits.
const WIDTH: usize = 11;
/// Length of the part that says which content.
const PREFIX: usize = 2 * WIDTH;
/// Between a document and a removal's number: sorts before whatever a longer document goes on with.
const SEPARATOR: char = '\0';
/// The first character that can follow where [`SEPARATOR`] cannot be.
const BEYOND: char = '\u{1}';

fn push_number(out: &mut String, number: i64) {
    // Ids, epochs and removal numbers are never negative.
    let number = number.max(0);
    for at in (0..WIDTH).rev() {
        let digit = (number >> (6 * at)) & 63;
        let digit = usize::try_from(digit).ok().and_then(|d| DIGITS.get(d));
        out.push(char::from(*digit.unwrap_or(&b'-')));
    }
}

/// The part of a key that says which content.
pub(crate) fn prefix(key: ContentKey) -> String {
    let mut out = String::with_capacity(PREFIX + 16);
    push_number(&mut out, key.audience.raw());
    push_number(&mut out, key.epoch.0);
    out
}

/// Key of a contact.
pub(crate) fn contact(key: ContentKey, document: &Document) -> String {
    let mut out = prefix(key);
    out.push_str(document.as_str());
    out
}

/// Key of a tombstone.
pub(crate) fn tombstone(key: ContentKey, document: &Document, removal: i64) -> String {
    let mut out = contact(key, document);
    out.push(SEPARATOR);
    push_number(&mut out, removal);
    out
}

/// Key of the marker beside a contact's tombstones, behind them all.
pub(crate) fn marker(contact: &str) -> String {
    let mut out = contact.to_owned();
    out.push(SEPARATOR);
    push_number(&mut out, i64::MAX);
    out
}

/// The first key that is no longer of the content.
pub(crate) fn end(key: ContentKey) -> String {
    let mut out = String::with_capacity(PREFIX);
    push_number(&mut out, key.audience.raw());
    push_number(&mut out, key.epoch.0 + 1);
    out
}

/// The first possible key of a tombstone of a document behind this one.
pub(crate) fn behind(key: ContentKey, document: &Document) -> String {
    let mut out = contact(key, document);
    out.push(BEYOND);
    out
}

/// The document in a contact's key.
pub(crate) fn document_of_contact(id: &str) -> Result<Document, StoreError> {
    let text = id.get(PREFIX..).filter(|text| !text.is_empty());
    let text = text.ok_or(StoreError::Corrupt("the key of a contact"))?;
    Ok(Document::from_stored(text.to_owned()))
}

/// The contact's key in a tombstone's key.
pub(crate) fn contact_of_tombstone(id: &str) -> &str {
    id.len()
        .checked_sub(WIDTH + SEPARATOR.len_utf8())
        .and_then(|end| id.get(..end))
        .unwrap_or_default()
}

/// The document in a tombstone's key.
pub(crate) fn document_of_tombstone(id: &str) -> Result<Document, StoreError> {
    document_of_contact(contact_of_tombstone(id))
        .map_err(|_| StoreError::Corrupt("the key of a tombstone"))
}

#[cfg(test)]
mod tests {
    use domain::shared::{AudienceId, Epoch};

    use super::*;

    fn key(audience: i64, epoch: i64) -> ContentKey {
        ContentKey {
            audience: AudienceId::from_raw(audience),
            epoch: Epoch(epoch),
        }
    }

    fn document(text: &str) -> Document {
        Document::from_stored(text.to_owned())
    }

    #[test]
    fn keys_sort_as_their_fields() {
        let mut sorted = Vec::new();
        for audience in [1, 63, 64, 4_095, 382_420_090_617_856_000, i64::MAX] {
            for epoch in [1, 2, 64, 65] {
                for text in ["1", "A", "A\u{1}", "AB", "É", "日本"] {
                    sorted.push(contact(key(audience, epoch), &document(text)));
                }
                assert!(sorted.last() < Some(&end(key(audience, epoch))));
            }
        }
        assert!(sorted.is_sorted());
    }

    #[test]
    fn tombstones_lie_between_their_documents() {
        let content = key(7, 3);
        let stones = [
            tombstone(content, &document("A"), 0),
            tombstone(content, &document("A"), i64::MAX),
            tombstone(content, &document("A\u{1}"), 5),
            tombstone(content, &document("AB"), 1),
        ];
        assert!(stones.is_sorted());
        let [_, last_of_a, first_behind, _] = &stones;
        assert!(*last_of_a < behind(content, &document("A")));
        assert!(behind(content, &document("A")) <= *first_behind);
    }

    #[test]
    fn documents_come_back_out_of_keys() {
        let (content, text) = (key(7, 3), "É-9 x");
        let id = contact(content, &document(text));
        assert_eq!(document_of_contact(&id).unwrap(), document(text));
        let id = tombstone(content, &document(text), 12);
        assert_eq!(document_of_tombstone(&id).unwrap(), document(text));
        assert!(document_of_contact("short").is_err());
        assert!(document_of_tombstone("short").is_err());
    }
}
