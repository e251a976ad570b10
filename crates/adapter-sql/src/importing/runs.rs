//! Runs: which are live, how far their walks are, and the cursors.

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Binary, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    importing::{
        ExternalId,
        walk::{Checkpoint, Mark},
    },
    shared::{ClientId, Instant, OperationId},
};
use ports::{
    StoreError,
    importing::{ImportKind, ListKey, Opened, RunRepository, StoredWalk},
};

use super::Conn;
use crate::core::{
    error::store,
    types::{At, UtcMillis},
};

/// `lastImportAt` under the name that the predecessor gave it.
const LAST_IMPORT_AT: &str = "tickets_import";
const CONTACTS_PAGE: &str = "contacts:page";
const CUSTOMER_BATCHES: &str = "customers:batch";

/// Runs of one transaction.
pub(super) struct Runs<'c>(pub(super) &'c mut Conn);

#[derive(QueryableByName)]
struct Live {
    #[diesel(sql_type = BigInt)]
    operation: i64,
}

#[derive(QueryableByName)]
struct Walk {
    #[diesel(sql_type = Text)]
    checkpoint: String,
}

#[derive(QueryableByName)]
struct Keys {
    #[diesel(sql_type = Binary)]
    keys: Vec<u8>,
}

#[derive(QueryableByName)]
struct List {
    #[diesel(sql_type = Text)]
    list: String,
}

#[derive(QueryableByName)]
struct Cursor {
    #[diesel(sql_type = Nullable<UtcMillis>)]
    at: Option<At>,
    #[diesel(sql_type = Nullable<BigInt>)]
    page: Option<i64>,
}

/// Beside a live run nothing is inserted; the answer is the live one either way.
const OPEN: &str = "
    INSERT INTO import_runs (operation, client, kind, live) VALUES ($1, $2, $3, 1)
    ON CONFLICT (client, kind) WHERE live = 1 DO UPDATE SET live = 1
    RETURNING operation";

const SAVE_WALK: &str = "
    INSERT INTO import_walks (operation, list, checkpoint) VALUES ($1, $2, $3)
    ON CONFLICT (operation, list) DO UPDATE SET checkpoint = excluded.checkpoint";

const SAVE_MARK: &str = "
    INSERT INTO import_marks (operation, list, pass, request, keys) VALUES ($1, $2, $3, $4, $5)";

const MOVE_CURSOR: &str = "
    INSERT INTO import_cursors (client, key, at) VALUES ($1, $2, $3)
    ON CONFLICT (client, key) DO UPDATE SET at = excluded.at WHERE import_cursors.at < excluded.at";

const SAVE_PAGE: &str = "
    INSERT INTO import_cursors (client, key, page) VALUES ($1, $2, $3)
    ON CONFLICT (client, key) DO UPDATE SET page = excluded.page";

const NEXT_BATCH: &str = "
    INSERT INTO import_cursors (client, key, page) VALUES ($1, $2, 1)
    ON CONFLICT (client, key) DO UPDATE SET page = import_cursors.page + 1
    RETURNING at, page";

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Runs<'_> {
    async fn stored_cursor(
        &mut self,
        client: ClientId,
        key: &str,
    ) -> Result<Option<Cursor>, StoreError> {
        sql_query("SELECT at, page FROM import_cursors WHERE client = $1 AND key = $2")
            .bind::<BigInt, _>(client.raw())
            .bind::<Text, _>(key)
            .get_result(self.0)
            .await
            .optional()
            .map_err(store)
    }

    /// Runs a statement that names the operation `$1`.
    async fn of_operation(&mut self, text: &str, operation: OperationId) -> Result<(), StoreError> {
        sql_query(text)
            .bind::<BigInt, _>(operation.raw())
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    /// Runs a statement that names the operation `$1`, then the list.
    async fn of_list(
        &mut self,
        text: &str,
        operation: OperationId,
        list: &str,
    ) -> Result<(), StoreError> {
        sql_query(text)
            .bind::<BigInt, _>(operation.raw())
            .bind::<Text, _>(list)
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }
}

#[async_trait]
impl RunRepository for Runs<'_> {
    async fn open(
        &mut self,
        client: ClientId,
        kind: ImportKind,
        operation: OperationId,
    ) -> Result<Opened, StoreError> {
        let ended = "DELETE FROM import_runs WHERE operation = $1 AND live = 0";
        self.of_operation(ended, operation).await?;
        let live: Live = sql_query(OPEN)
            .bind::<BigInt, _>(operation.raw())
            .bind::<BigInt, _>(client.raw())
            .bind::<Text, _>(kind.as_str())
            .get_result(self.0)
            .await
            .map_err(store)?;
        if live.operation == operation.raw() {
            return Ok(Opened::New);
        }
        Ok(Opened::Joined(OperationId::from_raw(live.operation)))
    }

    async fn close(&mut self, operation: OperationId) -> Result<(), StoreError> {
        let text = "UPDATE import_runs SET live = 0 WHERE operation = $1";
        self.of_operation(text, operation).await
    }

    async fn forget_walks(&mut self, operation: OperationId) -> Result<(), StoreError> {
        for text in [
            "DELETE FROM import_marks WHERE operation = $1",
            "DELETE FROM import_walks WHERE operation = $1",
        ] {
            self.of_operation(text, operation).await?;
        }
        Ok(())
    }

    async fn forget_ended(&mut self, client: ClientId, kind: ImportKind) -> Result<(), StoreError> {
        for table in ["import_marks", "import_walks"] {
            let text = format!(
                "DELETE FROM {table} WHERE operation IN
                     (SELECT operation FROM import_runs WHERE client = $1 AND kind = $2 AND live = 0)"
            );
            sql_query(text)
                .bind::<BigInt, _>(client.raw())
                .bind::<Text, _>(kind.as_str())
                .execute(self.0)
                .await
                .map_err(store)?;
        }
        Ok(())
    }

    async fn next_batch(&mut self, client: ClientId) -> Result<i64, StoreError> {
        let next: Cursor = sql_query(NEXT_BATCH)
            .bind::<BigInt, _>(client.raw())
            .bind::<Text, _>(CUSTOMER_BATCHES)
            .get_result(self.0)
            .await
            .map_err(store)?;
        next.page.ok_or(StoreError::Corrupt("number of a batch"))
    }

    async fn save_walk(
        &mut self,
        operation: OperationId,
        list: &ListKey,
        checkpoint: &Checkpoint,
        mark: &Mark,
    ) -> Result<(), StoreError> {
        let list = list.to_text();
        let state =
            serde_json::to_string(checkpoint).map_err(|e| StoreError::Internal(Box::new(e)))?;
        sql_query(SAVE_WALK)
            .bind::<BigInt, _>(operation.raw())
            .bind::<Text, _>(&list)
            .bind::<Text, _>(state)
            .execute(self.0)
            .await
            .map_err(store)?;
        if mark.pass != checkpoint.pass() {
            let text = "DELETE FROM import_marks WHERE operation = $1 AND list = $2";
            return self.of_list(text, operation, &list).await;
        }
        if mark.keys.is_empty() {
            return Ok(());
        }
        sql_query(SAVE_MARK)
            .bind::<BigInt, _>(operation.raw())
            .bind::<Text, _>(&list)
            .bind::<BigInt, _>(i64::from(mark.pass))
            .bind::<BigInt, _>(signed(mark.request))
            .bind::<Binary, _>(mark.to_bytes())
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn walk(
        &mut self,
        operation: OperationId,
        list: &ListKey,
    ) -> Result<Option<StoredWalk>, StoreError> {
        let list = list.to_text();
        let walk: Option<Walk> =
            sql_query("SELECT checkpoint FROM import_walks WHERE operation = $1 AND list = $2")
                .bind::<BigInt, _>(operation.raw())
                .bind::<Text, _>(&list)
                .get_result(self.0)
                .await
                .optional()
                .map_err(store)?;
        let Some(walk) = walk else {
            return Ok(None);
        };
        let checkpoint: Checkpoint = serde_json::from_str(&walk.checkpoint)
            .map_err(|_| StoreError::Corrupt("checkpoint of a walk"))?;
        let marks: Vec<Keys> = sql_query(
            "SELECT keys FROM import_marks WHERE operation = $1 AND list = $2 AND pass = $3",
        )
        .bind::<BigInt, _>(operation.raw())
        .bind::<Text, _>(&list)
        .bind::<BigInt, _>(i64::from(checkpoint.pass()))
        .load(self.0)
        .await
        .map_err(store)?;
        let keys = marks.iter().flat_map(|mark| Mark::keys_of(&mark.keys));
        Ok(Some(StoredWalk {
            keys: keys.collect(),
            checkpoint,
        }))
    }

    async fn message_walks(
        &mut self,
        operation: OperationId,
    ) -> Result<Vec<ExternalId>, StoreError> {
        let lists: Vec<List> = sql_query(
            "SELECT list FROM import_walks WHERE operation = $1 AND list LIKE 'messages:%'",
        )
        .bind::<BigInt, _>(operation.raw())
        .load(self.0)
        .await
        .map_err(store)?;
        let ticket = |row: List| {
            let id = row.list.strip_prefix(ListKey::MESSAGES)?;
            Some(ExternalId::from_stored(id.to_owned()))
        };
        Ok(lists.into_iter().filter_map(ticket).collect())
    }

    async fn end_walk(&mut self, operation: OperationId, list: &ListKey) -> Result<(), StoreError> {
        let list = list.to_text();
        for text in [
            "DELETE FROM import_marks WHERE operation = $1 AND list = $2",
            "DELETE FROM import_walks WHERE operation = $1 AND list = $2",
        ] {
            self.of_list(text, operation, &list).await?;
        }
        Ok(())
    }

    async fn cursor(&mut self, client: ClientId) -> Result<Option<Instant>, StoreError> {
        let cursor = self.stored_cursor(client, LAST_IMPORT_AT).await?;
        Ok(cursor.and_then(|cursor| cursor.at).map(|at| at.0))
    }

    async fn move_cursor(&mut self, client: ClientId, to: Instant) -> Result<(), StoreError> {
        sql_query(MOVE_CURSOR)
            .bind::<BigInt, _>(client.raw())
            .bind::<Text, _>(LAST_IMPORT_AT)
            .bind::<UtcMillis, _>(At(to))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn contacts_page(&mut self, client: ClientId) -> Result<u64, StoreError> {
        let cursor = self.stored_cursor(client, CONTACTS_PAGE).await?;
        let page = cursor.and_then(|cursor| cursor.page).unwrap_or_default();
        Ok(u64::try_from(page).unwrap_or_default())
    }

    async fn save_contacts_page(&mut self, client: ClientId, page: u64) -> Result<(), StoreError> {
        sql_query(SAVE_PAGE)
            .bind::<BigInt, _>(client.raw())
            .bind::<Text, _>(CONTACTS_PAGE)
            .bind::<BigInt, _>(signed(page))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }
}
