//! Reading: connections of their own, and the queries that merge contacts with tombstones.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use diesel::{
    OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{
    contact::{ContactBody, Document},
    recycle::Reasons,
    shared::RemovalNo,
};
use ports::{
    StoreError,
    contacts::{ContentKey, KeyOnly, Order, Span, StoredContact, Tombstone, View},
};
use tokio::sync::Semaphore;

use super::{
    ContactsOptions, connect, schema,
    statements::{Stones, StoredBody},
};
use crate::error;

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
struct ContactRow {
    #[diesel(sql_type = Text)]
    document: String,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    body: String,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    document: String,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

#[derive(QueryableByName)]
struct SpanRow {
    #[diesel(sql_type = BigInt)]
    keys: i64,
    #[diesel(sql_type = Nullable<Text>)]
    last: Option<String>,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

/// Visible rows of a content, in the order of their keys. The caller adds the columns before and the
/// limit behind. Binds: audience, epoch, after.
fn visible(
    conn: &mut SqliteConnection,
    key: ContentKey,
    view: &View,
) -> Result<String, StoreError> {
    const RANGE: &str = "FROM contacts c WHERE c.audience = ? AND c.epoch = ? AND c.document > ?";
    if !has_tombstones(conn, key)? {
        return Ok(RANGE.to_owned());
    }
    let mut removals = RemovalNo::PERMANENT.0.to_string();
    for removal in &view.removals {
        removals.push(',');
        removals.push_str(&removal.0.to_string());
    }
    Ok(format!(
        "{RANGE} AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.audience = c.audience \
         AND t.epoch = c.epoch AND t.document = c.document \
         AND t.removal IN ({removals}) AND t.seq >= c.seq)"
    ))
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
) -> Result<Vec<StoredContact>, StoreError> {
    let visible = visible(conn, key, view)?;
    let query =
        format!("SELECT c.document, c.seq, c.body {visible} ORDER BY c.document LIMIT ? OFFSET ?");
    let rows: Vec<ContactRow> = sql_query(query)
        .bind::<BigInt, _>(key.audience.raw())
        .bind::<BigInt, _>(key.epoch.0)
        .bind::<Text, _>(after.map_or("", Document::as_str))
        .bind::<BigInt, _>(count(limit))
        .bind::<BigInt, _>(count(skip))
        .load(conn)
        .map_err(error::store)?;
    rows.into_iter()
        .map(|row| contact(row.document, row.seq, &row.body))
        .collect()
}

pub(super) fn keys(
    conn: &mut SqliteConnection,
    key: ContentKey,
    view: &View,
    after: Option<&Document>,
    limit: usize,
) -> Result<Vec<KeyOnly>, StoreError> {
    let visible = visible(conn, key, view)?;
    let query = format!("SELECT c.document, c.seq {visible} ORDER BY c.document LIMIT ?");
    let rows: Vec<KeyRow> = sql_query(query)
        .bind::<BigInt, _>(key.audience.raw())
        .bind::<BigInt, _>(key.epoch.0)
        .bind::<Text, _>(after.map_or("", Document::as_str))
        .bind::<BigInt, _>(count(limit))
        .load(conn)
        .map_err(error::store)?;
    let key_only = |row: KeyRow| KeyOnly {
        document: Document::from_stored(row.document),
        order: Order(row.seq),
    };
    Ok(rows.into_iter().map(key_only).collect())
}

pub(super) fn span(
    conn: &mut SqliteConnection,
    key: ContentKey,
    view: &View,
    after: Option<&Document>,
    until: Option<&Document>,
    limit: u64,
) -> Result<Span, StoreError> {
    let visible = visible(conn, key, view)?;
    let until_clause = if until.is_some() {
        " AND c.document <= ?"
    } else {
        " AND ? = ''"
    };
    let query = format!(
        "SELECT count(*) AS keys, max(document) AS last FROM \
         (SELECT c.document AS document {visible}{until_clause} ORDER BY c.document LIMIT ?)"
    );
    let row: SpanRow = sql_query(query)
        .bind::<BigInt, _>(key.audience.raw())
        .bind::<BigInt, _>(key.epoch.0)
        .bind::<Text, _>(after.map_or("", Document::as_str))
        .bind::<Text, _>(until.map_or("", Document::as_str))
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .get_result(conn)
        .map_err(error::store)?;
    Ok(Span {
        count: u64::try_from(row.keys).unwrap_or(0),
        last: row.last.map(Document::from_stored),
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
        let rows: Vec<(i64, i64, i64)> = statement.load(conn).map_err(error::store)?;
        found.extend(rows.into_iter().map(|(removal, seq, reasons)| Tombstone {
            document: document.clone(),
            removal: RemovalNo(removal),
            order: Order(seq),
            reasons: Reasons::from_bits(reasons),
        }));
    }
    Ok(found)
}

pub(super) fn get(
    conn: &mut SqliteConnection,
    key: ContentKey,
    mut documents: Vec<Document>,
) -> Result<Vec<StoredContact>, StoreError> {
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
            found.push(StoredContact {
                document,
                order: Order(seq),
                body: decode(&body)?,
            });
        }
    }
    Ok(found)
}

fn contact(document: String, seq: i64, body: &str) -> Result<StoredContact, StoreError> {
    let body = decode(body)?;
    Ok(StoredContact {
        document: Document::from_stored(document),
        order: Order(seq),
        body,
    })
}

fn decode(body: &str) -> Result<ContactBody, StoreError> {
    serde_json::from_str(body).map_err(|_| StoreError::Corrupt("the body of a contact"))
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
