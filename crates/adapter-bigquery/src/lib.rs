//! A client of BigQuery's REST API: queries with named parameters, their rows page by page, their cost before
//! they run, and the columns of tables. It knows nothing of what is asked; [`segments`] asks it about the customers
//! of a workspace.
//!
//! SQL is the caller's; values are parameters and nothing else. Errors and `Debug` show neither credentials nor
//! values, of parameters or of rows.

mod answer;
mod api;
mod client;
mod credentials;
mod error;
mod query;
mod rows;
pub mod segments;
mod timer;
mod value;

pub use client::{BigQuery, Settings};
pub use credentials::Credentials;
pub use error::Error;
pub use http_client::Timeouts;
pub use query::{Param, Query};
pub use rows::{Begun, Bytes, Rows};
pub use timer::{SystemTimer, Timer};
pub use value::{Column, Mode, Row, Type, Value};
