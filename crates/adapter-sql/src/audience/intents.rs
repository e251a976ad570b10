//! Intents of writes: what a write may have touched, for as long as someone needs to know.

use diesel::{
    dsl::{auto_type, exists, not, sql},
    prelude::*,
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use domain::{contact::Document, shared::WriteNo};
use ports::{
    StoreError,
    contacts::ContentKey,
    store::{NewWrite, UnderWay, WriteIntent},
};

use super::{
    Conn,
    content_keys::{key, raw},
    dialect, removals,
};
use crate::{
    core::error::{changed_one, store},
    schema::audience::{audience_contents, write_intents},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = write_intents)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct IntentRow {
    audience: i64,
    epoch: i64,
    write_no: i64,
    owner: String,
    first_request: i64,
    requests: i64,
    documents: Vec<u8>,
}

/// Ends each document of a stored list; no document contains it.
const DOCUMENT_END: char = '\0';

impl TryFrom<IntentRow> for WriteIntent {
    type Error = StoreError;

    fn try_from(row: IntentRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: key(row.audience, row.epoch),
            write: WriteNo(row.write_no),
            owner: row.owner,
            requests: (row.first_request, row.requests),
            documents: documents(row.documents)?,
        })
    }
}

/// The documents of a stored list.
fn documents(stored: Vec<u8>) -> Result<Vec<Document>, StoreError> {
    let text =
        String::from_utf8(stored).map_err(|_| StoreError::Corrupt("documents of a write"))?;
    let documents = text.split_terminator(DOCUMENT_END);
    Ok(documents
        .map(|text| Document::from_stored(text.to_owned()))
        .collect())
}

/// The intents of a content.
#[auto_type(no_type_alias)]
fn intents_of(audience: i64, epoch: i64) -> _ {
    write_intents::table
        .filter(write_intents::audience.eq(audience))
        .filter(write_intents::epoch.eq(epoch))
}

/// A write's number, if it is open under this owner.
#[auto_type(no_type_alias)]
pub(super) fn held_by<'a>(write: i64, owner: &'a str) -> _ {
    write_intents::table
        .filter(write_intents::write_no.eq(write))
        .filter(write_intents::owner.eq(owner))
        .select(write_intents::write_no.nullable())
}

/// Adds the intent of a write that has the lock.
pub(super) async fn insert(
    conn: &mut Conn,
    key: ContentKey,
    write: &NewWrite,
    first_request: i64,
) -> Result<(), StoreError> {
    let mut documents = String::with_capacity(write.documents.len() * 16);
    for document in &write.documents {
        documents.push_str(document.as_str());
        documents.push(DOCUMENT_END);
    }
    diesel::insert_into(write_intents::table)
        .values((
            write_intents::write_no.eq(write.write.0),
            write_intents::audience.eq(key.audience.raw()),
            write_intents::epoch.eq(key.epoch.0),
            write_intents::owner.eq(&write.owner),
            write_intents::first_request.eq(first_request),
            write_intents::requests.eq(write.requests),
            write_intents::lease_until.eq(dialect::lease_until(write.lease_seconds)),
            write_intents::documents.eq(documents.into_bytes()),
        ))
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

/// Open writes, oldest first.
pub(super) async fn open(conn: &mut Conn, limit: i64) -> Result<Vec<WriteIntent>, StoreError> {
    let rows: Vec<IntentRow> = write_intents::table
        .filter(write_intents::ended_revision.is_null())
        .order(write_intents::write_no)
        .limit(limit)
        .select(IntentRow::as_select())
        .load(conn)
        .await
        .map_err(store)?;
    rows.into_iter().map(WriteIntent::try_from).collect()
}

/// Open writes whose lease has run out, oldest first.
pub(super) async fn lapsed(conn: &mut Conn, limit: i64) -> Result<Vec<WriteIntent>, StoreError> {
    let lapsed = sql::<Bool>(&format!("lease_until <= {}", dialect::NOW));
    let rows: Vec<IntentRow> = write_intents::table
        .filter(write_intents::ended_revision.is_null())
        .filter(lapsed)
        .order(write_intents::write_no)
        .limit(limit)
        .select(IntentRow::as_select())
        .load(conn)
        .await
        .map_err(store)?;
    rows.into_iter().map(WriteIntent::try_from).collect()
}

/// The open write of a content, and whether its lease has run out.
pub(super) async fn open_of(
    conn: &mut Conn,
    key: ContentKey,
) -> Result<Option<(WriteIntent, bool)>, StoreError> {
    let (audience, epoch) = raw(key);
    let lapsed = sql::<Bool>(&format!("lease_until <= {}", dialect::NOW));
    let open: Option<(IntentRow, bool)> = intents_of(audience, epoch)
        .filter(write_intents::ended_revision.is_null())
        .select((IntentRow::as_select(), lapsed))
        .first(conn)
        .await
        .optional()
        .map_err(store)?;
    open.map(|(row, lapsed)| Ok((row.try_into()?, lapsed)))
        .transpose()
}

/// The revision of a content and the documents of its open write, as one statement sees them.
pub(super) async fn under_way(
    conn: &mut Conn,
    key: ContentKey,
) -> Result<Option<UnderWay>, StoreError> {
    let open = write_intents::table
        .on(audience_contents::open_write.eq(write_intents::write_no.nullable()));
    let found: Option<(i64, Option<Vec<u8>>)> = audience_contents::table
        .left_join(open)
        .filter(audience_contents::audience.eq(key.audience.raw()))
        .filter(audience_contents::epoch.eq(key.epoch.0))
        .select((
            audience_contents::revision,
            write_intents::documents.nullable(),
        ))
        .first(conn)
        .await
        .optional()
        .map_err(store)?;
    found
        .map(|(revision, stored)| {
            let documents = stored.map(documents).transpose()?.unwrap_or_default();
            Ok(UnderWay {
                revision,
                documents,
            })
        })
        .transpose()
}

/// Ends an intent. It is kept while a removal is being built, and where other processes may look for
/// it until [`dialect::ENDED_WRITES`] others have ended; deleted otherwise.
pub(super) async fn end(
    conn: &mut Conn,
    key: ContentKey,
    write: WriteNo,
    revision: i64,
) -> Result<(), StoreError> {
    let (audience, epoch) = raw(key);
    let old = write_intents::write_no
        .eq(write.0)
        .and(sql::<Bool>(if dialect::ENDED_WRITES == 0 {
            "TRUE"
        } else {
            "FALSE"
        }))
        .or(write_intents::ended_revision.le(revision - dialect::ENDED_WRITES));
    let deleted = diesel::delete(intents_of(audience, epoch))
        .filter(old)
        .filter(not(exists(removals::building(audience, epoch))))
        .execute(conn)
        .await
        .map_err(store)?;
    if deleted == 0 || dialect::ENDED_WRITES > 0 {
        diesel::update(write_intents::table.find(write.0))
            .set(write_intents::ended_revision.eq(revision))
            .execute(conn)
            .await
            .map_err(store)?;
    }
    Ok(())
}

/// Documents of the writes that ended after a revision and up to another, if all of them are kept.
pub(super) async fn between(
    conn: &mut Conn,
    key: ContentKey,
    after: i64,
    until: i64,
) -> Result<Option<Vec<Document>>, StoreError> {
    if !(0..dialect::ENDED_WRITES).contains(&until.saturating_sub(after).saturating_sub(1)) {
        return Ok(None);
    }
    let (audience, epoch) = raw(key);
    let rows: Vec<IntentRow> = intents_of(audience, epoch)
        .filter(write_intents::ended_revision.gt(after))
        .filter(write_intents::ended_revision.le(until))
        .select(IntentRow::as_select())
        .load(conn)
        .await
        .map_err(store)?;
    // Each write is one revision.
    if i64::try_from(rows.len()).ok() != Some(until - after) {
        return Ok(None);
    }
    let mut documents = Vec::new();
    for row in rows {
        documents.extend(WriteIntent::try_from(row)?.documents);
    }
    Ok(Some(documents))
}

/// Gives an open write to another owner.
pub(super) async fn adopt(
    conn: &mut Conn,
    seen: &WriteIntent,
    new_owner: &str,
    lease_seconds: u32,
) -> Result<(), StoreError> {
    diesel::update(write_intents::table.find(seen.write.0))
        .filter(write_intents::owner.eq(&seen.owner))
        .filter(write_intents::ended_revision.is_null())
        .set((
            write_intents::owner.eq(new_owner),
            write_intents::lease_until.eq(dialect::lease_until(lease_seconds)),
        ))
        .execute(conn)
        .await
        .map_err(store)
        .and_then(changed_one)
}

/// Intents that ended after a revision of the content and after `after`, in the order of their end.
pub(super) async fn ended_since(
    conn: &mut Conn,
    key: ContentKey,
    revision: i64,
    after: Option<WriteNo>,
    limit: i64,
) -> Result<Vec<WriteIntent>, StoreError> {
    let (audience, epoch) = raw(key);
    let after: Option<i64> = match after {
        // Write numbers of several processes need not grow with time; revisions do.
        Some(write) => write_intents::table
            .find(write.0)
            .select(write_intents::ended_revision)
            .first::<Option<i64>>(conn)
            .await
            .optional()
            .map_err(store)?
            .flatten(),
        None => None,
    };
    let rows: Vec<IntentRow> = intents_of(audience, epoch)
        .filter(write_intents::ended_revision.gt(after.unwrap_or(revision).max(revision)))
        .order(write_intents::ended_revision)
        .limit(limit)
        .select(IntentRow::as_select())
        .load(conn)
        .await
        .map_err(store)?;
    rows.into_iter().map(WriteIntent::try_from).collect()
}

/// Deletes the intents kept for removals, when no removal of the content is being built any more.
pub(super) async fn forget_ended(conn: &mut Conn, key: ContentKey) -> Result<(), StoreError> {
    let (audience, epoch) = raw(key);
    diesel::delete(intents_of(audience, epoch))
        .filter(write_intents::ended_revision.is_not_null())
        .filter(not(exists(removals::building(audience, epoch))))
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

/// Deletes all intents of a content.
pub(super) async fn forget(conn: &mut Conn, key: ContentKey) -> Result<(), StoreError> {
    let (audience, epoch) = raw(key);
    diesel::delete(intents_of(audience, epoch))
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}
