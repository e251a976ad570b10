//! Reading customers.

use domain::customer::{Customer, CustomerEvent, CustomerId};
use ports::store::{
    AudienceQueries, CustomerCounts, CustomerFilter, CustomerLookup, EventFilter, TagCount,
};
use std::sync::Arc;

use crate::{Actor, AppError, AppResult};

/// Most customers that a look-up answers.
const MAX_FOUND: i64 = 100;

/// At most `limit` of the rows, of which one more was asked for; whether there was one.
fn page<T>(mut rows: Vec<T>, limit: i64) -> (Vec<T>, bool) {
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = rows.len() > limit;
    rows.truncate(limit);
    (rows, more)
}

/// Reads customers and what they did.
#[derive(Clone)]
pub struct ReadCustomers {
    pub(crate) queries: Arc<dyn AudienceQueries>,
}

impl ReadCustomers {
    /// One customer.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "customer.one", skip_all)]
    pub async fn one(&self, actor: &Actor, id: CustomerId) -> AppResult<Customer> {
        let found = self.queries.customer(&actor.workspace, id).await?;
        found.ok_or(AppError::NotFound)
    }

    /// A page of customers, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "customer.list", skip_all)]
    pub async fn list(
        &self,
        actor: &Actor,
        mut filter: CustomerFilter,
    ) -> AppResult<(Vec<Customer>, bool)> {
        let limit = filter.limit;
        filter.limit += 1;
        let queries = &self.queries;
        let rows = queries.customers(&actor.workspace, &filter).await?;
        Ok(page(rows, limit))
    }

    /// Customers who share something; at most a hundred.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "customer.look_up", skip_all)]
    pub async fn look_up(&self, actor: &Actor, by: &CustomerLookup) -> AppResult<Vec<Customer>> {
        let queries = &self.queries;
        let found = queries.look_up_customers(&actor.workspace, by, MAX_FOUND);
        Ok(found.await?)
    }

    /// How many customers there are.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "customer.counts", skip_all)]
    pub async fn counts(&self, actor: &Actor) -> AppResult<CustomerCounts> {
        Ok(self.queries.customer_counts(&actor.workspace).await?)
    }

    /// A page of labels, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "customer.tags", skip_all)]
    pub async fn tags(
        &self,
        actor: &Actor,
        after: Option<&str>,
        limit: i64,
    ) -> AppResult<(Vec<TagCount>, bool)> {
        let queries = &self.queries;
        let rows = queries.customer_tags(&actor.workspace, after, limit + 1);
        Ok(page(rows.await?, limit))
    }

    /// A page of a customer's events, newest first, and whether there are more.
    ///
    /// # Errors
    /// `NotFound` without such a customer; store errors.
    #[tracing::instrument(name = "customer.events", skip_all)]
    pub async fn events(
        &self,
        actor: &Actor,
        id: CustomerId,
        mut filter: EventFilter,
    ) -> AppResult<(Vec<CustomerEvent>, bool)> {
        self.one(actor, id).await?;
        let limit = filter.limit;
        filter.limit += 1;
        let queries = &self.queries;
        let rows = queries.customer_events(&actor.workspace, id, &filter);
        Ok(page(rows.await?, limit))
    }
}
