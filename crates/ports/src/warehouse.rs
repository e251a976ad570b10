//! Customers in a warehouse outside, such as BigQuery: what tables have, what a query would cost, and its answer.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::segment::{BigQuerySource, SegmentQuery, SourceCredentials};

use crate::segments::SegmentCounts;

/// Reaches warehouses.
pub trait Warehouses: Send + Sync {
    /// The tables of a source. Nothing is sent yet.
    ///
    /// # Errors
    /// When the source cannot be reached with these credentials whatever is asked.
    fn open(
        &self,
        source: &BigQuerySource,
        credentials: &SourceCredentials,
    ) -> Result<Arc<dyn Warehouse>, WarehouseError>;
}

/// What is asked about a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// How many fulfil it, and each condition by itself.
    Counts,
    /// Who fulfils it, in the order of keys; at most so many.
    People(Option<usize>),
}

/// The tables of one workspace. Every query is limited in bytes and in time; a job whose time is over is cancelled.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// The columns of a table of the source; `None` where there is no such table.
    async fn columns(&self, table: &str) -> Result<Option<Vec<WarehouseColumn>>, WarehouseError>;

    /// How many bytes an answer would take. It costs nothing. Of an answer that is there still, none.
    async fn cost(&self, query: &SegmentQuery, question: Question) -> Result<u64, WarehouseError>;

    /// How many fulfil a query, and the bytes that are billed. More than `most` are never billed.
    async fn counts(
        &self,
        query: &SegmentQuery,
        most: u64,
    ) -> Result<(SegmentCounts, u64), WarehouseError>;

    /// Who fulfils a query, ordered by key. More than `most` bytes are never billed.
    async fn people(
        &self,
        query: &SegmentQuery,
        limit: Option<usize>,
        most: u64,
    ) -> Result<Box<dyn WarehousePeople>, WarehouseError>;
}

/// People that are still to come.
#[async_trait]
pub trait WarehousePeople: Send {
    /// The next of them; none at the end.
    async fn next(&mut self) -> Result<Vec<WarehousePerson>, WarehouseError>;

    /// The bytes that are billed for them, once the first are there.
    async fn billed(&mut self) -> Result<u64, WarehouseError>;
}

/// A row of customers as it is in the table. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct WarehousePerson {
    /// The key in audiences, by which rows are ordered.
    pub key: String,
    /// What the key is made of: the document, or what stands for one that is missing.
    pub written: String,
    /// The name.
    pub name: Option<String>,
    /// The phone.
    pub phone: Option<String>,
    /// The e-mail.
    pub email: Option<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarehouseColumn {
    /// Its name.
    pub name: String,
    /// The name of its type; of a column that holds many values in a row, `ARRAY`.
    pub of_type: String,
}

/// Why a warehouse has no answer. Neither credentials nor values are in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WarehouseError {
    /// A condition asks for what the source does not have.
    #[error("the source of customers has no {0}")]
    Missing(&'static str),
    /// It would be billed for more than it may. Nothing was billed.
    #[error("the query may be billed for {limit} bytes")]
    BytesLimit {
        /// The most that it may.
        limit: u64,
        /// How many it needs, where that is known.
        needed: Option<u64>,
    },
    /// It cannot be reached, or is overloaded; the same may succeed later.
    #[error("{detail}")]
    Away {
        /// Stable code in `snake_case`.
        code: &'static str,
        /// One sentence for a person.
        detail: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// It refuses, and would refuse again.
    #[error("{detail}")]
    Refused {
        /// Stable code in `snake_case`.
        code: &'static str,
        /// One sentence for a person.
        detail: String,
    },
}
