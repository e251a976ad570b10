use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of a list that is walked by cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The items.
    pub data: Vec<T>,
    /// Takes the next page; null at the end.
    pub next_cursor: Option<String>,
}
