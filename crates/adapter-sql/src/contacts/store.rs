//! The port on the writing thread and the reading connections.

use async_trait::async_trait;
use diesel::{
    OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use domain::{
    contact::Document,
    shared::{RemovalNo, WorkspaceId, WriteNo},
};
use ports::{
    StoreError,
    contacts::{
        Applied, ContactRecord, ContactStore, ContentKey, KeyOnly, Order, Priority, Purge, Span,
        Tombstone, View,
    },
};

use super::{
    SqliteContacts, body, reads,
    statements::Stored,
    writes::{self, EncodedContact, Rows},
};
use crate::core::error;

#[derive(QueryableByName)]
struct StoneRow {
    #[diesel(sql_type = Text)]
    document: String,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

#[derive(QueryableByName)]
struct IndexRow {
    #[diesel(sql_type = BigInt)]
    revision: i64,
    #[diesel(sql_type = Text)]
    blocks: String,
}

#[async_trait]
impl ContactStore for SqliteContacts {
    async fn upsert(
        &self,
        key: ContentKey,
        workspace: &WorkspaceId,
        write: WriteNo,
        rows: Vec<ContactRecord>,
        priority: Priority,
    ) -> Result<Vec<Applied>, StoreError> {
        let mut encoded = Vec::with_capacity(rows.len());
        for (index, row) in rows.into_iter().enumerate() {
            let body = body::encode(&row.body)?;
            encoded.push((
                index,
                EncodedContact {
                    document: row.document,
                    order: row.order,
                    body,
                },
            ));
        }
        // Neighbours share pages.
        encoded.sort_by(|(_, a), (_, b)| a.document.cmp(&b.document));
        let workspace = workspace.to_string();
        let change = move |conn: &mut SqliteConnection, row: &(usize, EncodedContact)| {
            let (index, row) = row;
            writes::upsert(conn, key, &workspace, write, row).map(|applied| (*index, applied))
        };
        let mut applied = self
            .writer
            .run(priority, |answer| Rows::work(encoded, change, answer))
            .await?;
        applied.sort_by_key(|(index, _)| *index);
        Ok(applied.into_iter().map(|(_, applied)| applied).collect())
    }

    async fn stored_by(
        &self,
        key: ContentKey,
        write: WriteNo,
        documents: &[Document],
    ) -> Result<Vec<(Document, Option<Order>)>, StoreError> {
        let documents = documents.to_vec();
        let read = move |conn: &mut SqliteConnection| {
            let mut found = Vec::new();
            for document in documents {
                let statement = Stored {
                    audience: key.audience.raw(),
                    epoch: key.epoch.0,
                    document: document.as_str(),
                    lifetime: std::marker::PhantomData,
                };
                let row: Option<(i64, i64, i64)> = statement
                    .get_result(conn)
                    .optional()
                    .map_err(error::store)?;
                if let Some((_, previous, _)) = row.filter(|(_, _, by)| *by == write.0) {
                    found.push((document, writes::order(previous)));
                }
            }
            Ok(found)
        };
        self.readers.run(read).await
    }

    async fn put_tombstones(
        &self,
        key: ContentKey,
        mut tombstones: Vec<Tombstone>,
        priority: Priority,
    ) -> Result<(), StoreError> {
        tombstones.sort_by(|a, b| a.document.cmp(&b.document));
        let change = move |conn: &mut SqliteConnection, stone: &Tombstone| {
            writes::put_tombstone(conn, key, stone)
        };
        let run = self
            .writer
            .run(priority, |answer| Rows::work(tombstones, change, answer));
        run.await.map(drop)
    }

    async fn tombstones(
        &self,
        key: ContentKey,
        documents: &[Document],
    ) -> Result<Vec<Tombstone>, StoreError> {
        let documents = documents.to_vec();
        self.readers
            .run(move |conn| reads::stones(conn, key, &documents))
            .await
    }

    async fn scan(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        limit: usize,
    ) -> Result<Vec<ContactRecord>, StoreError> {
        self.page(key, view, after, 0, limit).await
    }

    async fn scan_keys(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        limit: usize,
    ) -> Result<Vec<KeyOnly>, StoreError> {
        let (view, after) = (view.clone(), after.cloned());
        self.readers
            .run(move |conn| reads::keys(conn, key, &view, after.as_ref(), limit))
            .await
    }

    async fn page(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<ContactRecord>, StoreError> {
        let (view, after) = (view.clone(), after.cloned());
        let read = move |conn: &mut SqliteConnection| {
            reads::page(conn, key, &view, after.as_ref(), skip, limit)
        };
        self.readers.run(read).await
    }

    async fn spans(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        until: Option<&Document>,
        block: u64,
        most: usize,
    ) -> Result<Vec<Span>, StoreError> {
        let (view, after, until) = (view.clone(), after.cloned(), until.cloned());
        let read = move |conn: &mut SqliteConnection| {
            reads::spans(
                conn,
                key,
                &view,
                (after.as_ref(), until.as_ref()),
                block,
                most,
            )
        };
        self.readers.run(read).await
    }

    async fn get(
        &self,
        key: ContentKey,
        documents: &[Document],
    ) -> Result<Vec<ContactRecord>, StoreError> {
        let documents = documents.to_vec();
        self.readers
            .run(move |conn| reads::get(conn, key, documents))
            .await
    }

    async fn save_page_index(
        &self,
        key: ContentKey,
        revision: i64,
        blocks: &[(Document, u64)],
    ) -> Result<(), StoreError> {
        let blocks: Vec<(&str, u64)> = blocks.iter().map(|(d, n)| (d.as_str(), *n)).collect();
        let blocks =
            serde_json::to_string(&blocks).map_err(|e| StoreError::Internal(Box::new(e)))?;
        let change = move |conn: &mut SqliteConnection, blocks: &String| {
            sql_query(
                "INSERT INTO page_indexes (audience, epoch, revision, blocks) \
                 VALUES (?, ?, ?, ?) ON CONFLICT (audience, epoch) DO UPDATE SET \
                 revision = excluded.revision, blocks = excluded.blocks",
            )
            .bind::<BigInt, _>(key.audience.raw())
            .bind::<BigInt, _>(key.epoch.0)
            .bind::<BigInt, _>(revision)
            .bind::<Text, _>(blocks)
            .execute(conn)
            .map(drop)
            .map_err(error::store)
        };
        let run = self.writer.run(Priority::Bulk, |answer| {
            Rows::work(vec![blocks], change, answer)
        });
        run.await.map(drop)
    }

    async fn load_page_index(
        &self,
        key: ContentKey,
    ) -> Result<Option<(i64, Vec<(Document, u64)>)>, StoreError> {
        let read = move |conn: &mut SqliteConnection| {
            let row: Option<IndexRow> = sql_query(
                "SELECT revision, blocks FROM page_indexes WHERE audience = ? AND epoch = ?",
            )
            .bind::<BigInt, _>(key.audience.raw())
            .bind::<BigInt, _>(key.epoch.0)
            .get_result(conn)
            .optional()
            .map_err(error::store)?;
            let Some(row) = row else { return Ok(None) };
            let blocks: Vec<(String, u64)> = serde_json::from_str(&row.blocks)
                .map_err(|_| StoreError::Corrupt("a page index"))?;
            let block = |(last, count)| (Document::from_stored(last), count);
            Ok(Some((
                row.revision,
                blocks.into_iter().map(block).collect(),
            )))
        };
        self.readers.run(read).await
    }

    async fn purge_content(&self, key: ContentKey, limit: usize) -> Result<bool, StoreError> {
        let change = move |conn: &mut SqliteConnection, table: &&str| {
            let column = if *table == "page_indexes" {
                "revision"
            } else {
                "document"
            };
            sql_query(format!(
                "DELETE FROM {table} WHERE (audience, epoch, {column}) IN \
                 (SELECT audience, epoch, {column} FROM {table} \
                 WHERE audience = ? AND epoch = ? LIMIT ?)"
            ))
            .bind::<BigInt, _>(key.audience.raw())
            .bind::<BigInt, _>(key.epoch.0)
            .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
            .execute(conn)
            .map_err(error::store)
        };
        let tables = vec!["contacts", "tombstones", "page_indexes"];
        let run = self
            .writer
            .run(Priority::Bulk, |answer| Rows::work(tables, change, answer));
        Ok(run.await?.into_iter().any(|deleted| deleted >= limit))
    }

    async fn purge_removal(
        &self,
        key: ContentKey,
        removal: RemovalNo,
        purge: Purge,
        after: Option<&Document>,
        limit: usize,
    ) -> Result<Option<Document>, StoreError> {
        let after = after.map_or_else(String::new, |d| d.as_str().to_owned());
        let read = move |conn: &mut SqliteConnection| {
            let rows: Vec<StoneRow> = sql_query(
                "SELECT document, seq FROM tombstones WHERE audience = ? AND epoch = ? \
                 AND document > ? AND removal = ? ORDER BY document LIMIT ?",
            )
            .bind::<BigInt, _>(key.audience.raw())
            .bind::<BigInt, _>(key.epoch.0)
            .bind::<Text, _>(after)
            .bind::<BigInt, _>(removal.0)
            .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
            .load(conn)
            .map_err(error::store)?;
            let stone = |row: StoneRow| (Document::from_stored(row.document), Order(row.seq));
            Ok(rows.into_iter().map(stone).collect::<Vec<_>>())
        };
        let stones = self.readers.run(read).await?;
        let Some((last, _)) = stones.last().cloned() else {
            return Ok(None);
        };
        let change = move |conn: &mut SqliteConnection, stone: &(Document, Order)| {
            let (document, seen) = stone;
            let hides = (purge == Purge::Hidden).then_some(*seen);
            writes::purge(conn, key, removal, document, hides)
        };
        self.writer
            .run(Priority::Bulk, |answer| Rows::work(stones, change, answer))
            .await?;
        Ok(Some(last))
    }
}
