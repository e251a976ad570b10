//! The port.

use async_trait::async_trait;
use domain::{
    contact::Document,
    shared::{RemovalNo, WorkspaceId, WriteNo},
};
use mongodb::bson::{doc, rawdoc};
use ports::{
    StoreError,
    contacts::{
        Applied, ContactRecord, ContactStore, ContentKey, KeyOnly, Order, Priority, Purge, Span,
        Tombstone, View,
    },
};

use crate::{
    batches,
    connect::MongoContacts,
    error, keys,
    patience::{caught_up, settled, within},
    purge, reads,
    rows::{CONTACTS, ContactRow, TOMBSTONES, TombstoneRow},
    upsert,
};

/// Longest page index that is kept: a document of the server holds 16 MB.
const LONGEST_INDEX: usize = 12 << 20;

#[async_trait]
impl ContactStore for MongoContacts {
    async fn upsert(
        &self,
        key: ContentKey,
        workspace: &WorkspaceId,
        write: WriteNo,
        rows: Vec<ContactRecord>,
        priority: Priority,
    ) -> Result<Vec<Applied>, StoreError> {
        let in_flight = self.pace.in_flight(priority);
        let rows: Vec<ContactRow> = rows
            .iter()
            .map(|row| ContactRow::new(key, workspace, write, row))
            .collect::<Result<_, _>>()?;
        settled(|| upsert::upsert(self, write, &rows, in_flight)).await
    }

    async fn stored_by(
        &self,
        key: ContentKey,
        write: WriteNo,
        documents: &[Document],
    ) -> Result<Vec<(Document, Option<Order>)>, StoreError> {
        let nobody = [rawdoc! { "q": { "_id": "" }, "limit": 1 }];
        let barrier = batches::delete(&self.database, CONTACTS, &nobody);
        caught_up(barrier, self.backlog).await?;
        within(reads::stored_by(self, key, write, documents)).await
    }

    async fn put_tombstones(
        &self,
        key: ContentKey,
        tombstones: Vec<Tombstone>,
        priority: Priority,
    ) -> Result<(), StoreError> {
        let in_flight = self.pace.in_flight(priority);
        let rows: Vec<TombstoneRow> = tombstones
            .iter()
            .map(|stone| TombstoneRow::new(key, stone))
            .collect();
        let stones = self.stones();
        let insert = || batches::insert(&stones, &rows, TombstoneRow::to_raw, in_flight);
        let there = settled(insert).await?;
        let updates: Vec<_> = there
            .iter()
            .filter_map(|at| rows.get(*at).map(TombstoneRow::to_update))
            .collect();
        let update = || batches::update(&self.database, TOMBSTONES, &updates, in_flight);
        settled(update).await.map(drop)
    }

    async fn tombstones(
        &self,
        key: ContentKey,
        documents: &[Document],
    ) -> Result<Vec<Tombstone>, StoreError> {
        within(reads::tombstones(self, key, documents)).await
    }

    async fn scan(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        limit: usize,
    ) -> Result<Vec<ContactRecord>, StoreError> {
        within(reads::page(self, key, view, after, 0, limit)).await
    }

    async fn scan_keys(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        limit: usize,
    ) -> Result<Vec<KeyOnly>, StoreError> {
        within(reads::keys(self, key, view, after, limit)).await
    }

    async fn page(
        &self,
        key: ContentKey,
        view: &View,
        after: Option<&Document>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<ContactRecord>, StoreError> {
        self.pace.somebody_waits();
        within(reads::page(self, key, view, after, skip, limit)).await
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
        within(reads::spans(self, key, view, after, until, block, most)).await
    }

    async fn get(
        &self,
        key: ContentKey,
        documents: &[Document],
    ) -> Result<Vec<ContactRecord>, StoreError> {
        within(reads::get(self, key, documents)).await
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
        if blocks.len() > LONGEST_INDEX {
            return Ok(());
        }
        let id = keys::prefix(key);
        let indexes = self.page_indexes();
        let saved = indexes
            .replace_one(doc! { "_id": &id }, doc! { "r": revision, "b": blocks })
            .upsert(true);
        within(async { saved.await.map(drop).map_err(error::store) }).await
    }

    async fn load_page_index(
        &self,
        key: ContentKey,
    ) -> Result<Option<(i64, Vec<(Document, u64)>)>, StoreError> {
        const CORRUPT: StoreError = StoreError::Corrupt("a page index");
        let indexes = self.page_indexes();
        let found = indexes.find_one(doc! { "_id": keys::prefix(key) });
        let found = within(async { found.await.map_err(error::store) });
        let Some(found) = found.await? else {
            return Ok(None);
        };
        let revision = found.get_i64("r").map_err(|_| CORRUPT)?;
        let blocks = found.get_str("b").map_err(|_| CORRUPT)?;
        let blocks: Vec<(String, u64)> = serde_json::from_str(blocks).map_err(|_| CORRUPT)?;
        let block = |(last, count)| (Document::from_stored(last), count);
        Ok(Some((revision, blocks.into_iter().map(block).collect())))
    }

    async fn purge_content(&self, key: ContentKey, limit: usize) -> Result<bool, StoreError> {
        within(purge::content(self, key, limit)).await
    }

    async fn purge_removal(
        &self,
        key: ContentKey,
        removal: RemovalNo,
        purge: Purge,
        after: Option<&Document>,
        limit: usize,
    ) -> Result<Option<Document>, StoreError> {
        within(purge::removal(self, key, removal, purge, after, limit)).await
    }
}
