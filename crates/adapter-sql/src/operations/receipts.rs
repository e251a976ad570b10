//! Results of requests that may be repeated.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use ports::{StoreError, store::ReceiptLog};

use super::Conn;
use crate::{
    core::{error::store, types::Json},
    schema::operations::receipts,
};

/// Results of one transaction.
pub(super) struct Receipts<'c>(pub(super) &'c mut Conn);

#[async_trait]
impl ReceiptLog for Receipts<'_> {
    async fn put(&mut self, write_id: i64, result: serde_json::Value) -> Result<(), StoreError> {
        diesel::insert_into(receipts::table)
            .values((
                receipts::write_id.eq(write_id),
                receipts::result.eq(Json(result)),
            ))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn get(&mut self, write_id: i64) -> Result<Option<serde_json::Value>, StoreError> {
        receipts::table
            .find(write_id)
            .select(receipts::result)
            .first::<Json>(self.0)
            .await
            .optional()
            .map_err(store)
            .map(|result| result.map(|json| json.0))
    }
}

/// Deletes results of requests.
pub(super) const PURGE: &str = "
    DELETE FROM receipts WHERE write_id IN (
        SELECT write_id FROM receipts WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
