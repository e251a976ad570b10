//! The environment that a database belongs to.

use async_trait::async_trait;
use diesel::{prelude::*, sql_query, sql_types::Text};
use diesel_async::RunQueryDsl;
use ports::{StoreError, bus::EnvironmentStore, store::Durability};

use super::{Conn, Db, transaction::Transaction};
use crate::{core::error::store, schema::messaging::environment};

async fn stored(conn: &mut Conn) -> Result<Option<String>, StoreError> {
    environment::table
        .select(environment::id)
        .first(conn)
        .await
        .optional()
        .map_err(store)
}

#[async_trait]
impl EnvironmentStore for Db {
    async fn environment(&self, own: &str) -> Result<String, StoreError> {
        if let Some(id) = stored(&mut *self.reader().await?).await? {
            return Ok(id);
        }
        let mut transaction = Transaction::begin(self, Durability::Full).await?;
        sql_query("INSERT INTO environment (one, id) VALUES (1, $1) ON CONFLICT (one) DO NOTHING")
            .bind::<Text, _>(own)
            .execute(transaction.conn())
            .await
            .map_err(store)?;
        let id = stored(transaction.conn()).await?;
        transaction.commit().await?;
        id.ok_or(StoreError::Corrupt("the environment of the database"))
    }

    async fn adopt(&self, own: &str) -> Result<Option<String>, StoreError> {
        let mut transaction = Transaction::begin(self, Durability::Full).await?;
        let before = stored(transaction.conn()).await?;
        sql_query(
            "INSERT INTO environment (one, id) VALUES (1, $1)
             ON CONFLICT (one) DO UPDATE SET id = excluded.id",
        )
        .bind::<Text, _>(own)
        .execute(transaction.conn())
        .await
        .map_err(store)?;
        transaction.commit().await?;
        Ok(before)
    }
}
