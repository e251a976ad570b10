//! Customers.

mod directory;
mod events;
mod labels;
mod listing;
mod queries;
mod rows;
mod scores;
mod segments;
mod sources;
mod write;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    customer::{ClientRef, Customer, CustomerId, CustomerKey, Identity},
    shared::WorkspaceId,
};
use ports::{
    StoreError,
    store::{
        CustomerEventRepository, CustomerRepository, CustomerUnit, ScoreRepository,
        SegmentSourceRepository,
    },
};

pub(super) use events::PURGE as PURGE_EVENTS;

use super::{
    Backend, Conn, Db, audience, changes, cursor, dialect, direct, json_rows,
    transaction::Transaction,
};
use crate::{
    core::error::store,
    schema::customer::{customer_clients, customer_totals},
};

impl CustomerUnit for Transaction {
    fn customers(&mut self) -> Box<dyn CustomerRepository + '_> {
        Box::new(Customers(self.conn()))
    }

    fn customer_events(&mut self) -> Box<dyn CustomerEventRepository + '_> {
        Box::new(events::Events(self.conn()))
    }

    fn scores(&mut self) -> Box<dyn ScoreRepository + '_> {
        Box::new(scores::Scores(self.conn()))
    }

    fn segment_sources(&mut self) -> Box<dyn SegmentSourceRepository + '_> {
        Box::new(sources::Sources(self.conn()))
    }
}

/// Customers of one transaction.
struct Customers<'c>(&'c mut Conn);

/// Waits for the workspace's row, and has it until the transaction ends. Answers the last number, of
/// which `count` were taken now.
pub(super) async fn turn(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    count: i64,
) -> Result<i64, StoreError> {
    diesel::insert_into(customer_totals::table)
        .values((
            customer_totals::workspace.eq(workspace.as_str()),
            customer_totals::last_id.eq(count),
            customer_totals::customers.eq(0),
        ))
        .on_conflict(customer_totals::workspace)
        .do_update()
        .set(customer_totals::last_id.eq(customer_totals::last_id + count))
        .returning(customer_totals::last_id)
        .get_result(conn)
        .await
        .map_err(store)
}

fn client_of(identity: &Identity) -> &str {
    identity.client().map_or("", ClientRef::as_str)
}

#[async_trait]
impl CustomerRepository for Customers<'_> {
    async fn find(
        &mut self,
        workspace: &WorkspaceId,
        keys: &[CustomerKey],
    ) -> Result<Vec<Customer>, StoreError> {
        turn(self.0, workspace, 0).await?;
        rows::find(self.0, workspace, keys).await
    }

    async fn count(&mut self, workspace: &WorkspaceId) -> Result<i64, StoreError> {
        turn(self.0, workspace, 0).await?;
        customer_totals::table
            .find(workspace.as_str())
            .select(customer_totals::customers)
            .first(self.0)
            .await
            .map_err(store)
    }

    async fn take_numbers(
        &mut self,
        workspace: &WorkspaceId,
        count: usize,
    ) -> Result<CustomerId, StoreError> {
        let count = direct::limit(count);
        let last = turn(self.0, workspace, count).await?;
        Ok(CustomerId::from_raw(last - count + 1))
    }

    async fn add(
        &mut self,
        workspace: &WorkspaceId,
        customers: &[Customer],
    ) -> Result<(), StoreError> {
        if customers.is_empty() {
            return Ok(());
        }
        write::rows(self.0, workspace, customers, write::Existing::None).await?;
        write::count(self.0, workspace, customers).await?;
        labels::replace(self.0, workspace, customers).await?;
        write::consents(self.0, workspace, customers).await?;
        changes::after_write(self.0, workspace, customers).await
    }

    async fn save(
        &mut self,
        workspace: &WorkspaceId,
        customers: &[Customer],
    ) -> Result<(), StoreError> {
        if customers.is_empty() {
            return Ok(());
        }
        changes::before_save(self.0, workspace, customers).await?;
        write::rows(self.0, workspace, customers, write::Existing::Replaced).await?;
        labels::replace(self.0, workspace, customers).await?;
        write::consents(self.0, workspace, customers).await?;
        changes::after_write(self.0, workspace, customers).await
    }

    async fn name_client(
        &mut self,
        workspace: &WorkspaceId,
        client: &ClientRef,
        slug: &str,
    ) -> Result<(), StoreError> {
        diesel::insert_into(customer_clients::table)
            .values((
                customer_clients::workspace.eq(workspace.as_str()),
                customer_clients::client.eq(client.as_str()),
                customer_clients::slug.eq(slug),
                customer_clients::customers.eq(0),
            ))
            .on_conflict((customer_clients::workspace, customer_clients::client))
            .do_update()
            .set(customer_clients::slug.eq(slug))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }
}
