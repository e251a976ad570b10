//! Deleting in bounded steps. Every step may be repeated.

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

/// Deletes at most `limit` contacts and as many tombstones of a content. `true` while some are left.
pub(crate) async fn content(
    store: &MongoContacts,
    key: ContentKey,
    limit: usize,
) -> Result<bool, StoreError> {
    let filter = doc! { "_id": { "$gte": keys::prefix(key), "$lt": keys::end(key) } };
    let mut more = false;
    for collection in [store.contacts(), store.stones()] {
        more |= some(&collection, filter.clone(), limit).await? >= limit;
    }
    let indexes = store.page_indexes();
    let deleted = indexes.delete_one(doc! { "_id": keys::prefix(key) });
    deleted.await.map_err(error::store)?;
    Ok(more)
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

/// Deletes the next tombstones of a removal, and the contacts they hide if `purge` says so.
pub(crate) async fn removal(
    store: &MongoContacts,
    key: ContentKey,
    removal: RemovalNo,
    purge: Purge,
    after: Option<&Document>,
    limit: usize,
) -> Result<Option<Document>, StoreError> {
    let from = after.map_or_else(|| keys::prefix(key), |d| keys::behind(key, d));
    let filter = doc! { "_id": { "$gte": from, "$lt": keys::end(key) }, "r": removal.0 };
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
        let deletes: Vec<RawDocumentBuf> = found.iter().map(hidden).collect();
        batches::delete(&store.database, CONTACTS, &deletes).await?;
    }
    // Only after the contacts: a step that is cut off is found again.
    let ids: Vec<String> = found.into_iter().map(|stone| stone.id).collect();
    for part in ids.chunks(ROWS) {
        let deleted = stones.delete_many(batches::among(part.to_vec()));
        deleted.await.map_err(error::store)?;
    }
    Ok(Some(last))
}
