//! Scores of buyers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What scores are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RfmBody {
    /// The event that is a purchase.
    #[schema(example = "order.paid")]
    pub event: String,
    /// Days that are looked at, 1 to 3,650.
    #[schema(example = 365)]
    pub window_days: u32,
}

/// What scores are made of, and when they were made last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RfmJson {
    /// The event that is a purchase; `order.paid` where nothing else was said.
    pub event: Cow<'static, str>,
    /// Days that are looked at; 365 where nothing else was said.
    pub window_days: u32,
    /// When scores were made last, if they were.
    pub scored_at: Option<String>,
}

/// Scores and who has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RfmGridJson {
    #[serde(flatten)]
    pub settings: RfmJson,
    /// Buyers that have scores.
    pub customers: i64,
    /// What their purchases come to, a decimal.
    #[schema(example = "1234.5")]
    pub money: String,
    /// The eleven cells, those without anybody included.
    pub cells: Vec<RfmCellJson>,
    /// The least value of each score.
    pub cut_offs: Vec<RfmCutOffJson>,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RfmCellJson {
    /// Its name.
    #[schema(example = "champions")]
    pub cell: Cow<'static, str>,
    /// Buyers in it.
    pub customers: i64,
    /// Their share of all that have scores, 0 to 1.
    pub share: f64,
    /// What their purchases come to, a decimal.
    pub money: String,
}

/// Where a score begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RfmCutOffJson {
    /// `recency`, `frequency` or `monetary`.
    pub score: Cow<'static, str>,
    /// 1 to 5, the best.
    pub value: u8,
    /// The least value that has it: a time, a number of purchases, or a decimal.
    pub from: String,
}
