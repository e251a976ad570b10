//! Reading: contacts and tombstones in the order of their keys, merged.

use domain::{
    contact::Document,
    shared::{RemovalNo, WriteNo},
};
use futures::{StreamExt, TryStreamExt, stream};
use mongodb::{
    Collection,
    bson::{Document as Bson, RawDocumentBuf, doc},
};
use ports::{
    StoreError,
    contacts::{ContactRecord, ContentKey, KeyOnly, Order, Span, Tombstone, View},
};
use serde::de::DeserializeOwned;

use crate::{
    batches::{self, ROWS},
    connect::MongoContacts,
    error, keys,
    purge::MARKER,
    rows::{Found, FoundStone, replaced},
};

/// Most rows that one round of a walk asks for.
const CHUNK: usize = 10_000;
/// How many rows a page reads whole and leaves out: fewer bytes are not worth another round.
const SKIPPED: usize = 2_048;
/// So many documents' tombstones are looked up without asking first whether there are any.
const FEW: usize = 16;
/// Rows that a round asks for beyond a third more than are missing: some of them are hidden.
const SPARE: usize = 16;

/// Rows that match, in the order of their keys.
async fn find<T: DeserializeOwned>(
    collection: &Collection<RawDocumentBuf>,
    filter: Bson,
    projection: Bson,
    limit: usize,
) -> Result<Vec<T>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // One answer for what was asked, as far as a message can hold it.
    let batch = u32::try_from(limit).unwrap_or(u32::MAX).min(10_000);
    let cursor = collection
        .find(filter)
        .projection(projection)
        .sort(doc! { "_id": 1 })
        .limit(limit)
        .batch_size(batch);
    let mut cursor = cursor.await.map_err(error::store)?;
    let mut rows = Vec::new();
    while cursor.advance().await.map_err(error::store)? {
        let row = mongodb::bson::deserialize_from_slice(cursor.current().as_bytes());
        rows.push(row.map_err(error::bson)?);
    }
    Ok(rows)
}

/// Orders of stored contacts.
pub(crate) async fn orders(
    store: &MongoContacts,
    ids: Vec<String>,
    in_flight: usize,
) -> Result<Vec<Found>, StoreError> {
    let contacts = store.contacts();
    let read = |part: &[String]| {
        let (filter, fields) = (
            batches::among(part.to_vec()),
            doc! { "b": 0, "k": 0, "d": 0 },
        );
        let (contacts, rows) = (&contacts, part.len());
        async move { find::<Found>(contacts, filter, fields, rows).await }
    };
    let parts = ids.chunks(batches::part_of(ids.len(), in_flight));
    let parts: Vec<_> = parts.map(read).collect();
    let found = stream::iter(parts).buffered(in_flight);
    let found: Vec<Vec<Found>> = found.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

pub(crate) async fn stored_by(
    store: &MongoContacts,
    key: ContentKey,
    write: WriteNo,
    documents: &[Document],
) -> Result<Vec<(Document, Option<Order>)>, StoreError> {
    let ids = documents.iter().map(|d| keys::contact(key, d)).collect();
    let found = orders(store, ids, 1).await?;
    let mine = found.into_iter().filter(|row| row.write == write.0);
    mine.map(|row| Ok((row.document()?, replaced(row.previous))))
        .collect()
}

pub(crate) async fn get(
    store: &MongoContacts,
    key: ContentKey,
    documents: &[Document],
) -> Result<Vec<ContactRecord>, StoreError> {
    let mut ids: Vec<String> = documents.iter().map(|d| keys::contact(key, d)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = Vec::with_capacity(ids.len());
    for part in ids.chunks(ROWS) {
        let (filter, fields) = (batches::among(part.to_vec()), doc! { "s": 1, "b": 1 });
        let rows: Vec<Found> = find(&store.contacts(), filter, fields, part.len()).await?;
        for row in rows {
            found.push(row.contact()?);
        }
    }
    Ok(found)
}

pub(crate) async fn tombstones(
    store: &MongoContacts,
    key: ContentKey,
    documents: &[Document],
) -> Result<Vec<Tombstone>, StoreError> {
    let few = documents.len() <= FEW;
    if documents.is_empty() || !few && !any_tombstone(store, key).await? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for part in documents.chunks(ROWS) {
        let ranges: Vec<Bson> = part
            .iter()
            .map(|document| {
                let (from, to) = (keys::contact(key, document), keys::behind(key, document));
                doc! { "_id": { "$gt": from, "$lt": to } }
            })
            .collect();
        let all = usize::MAX >> 1;
        let filter = doc! { "$or": ranges };
        let stones: Vec<FoundStone> = find(&store.stones(), filter, doc! {}, all).await?;
        for stone in stones.into_iter().filter(|s| s.removal != MARKER.0) {
            found.push(stone.tombstone()?);
        }
    }
    Ok(found)
}

/// Whether anything was ever removed from a content: most never had anything.
async fn any_tombstone(store: &MongoContacts, key: ContentKey) -> Result<bool, StoreError> {
    let filter = doc! { "_id": { "$gt": keys::prefix(key), "$lt": keys::end(key) } };
    let stones = store.stones();
    let found = stones.find_one(filter).projection(doc! { "_id": 1 });
    Ok(found.await.map_err(error::store)?.is_some())
}

pub(crate) async fn page(
    store: &MongoContacts,
    key: ContentKey,
    view: &View,
    after: Option<&Document>,
    skip: usize,
    limit: usize,
) -> Result<Vec<ContactRecord>, StoreError> {
    let fields = doc! { "s": 1, "b": 1 };
    let mut after = after.cloned();
    let mut skip = skip;
    if skip > SKIPPED {
        let skipped = keys(store, key, view, after.as_ref(), skip).await?;
        if skipped.len() < skip {
            return Ok(Vec::new());
        }
        after = skipped.into_iter().next_back().map(|key| key.document);
        skip = 0;
    }
    let all = skip.saturating_add(limit);
    let rows = visible(store, key, view, (after.as_ref(), None), all, &fields).await?;
    rows.into_iter().skip(skip).map(Found::contact).collect()
}

pub(crate) async fn keys(
    store: &MongoContacts,
    key: ContentKey,
    view: &View,
    after: Option<&Document>,
    limit: usize,
) -> Result<Vec<KeyOnly>, StoreError> {
    keys_within(store, key, view, (after, None), limit).await
}

async fn keys_within(
    store: &MongoContacts,
    key: ContentKey,
    view: &View,
    range: (Option<&Document>, Option<&Document>),
    limit: usize,
) -> Result<Vec<KeyOnly>, StoreError> {
    let rows = visible(store, key, view, range, limit, &doc! { "s": 1 }).await?;
    let key_only = |row: Found| {
        Ok(KeyOnly {
            document: row.document()?,
            order: Order(row.seq),
        })
    };
    rows.into_iter().map(key_only).collect()
}

/// The next visible rows behind a document, and up to another. While the tombstones of some are read, so
/// are the next ones, where these are sure to be wanted.
async fn visible(
    store: &MongoContacts,
    key: ContentKey,
    view: &View,
    (after, until): (Option<&Document>, Option<&Document>),
    limit: usize,
    fields: &Bson,
) -> Result<Vec<Found>, StoreError> {
    let contacts = store.contacts();
    let (end, within) = match until {
        Some(until) => (keys::contact(key, until), "$lte"),
        None => (keys::end(key), "$lt"),
    };
    let read = async |from: &str, missing: usize| -> Result<(usize, Vec<Found>), StoreError> {
        let asked = missing.saturating_add(missing / 3 + SPARE).min(CHUNK);
        let filter = doc! { "_id": { "$gt": from, within: &end } };
        let rows = find(&contacts, filter, fields.clone(), asked).await?;
        Ok((asked, rows))
    };
    let mut from = after.map_or_else(|| keys::prefix(key), |d| keys::contact(key, d));
    let (mut found, mut ahead): (Vec<Found>, _) = (Vec::new(), None);
    while found.len() < limit {
        let (asked, rows) = match ahead.take() {
            Some(read) => read,
            None => read(&from, limit - found.len()).await?,
        };
        let Some(last) = rows.last().map(|row| row.id.clone()) else {
            break;
        };
        let complete = rows.len() < asked;
        let wanted = limit.saturating_sub(found.len() + rows.len());
        let next = async {
            if complete || wanted == 0 {
                return Ok(None);
            }
            read(&last, wanted).await.map(Some)
        };
        let (stones, next) = tokio::try_join!(stones(store, &from, &last), next)?;
        merge(rows, hidden(stones, view), &mut found);
        if complete {
            break;
        }
        (from, ahead) = (last, next);
    }
    found.truncate(limit);
    Ok(found)
}

/// Tombstones of contacts behind a key and up to another, in the order of their keys. Those of removals
/// that do not count are among them: to leave them out here could mean to walk past very many. Both ends
/// are those of contacts that were read: an open range would walk past whatever was purged behind them.
async fn stones(
    store: &MongoContacts,
    after: &str,
    until: &str,
) -> Result<Vec<FoundStone>, StoreError> {
    let (from, to) = (format!("{after}\u{1}"), format!("{until}\u{1}"));
    let filter = doc! { "_id": { "$gte": from, "$lt": to } };
    let fields = doc! { "r": 1, "s": 1 };
    find(&store.stones(), filter, fields, usize::MAX >> 1).await
}

/// Keys of contacts with tombstones that count, each with the highest order that one of them hides.
fn hidden(stones: Vec<FoundStone>, view: &View) -> Vec<(String, i64)> {
    let mut hidden: Vec<(String, i64)> = Vec::with_capacity(stones.len());
    let counts = |stone: &FoundStone| {
        let removal = RemovalNo(stone.removal);
        removal == RemovalNo::PERMANENT || view.removals.contains(&removal)
    };
    for stone in stones.into_iter().filter(counts) {
        let contact = stone.contact_id();
        match hidden.last_mut() {
            Some((last, below)) if *last == contact => *below = stone.seq.max(*below),
            _ => hidden.push((contact.to_owned(), stone.seq)),
        }
    }
    hidden
}

fn merge(rows: Vec<Found>, hidden: Vec<(String, i64)>, found: &mut Vec<Found>) {
    let mut hidden = hidden.into_iter().peekable();
    for row in rows {
        while hidden.next_if(|(id, _)| *id < row.id).is_some() {}
        let hides = |(id, below): &(String, i64)| *id == row.id && *below >= row.seq;
        if !hidden.peek().is_some_and(hides) {
            found.push(row);
        }
    }
}

/// Keys of contacts behind a document and up to another.
fn bound(key: ContentKey, after: Option<&Document>, until: Option<&Document>) -> Bson {
    let from = after.map_or_else(|| keys::prefix(key), |d| keys::contact(key, d));
    match until {
        Some(until) => doc! { "$gt": from, "$lte": keys::contact(key, until) },
        None => doc! { "$gt": from, "$lt": keys::end(key) },
    }
}

/// Spans cut from keys that are read many at a time: a question for each would take longer.
pub(crate) async fn spans(
    store: &MongoContacts,
    key: ContentKey,
    view: &View,
    after: Option<&Document>,
    until: Option<&Document>,
    block: u64,
    most: usize,
) -> Result<Vec<Span>, StoreError> {
    let block = usize::try_from(block).unwrap_or(usize::MAX).max(1);
    let all = block.saturating_mul(most);
    let documents: Vec<Document> = if any_tombstone(store, key).await? {
        let keys = keys_within(store, key, view, (after, until), all).await?;
        keys.into_iter().map(|key| key.document).collect()
    } else {
        stored_keys(store, key, after, until, all).await?
    };
    let spans = documents.chunks(block);
    let span = |part: &[Document]| Span {
        count: u64::try_from(part.len()).unwrap_or(u64::MAX),
        last: part.last().cloned(),
    };
    Ok(spans.map(span).collect())
}

/// Documents of stored contacts, by the index alone.
async fn stored_keys(
    store: &MongoContacts,
    key: ContentKey,
    after: Option<&Document>,
    until: Option<&Document>,
    limit: usize,
) -> Result<Vec<Document>, StoreError> {
    #[derive(serde::Deserialize)]
    struct Id {
        #[serde(rename = "_id")]
        id: String,
    }
    let filter = doc! { "_id": bound(key, after, until) };
    let rows: Vec<Id> = find(&store.contacts(), filter, doc! { "_id": 1 }, limit).await?;
    let documents = rows.iter().map(|row| keys::document_of_contact(&row.id));
    documents.collect()
}
