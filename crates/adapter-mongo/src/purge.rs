//! Deleting in bounded steps. Every step may be repeated.

use std::collections::HashSet;

use domain::{contact::Document, shared::RemovalNo};
use mongodb::{
    Collection,
    bson::{Document as Bson, RawDocumentBuf, doc, rawdoc},
};
use ports::{
    StoreError,
    contacts::{ContentKey, Purge},
};

use crate::{
    batches::{self, ROWS},
    connect::MongoContacts,
    error, keys,
    rows::{CONTACTS, FoundStone},
};

/// Deletes at most `limit` contacts and as many tombstones of a content. `true` while some are left. A
/// marker stays before them, with nobody's document: reads at the end of the audience before end there.
pub(crate) async fn content(
    store: &MongoContacts,
    key: ContentKey,
    limit: usize,
) -> Result<bool, StoreError> {
    let begin = keys::prefix(key);
    let filter = doc! { "_id": { "$gt": &begin, "$lt": keys::end(key) } };
    let mut more = false;
    for collection in [store.contacts(), store.stones()] {
        batches::insert(&collection, std::slice::from_ref(&begin), marker, 1).await?;
        more |= some(&collection, filter.clone(), limit).await? >= limit;
    }
    let indexes = store.page_indexes();
    let deleted = indexes.delete_one(doc! { "_id": begin });
    deleted.await.map_err(error::store)?;
    Ok(more)
}

/// A marker row, in the form of a tombstone.
#[expect(clippy::ptr_arg, reason = "as batches of keys are inserted")]
fn marker(id: &String) -> RawDocumentBuf {
    rawdoc! { "_id": id.as_str(), "r": MARKER.0, "s": i64::MIN }
}

async fn some(
    collection: &Collection<RawDocumentBuf>,
    filter: Bson,
    limit: usize,
) -> Result<usize, StoreError> {
    let found = collection
        .find(filter)
        .projection(doc! { "_id": 1 })
        .limit(i64::try_from(limit).unwrap_or(i64::MAX));
    let mut cursor = found.await.map_err(error::store)?;
    let mut ids: Vec<String> = Vec::new();
    while cursor.advance().await.map_err(error::store)? {
        let id = cursor.current().get_str("_id");
        ids.push(id.map_err(|_| StoreError::Corrupt("a key"))?.to_owned());
    }
    for part in ids.chunks(ROWS) {
        let deleted = collection.delete_many(batches::among(part.to_vec()));
        deleted.await.map_err(error::store)?;
    }
    Ok(ids.len())
}

/// The removal that a marker is of: it never counts, and no other has this number.
pub(crate) const MARKER: RemovalNo = RemovalNo(i64::MAX);
/// After so many purged tombstones a marker stays. WiredTiger keeps deleted keys until its next checkpoint,
/// and a range that holds none but them is read on to the first that is left, wherever it ends.
const APART: usize = 128;

/// Deletes the next tombstones of a removal, and the contacts they hide if `purge` says so. Leaves markers
/// among those of contacts that stay; they go when these are purged.
pub(crate) async fn removal(
    store: &MongoContacts,
    key: ContentKey,
    removal: RemovalNo,
    purge: Purge,
    after: Option<&Document>,
    limit: usize,
) -> Result<Option<Document>, StoreError> {
    let from = after.map_or_else(|| keys::prefix(key), |d| keys::behind(key, d));
    let wanted = doc! { "$in": [removal.0, MARKER.0] };
    let filter = doc! { "_id": { "$gt": from, "$lt": keys::end(key) }, "r": wanted };
    let stones = store.stones();
    let found = stones
        .find(filter)
        .sort(doc! { "_id": 1 })
        .limit(i64::try_from(limit).unwrap_or(i64::MAX));
    let mut cursor = found.await.map_err(error::store)?;
    let mut found: Vec<FoundStone> = Vec::new();
    while cursor.advance().await.map_err(error::store)? {
        let row = mongodb::bson::deserialize_from_slice(cursor.current().as_bytes());
        found.push(row.map_err(error::bson)?);
    }
    let Some(last) = found.last() else {
        return Ok(None);
    };
    let last = keys::document_of_tombstone(&last.id)?;
    if purge == Purge::Hidden {
        let hidden = |stone: &FoundStone| {
            let id = stone.contact_id();
            rawdoc! { "q": { "_id": id, "s": { "$lte": stone.seq } }, "limit": 1 }
        };
        let stones = found.iter().filter(|stone| stone.removal == removal.0);
        let deletes: Vec<RawDocumentBuf> = stones.map(hidden).collect();
        batches::delete(&store.database, CONTACTS, &deletes).await?;
    }
    mark(store, key, purge, &found, &last).await?;
    // The tombstones last: by them a step that is cut off is found again.
    for part in ended(&found, purge).chunks(ROWS) {
        let deleted = stones.delete_many(batches::among(part.to_vec()));
        deleted.await.map_err(error::store)?;
    }
    Ok(Some(last))
}

/// Keys that go: the markers of contacts that went, then the tombstones of the removal.
fn ended(found: &[FoundStone], purge: Purge) -> Vec<String> {
    let stones = || found.iter().filter(|stone| stone.removal != MARKER.0);
    let mut ended = Vec::new();
    if purge == Purge::Hidden {
        let present: HashSet<&str> = found.iter().map(|stone| stone.id.as_str()).collect();
        let markers = stones().map(|stone| keys::marker(stone.contact_id()));
        ended.extend(markers.filter(|marker| present.contains(marker.as_str())));
        // That of the last one may lie behind what was found.
        ended.extend(
            stones()
                .next_back()
                .map(|stone| keys::marker(stone.contact_id())),
        );
    }
    ended.extend(stones().map(|stone| stone.id.clone()));
    ended
}

/// Leaves markers where too many tombstones in a row are about to go: at contacts that stay.
async fn mark(
    store: &MongoContacts,
    key: ContentKey,
    purge: Purge,
    found: &[FoundStone],
    last: &Document,
) -> Result<(), StoreError> {
    let mut markers: Vec<String> = Vec::new();
    let mut in_a_row = 0;
    for stone in found {
        in_a_row = if stone.removal == MARKER.0 {
            0
        } else {
            in_a_row + 1
        };
        if in_a_row == APART && purge == Purge::Tombstones {
            markers.push(keys::marker(stone.contact_id()));
            in_a_row = 0;
        }
    }
    if in_a_row >= APART {
        let behind = doc! { "_id": { "$gt": keys::contact(key, last), "$lt": keys::end(key) } };
        let contacts = store.contacts();
        let next = contacts.find_one(behind).projection(doc! { "_id": 1 });
        if let Some(next) = next.await.map_err(error::store)? {
            let id = next.get_str("_id");
            markers.push(keys::marker(id.map_err(|_| StoreError::Corrupt("a key"))?));
        }
    }
    batches::insert(&store.stones(), &markers, marker, 1)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use domain::shared::{AudienceId, Epoch};

    use super::*;

    /// A step that is cut off is found again by its tombstones; a marker without one would stay for ever.
    #[test]
    fn markers_of_people_who_go_are_deleted_before_their_tombstones() {
        let key = ContentKey {
            audience: AudienceId::from_raw(7),
            epoch: Epoch(1),
        };
        let id = |text: &str, removal: RemovalNo| {
            let document = Document::from_stored(text.to_owned());
            keys::tombstone(key, &document, removal.0)
        };
        let row = |text, removal| FoundStone {
            id: id(text, removal),
            removal: removal.0,
            seq: 1,
            reasons: 0,
            counted: 0,
            run: 0,
        };
        let removal = RemovalNo(3);
        let found = [
            row("A", removal),
            row("A", MARKER),
            row("B", MARKER),
            row("C", removal),
        ];
        let goes = [
            id("A", MARKER),
            id("C", MARKER),
            id("A", removal),
            id("C", removal),
        ];
        assert_eq!(ended(&found, Purge::Hidden), goes);
        assert_eq!(ended(&found, Purge::Tombstones), goes[2..]);
    }
}
