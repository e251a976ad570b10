//! Reading: connections of their own, and the queries that merge contacts with tombstones.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use diesel::{
    OptionalExtension, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::BigInt,
};
use domain::{contact::Document, recycle::Reasons, shared::RemovalNo};
use ports::{
    StoreError,
    contacts::{ContactRecord, ContentKey, KeyOnly, Order, Span, Tombstone, View},
};
use tokio::sync::Semaphore;

use super::{
    ContactsOptions,
    body::decode,
    connect, schema,
    statements::{Contacts, Count, CountUntil, Keys, Stones, StonesBetween, StoredBody},
};
use crate::core::error;

/// Connections that only read, lent one at a time.
pub(super) struct Readers {
    idle: Mutex<Vec<SqliteConnection>>,
    free: Arc<Semaphore>,
}

impl Readers {
    pub fn new(options: &ContactsOptions) -> Result<Self, StoreError> {
        let open = |_| connect(options, schema::READER_SETUP);
        let idle = (0..options.readers.max(1))
            .map(open)
            .collect::<Result<Vec<_>, _>>()?;
        let free = Arc::new(Semaphore::new(idle.len()));
        Ok(Self {
            idle: Mutex::new(idle),
            free,
        })
    }

    /// Runs a read on a thread for blocking work.
    pub async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let free = Arc::clone(&self.free);
        let permit = free.acquire_owned().await.map_err(error::unavailable)?;
        let readers = Arc::clone(self);
        let task = move || {
            let _permit = permit;
            let mut conn = readers
                .take()
                .ok_or_else(|| error::setup("no connection is left for reading"))?;
            let result = read(&mut conn);
            readers.give_back(conn);
            result
        };
        tokio::task::spawn_blocking(task)
            .await
            .map_err(error::unavailable)?
    }

    fn take(&self) -> Option<SqliteConnection> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn give_back(&self, conn: SqliteConnection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(conn);
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

/// Whether anything was ever removed from a content: most never had anything.
fn has_tombstones(conn: &mut SqliteConnection, key: ContentKey) -> Result<bool, StoreError> {
    let found: Found = sql_query(
        "SELECT EXISTS (SELECT 1 FROM tombstones WHERE audience = ? AND epoch = ?) AS found",
    )
    .bind::<BigInt, _>(key.audience.raw())
    .bind::<BigInt, _>(key.epoch.0)
    .get_result(conn)
    .map_err(error::store)?;
    Ok(found.found != 0)
}

pub(super) fn page(
    conn: &mut SqliteConnection,
    key: ContentKey,
    view: &View,
    after: Option<&Document>,
    skip: usize,
    limit: usize,
) -> Result<Vec<ContactRecord>, StoreError> {
    let mut after = after.cloned();
    if skip > 0 {
        let skipped = keys(conn, key, view, after.as_ref(), skip)?;
        if skipped.len() < skip {
            return Ok(Vec::new());
        }
        after = skipped.into_iter().next_back().map(|key| key.document);
    }
    let fetch = |conn: &mut SqliteConnection, after: &str, limit: i64| {
        let (audience, epoch) = (key.audience.raw(), key.epoch.0);
        let statement = Contacts {
            audience,
            epoch,
            after,
            limit,
            lifetime: PhantomData,
        };
        statement.load(conn)
    };
    let rows = visible(conn, key, view, after.as_ref(), limit, fetch)?;
    rows.into_iter()
        .map(|(document, seq, body): (_, _, String)| contact(document, seq, &body))
        .collect()
}

pub(super) fn keys(
    conn: &mut SqliteConnection,
    key: ContentKey,
    view: &View,
    after: Option<&Document>,
    limit: usize,
) -> Result<Vec<KeyOnly>, StoreError> {
    let fetch = |conn: &mut SqliteConnection, after: &str, limit: i64| {
        let (audience, epoch) = (key.audience.raw(), key.epoch.0);
        let statement = Keys {
            audience,
            epoch,
            after,
            limit,
            lifetime: PhantomData,
        };
        let rows: Vec<(String, i64)> = statement.load(conn)?;
        Ok(rows.into_iter().map(|(d, seq)| (d, seq, ())).collect())
    };
    let rows = visible(conn, key, view, after, limit, fetch)?;
    let key_only = |(document, seq, ())| KeyOnly {
        document: Document::from_stored(document),
        order: Order(seq),
    };
    Ok(rows.into_iter().map(key_only).collect())
}

/// The next visible rows behind a document: contacts and tombstones are both read in the order of
/// their keys and merged, which costs less than a look-up per contact.
fn visible<T>(
    conn: &mut SqliteConnection,
    key: ContentKey,
    view: &View,
    after: Option<&Document>,
    limit: usize,
    mut fetch: impl FnMut(&mut SqliteConnection, &str, i64) -> QueryResult<Vec<(String, i64, T)>>,
) -> Result<Vec<(String, i64, T)>, StoreError> {
    let removed = has_tombstones(conn, key)?;
    let mut from = after.map_or_else(String::new, |d| d.as_str().to_owned());
    let mut found: Vec<(String, i64, T)> = Vec::new();
    loop {
        let rows = fetch(conn, &from, count(limit)).map_err(error::store)?;
        if !removed {
            return Ok(rows);
        }
        let Some((last, ..)) = rows.last() else {
            return Ok(found);
        };
        let (last, complete) = (last.clone(), rows.len() < limit);
        let hidden = hidden(conn, key, view, &from, &last)?;
        let mut hidden = hidden.into_iter().peekable();
        for (document, seq, rest) in rows {
            while hidden.next_if(|(hidden, _)| *hidden < document).is_some() {}
            let hides = |(hidden, below): &(String, i64)| *hidden == document && *below >= seq;
            if !hidden.peek().is_some_and(hides) {
                found.push((document, seq, rest));
            }
        }
        if complete || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
        from = last;
    }
}

/// Documents with tombstones that count, each with the highest order that one of them hides.
fn hidden(
    conn: &mut SqliteConnection,
    key: ContentKey,
    view: &View,
    after: &str,
    until: &str,
) -> Result<Vec<(String, i64)>, StoreError> {
    let statement = StonesBetween {
        audience: key.audience.raw(),
        epoch: key.epoch.0,
        after,
        until,
        lifetime: PhantomData,
    };
    let stones: Vec<(String, i64, i64)> = statement.load(conn).map_err(error::store)?;
    let counts = |no: i64| no == RemovalNo::PERMANENT.0 || view.removals.contains(&RemovalNo(no));
    let mut hidden: Vec<(String, i64)> = Vec::with_capacity(stones.len());
    for (document, removal, seq) in stones {
        if !counts(removal) {
            continue;
        }
        match hidden.last_mut() {
            Some((last, below)) if *last == document => *below = seq.max(*below),
            _ => hidden.push((document, seq)),
        }
    }
    Ok(hidden)
}

pub(super) fn spans(
    conn: &mut SqliteConnection,
    key: ContentKey,
    view: &View,
    (after, until): (Option<&Document>, Option<&Document>),
    block: u64,
    most: usize,
) -> Result<Vec<Span>, StoreError> {
    let mut spans: Vec<Span> = Vec::new();
    while spans.len() < most {
        let from = spans.last().map_or(after, |span| span.last.as_ref());
        let span = span(conn, key, view, from, until, block)?;
        let ended = span.count < block;
        if span.count > 0 {
            spans.push(span);
        }
        if ended {
            break;
        }
    }
    Ok(spans)
}

fn span(
    conn: &mut SqliteConnection,
    key: ContentKey,
    view: &View,
    after: Option<&Document>,
    until: Option<&Document>,
    limit: u64,
) -> Result<Span, StoreError> {
    if has_tombstones(conn, key)? {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut keys = keys(conn, key, view, after, limit)?;
        let within = keys.partition_point(|k| until.is_none_or(|until| k.document <= *until));
        keys.truncate(within);
        return Ok(Span {
            count: u64::try_from(keys.len()).unwrap_or(u64::MAX),
            last: keys.pop().map(|key| key.document),
        });
    }
    let (audience, epoch) = (key.audience.raw(), key.epoch.0);
    let after = after.map_or("", Document::as_str);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let lifetime = PhantomData;
    let counted: (i64, Option<String>) = match until {
        Some(until) => CountUntil {
            audience,
            epoch,
            after,
            until: until.as_str(),
            limit,
            lifetime,
        }
        .get_result(conn),
        None => Count {
            audience,
            epoch,
            after,
            limit,
            lifetime,
        }
        .get_result(conn),
    }
    .map_err(error::store)?;
    let (count, last) = counted;
    Ok(Span {
        count: u64::try_from(count).unwrap_or(0),
        last: last.map(Document::from_stored),
    })
}

pub(super) fn stones(
    conn: &mut SqliteConnection,
    key: ContentKey,
    documents: &[Document],
) -> Result<Vec<Tombstone>, StoreError> {
    if !has_tombstones(conn, key)? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for document in documents {
        let statement = Stones {
            audience: key.audience.raw(),
            epoch: key.epoch.0,
            document: document.as_str(),
            lifetime: PhantomData,
        };
        let rows: Vec<(i64, i64, i64, i64, i64)> = statement.load(conn).map_err(error::store)?;
        let stone = |(removal, seq, reasons, counted, run)| Tombstone {
            document: document.clone(),
            removal: RemovalNo(removal),
            order: Order(seq),
            reasons: Reasons::from_bits(reasons),
            counted: Reasons::from_bits(counted),
            run,
        };
        found.extend(rows.into_iter().map(stone));
    }
    Ok(found)
}

pub(super) fn get(
    conn: &mut SqliteConnection,
    key: ContentKey,
    mut documents: Vec<Document>,
) -> Result<Vec<ContactRecord>, StoreError> {
    documents.sort();
    documents.dedup();
    let mut found = Vec::with_capacity(documents.len());
    for document in documents {
        let statement = StoredBody {
            audience: key.audience.raw(),
            epoch: key.epoch.0,
            document: document.as_str(),
            lifetime: PhantomData,
        };
        let row: Option<(i64, String)> = statement
            .get_result(conn)
            .optional()
            .map_err(error::store)?;
        if let Some((seq, body)) = row {
            found.push(ContactRecord {
                document,
                order: Order(seq),
                body: decode(&body)?,
            });
        }
    }
    Ok(found)
}

fn contact(document: String, seq: i64, body: &str) -> Result<ContactRecord, StoreError> {
    let body = decode(body)?;
    Ok(ContactRecord {
        document: Document::from_stored(document),
        order: Order(seq),
        body,
    })
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
