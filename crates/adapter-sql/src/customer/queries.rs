//! Reading customers outside a transaction.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    customer::{ClientRef, Customer, CustomerEvent, CustomerId, CustomerKey},
    segment::RfmScores,
    shared::WorkspaceId,
};
use ports::{
    StoreError,
    store::{
        ClientCount, CustomerContact, CustomerCounts, CustomerFilter, CustomerLookup,
        CustomerQueries, CutOff, EventFilter, ScoredCell, TagCount,
    },
};

use super::{
    Backend, Db, client_of, events, listing,
    rows::{self, CustomerRow},
    scores,
};
use crate::{
    core::error::store,
    schema::customer::{customer_clients, customer_tag_counts, customer_totals, customers},
};

/// Most clients that are counted one by one.
const MAX_CLIENTS: i64 = 1_000;

/// Of the customers of a workspace, in the order of their numbers.
fn of_workspace(workspace: &WorkspaceId, limit: i64) -> customers::BoxedQuery<'_, Backend> {
    customers::table
        .filter(customers::workspace.eq(workspace.as_str()))
        .order(customers::id)
        .limit(limit)
        .into_boxed::<Backend>()
}

fn sharing<'q>(
    workspace: &'q WorkspaceId,
    by: &'q CustomerLookup,
    limit: i64,
) -> customers::BoxedQuery<'q, Backend> {
    let query = of_workspace(workspace, limit);
    match by {
        CustomerLookup::Document(document) => {
            query.filter(customers::document.eq(document.as_str()))
        }
        CustomerLookup::Phone(phone) => query.filter(customers::phone.eq(phone)),
        CustomerLookup::Email(email) => query.filter(customers::email.eq(email)),
        CustomerLookup::Identity(identity) => query
            .filter(customers::client.eq(client_of(identity)))
            .filter(customers::identity.eq(identity.key())),
    }
}

impl Db {
    async fn customers_of(
        &self,
        workspace: &WorkspaceId,
        query: customers::BoxedQuery<'_, Backend>,
    ) -> Result<Vec<Customer>, StoreError> {
        let mut conn = self.reader().await?;
        let rows: Vec<CustomerRow> = query
            .select(CustomerRow::as_select())
            .load(&mut *conn)
            .await
            .map_err(store)?;
        rows::read(&mut conn, workspace, rows).await
    }
}

#[async_trait]
impl CustomerQueries for Db {
    async fn customer(
        &self,
        workspace: &WorkspaceId,
        id: CustomerId,
    ) -> Result<Option<Customer>, StoreError> {
        let query = of_workspace(workspace, 1).filter(customers::id.eq(id.raw()));
        Ok(self.customers_of(workspace, query).await?.pop())
    }

    async fn customers_of(
        &self,
        workspace: &WorkspaceId,
        ids: &[CustomerId],
    ) -> Result<Vec<Customer>, StoreError> {
        let keys: Vec<CustomerKey> = ids.iter().copied().map(CustomerKey::Id).collect();
        let mut conn = self.reader().await?;
        let mut customers = rows::find(&mut conn, workspace, &keys).await?;
        customers.sort_unstable_by_key(|customer| customer.id);
        Ok(customers)
    }

    async fn contacts_of(
        &self,
        workspace: &WorkspaceId,
        ids: &[CustomerId],
    ) -> Result<Vec<CustomerContact>, StoreError> {
        let keys: Vec<CustomerKey> = ids.iter().copied().map(CustomerKey::Id).collect();
        let mut conn = self.reader().await?;
        rows::contacts(&mut conn, workspace, &keys).await
    }

    async fn customers_of_keys(
        &self,
        workspace: &WorkspaceId,
        keys: &[&str],
    ) -> Result<Vec<Customer>, StoreError> {
        let query = customers::table
            .filter(customers::workspace.eq(workspace.as_str()))
            .filter(customers::member_key.eq_any(keys))
            .order((customers::member_key, customers::id))
            .into_boxed::<Backend>();
        self.customers_of(workspace, query).await
    }

    async fn customers(
        &self,
        workspace: &WorkspaceId,
        filter: &CustomerFilter,
    ) -> Result<Vec<Customer>, StoreError> {
        let mut conn = self.reader().await?;
        let page = listing::page(&mut conn, workspace, filter).await?;
        let mut customers = rows::find(&mut conn, workspace, &page).await?;
        customers.sort_unstable_by_key(|customer| customer.id);
        Ok(customers)
    }

    async fn look_up_customers(
        &self,
        workspace: &WorkspaceId,
        by: &CustomerLookup,
        limit: i64,
    ) -> Result<Vec<Customer>, StoreError> {
        self.customers_of(workspace, sharing(workspace, by, limit))
            .await
    }

    async fn customer_counts(&self, workspace: &WorkspaceId) -> Result<CustomerCounts, StoreError> {
        let mut conn = self.reader().await?;
        // One statement, so that the numbers belong together.
        let rows: Vec<(i64, Option<String>, Option<String>, Option<i64>)> = customer_totals::table
            .left_join(
                customer_clients::table
                    .on(customer_clients::workspace.eq(customer_totals::workspace)),
            )
            .filter(customer_totals::workspace.eq(workspace.as_str()))
            .order(customer_clients::client)
            .limit(MAX_CLIENTS)
            .select((
                customer_totals::customers,
                customer_clients::client.nullable(),
                customer_clients::slug.nullable(),
                customer_clients::customers.nullable(),
            ))
            .load(&mut *conn)
            .await
            .map_err(store)?;
        let mut counts = CustomerCounts::default();
        for (total, client, slug, customers) in rows {
            counts.total = total;
            if let (Some(client), Some(slug), Some(customers)) = (client, slug, customers) {
                let client = ClientRef::parse(&client)
                    .map_err(|_| StoreError::Corrupt("client of customers"))?;
                counts.by_client.push(ClientCount {
                    client,
                    slug,
                    customers,
                });
            }
        }
        Ok(counts)
    }

    async fn customer_tags(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<TagCount>, StoreError> {
        let rows: Vec<(String, String, i64)> = customer_tag_counts::table
            .filter(customer_tag_counts::workspace.eq(workspace.as_str()))
            .filter(customer_tag_counts::tag.gt(after.unwrap_or_default()))
            .filter(customer_tag_counts::customers.gt(0))
            .order(customer_tag_counts::tag)
            .limit(limit)
            .select((
                customer_tag_counts::tag,
                customer_tag_counts::label,
                customer_tag_counts::customers,
            ))
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        let count = |(key, label, customers)| TagCount {
            key,
            label,
            customers,
        };
        Ok(rows.into_iter().map(count).collect())
    }

    async fn scores_of(
        &self,
        workspace: &WorkspaceId,
        customer: CustomerId,
    ) -> Result<Option<RfmScores>, StoreError> {
        scores::of(&mut *self.reader().await?, workspace, customer).await
    }

    async fn scored_cells(&self, workspace: &WorkspaceId) -> Result<Vec<ScoredCell>, StoreError> {
        scores::cells(&mut *self.reader().await?, workspace).await
    }

    async fn cut_offs(&self, workspace: &WorkspaceId) -> Result<Vec<CutOff>, StoreError> {
        scores::cut_offs(&mut *self.reader().await?, workspace).await
    }

    async fn customer_events(
        &self,
        workspace: &WorkspaceId,
        customer: CustomerId,
        filter: &EventFilter,
    ) -> Result<Vec<CustomerEvent>, StoreError> {
        events::list(&mut *self.reader().await?, workspace, customer, filter).await
    }
}
