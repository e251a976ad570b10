//! What a source lacks, before anybody relies on it.

use std::{sync::Arc, time::Duration};

use domain::segment::{
    BigQuerySource, BillingMonth, Logic, NeededColumn, Notation, Predicate, References, Scope,
    SegmentQuery,
};
use ports::{
    Clock,
    warehouse::{Question, Warehouse, WarehouseColumn, WarehouseError},
};
use tokio::time::timeout;

use super::{
    OpenSource,
    budget::unsigned,
    open::{OpenError, Opened},
};
use crate::{Actor, AppResult};

/// Longest wait for the whole.
const PATIENCE: Duration = Duration::from_secs(45);

/// What a source has and lacks.
#[derive(Debug)]
pub struct Checked {
    /// Its limits; none of the own store.
    pub usage: Option<Usage>,
    /// What is wrong with the source as a whole.
    pub errors: Vec<Finding>,
    /// Table by table.
    pub tables: Vec<CheckedTable>,
}

/// What queries have cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The month.
    pub month: BillingMonth,
    /// Bytes billed in it.
    pub bytes: u64,
    /// Most bytes of it.
    pub most: u64,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable code in `snake_case`.
    pub code: &'static str,
    /// One sentence for a person; no secret.
    pub detail: String,
}

/// A table.
#[derive(Debug)]
pub struct CheckedTable {
    /// The member of the source that names it: `customers` or `events`.
    pub member: &'static str,
    /// Its name.
    pub table: String,
    /// Why it could not be looked at, or that it is missing.
    pub error: Option<Finding>,
    /// Column by column.
    pub columns: Vec<CheckedColumn>,
}

/// A column.
#[derive(Debug)]
pub struct CheckedColumn {
    /// The member that names it.
    pub purpose: String,
    /// Its name.
    pub column: String,
    /// Types that it may have.
    pub expected: Vec<&'static str>,
    /// The type that it has; none where it is missing.
    pub found: Option<String>,
    /// What is wrong with it.
    pub error: Option<Finding>,
}

impl Checked {
    /// Whether nothing is wrong.
    pub fn is_right(&self) -> bool {
        self.errors.is_empty() && self.tables.iter().all(CheckedTable::is_right)
    }
}

impl CheckedTable {
    /// Whether nothing is wrong with it.
    pub fn is_right(&self) -> bool {
        self.error.is_none() && self.columns.iter().all(|column| column.error.is_none())
    }
}

/// Says what a source lacks.
#[derive(Clone)]
pub struct CheckSegmentSource {
    pub(crate) open: OpenSource,
    pub(crate) clock: Arc<dyn Clock>,
}

impl CheckSegmentSource {
    /// Looks at the source of the caller's workspace, table by table. Nothing is billed.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "segment_source.check", skip_all)]
    pub async fn execute(&self, actor: &Actor) -> AppResult<Checked> {
        let mut checked = Checked {
            usage: None,
            errors: Vec::new(),
            tables: Vec::new(),
        };
        let opened = match self.open.of(&actor.workspace).await {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(checked),
            Err(OpenError::Store(error)) => return Err(error.into()),
            Err(OpenError::Warehouse(error)) => {
                checked.errors.push(finding(error));
                return Ok(checked);
            }
        };
        checked.usage = Some(self.usage(actor, &opened.source).await?);
        let looked = timeout(PATIENCE, self.look(actor, &opened, &mut checked)).await;
        if looked.is_err() {
            checked.errors.push(Finding {
                code: "source_timeout",
                detail: "the check took longer than 45 seconds".to_owned(),
            });
        }
        Ok(checked)
    }

    async fn usage(&self, actor: &Actor, source: &BigQuerySource) -> AppResult<Usage> {
        let month = BillingMonth::of(self.clock.now());
        let queries = &self.open.queries;
        let bytes = queries.billed_bytes(&actor.workspace, month).await?;
        Ok(Usage {
            month,
            bytes: unsigned(bytes),
            most: source.monthly_bytes,
        })
    }

    async fn look(&self, actor: &Actor, opened: &Opened, checked: &mut Checked) {
        for (member, table, needed) in opened.source.tables() {
            let looked = look_at(&*opened.warehouse, member, table, &needed).await;
            checked.tables.push(looked);
        }
        if !checked.is_right() {
            return;
        }
        // Tables can be seen; whether they can be asked is another permission.
        let everybody = SegmentQuery {
            workspace: actor.workspace.clone(),
            predicate: Predicate {
                between: Logic::And,
                notation: Notation::default(),
                groups: Vec::new(),
            },
            references: References::new(),
            now: self.clock.now(),
            scope: Scope::All,
        };
        let asked = opened.warehouse.cost(&everybody, Question::People(None));
        checked.errors.extend(asked.await.err().map(finding));
    }
}

async fn look_at(
    warehouse: &dyn Warehouse,
    member: &'static str,
    table: &str,
    needed: &[NeededColumn<'_>],
) -> CheckedTable {
    let looked = |error, columns| CheckedTable {
        member,
        table: table.to_owned(),
        error,
        columns,
    };
    match warehouse.columns(table).await {
        Ok(Some(found)) => {
            let columns = needed.iter().map(|needed| compared(needed, &found));
            looked(None, columns.collect())
        }
        Ok(None) => {
            let missing = Finding {
                code: "missing_table",
                detail: "there is no such table in this data set".to_owned(),
            };
            looked(Some(missing), Vec::new())
        }
        Err(error) => looked(Some(finding(error)), Vec::new()),
    }
}

fn compared(needed: &NeededColumn<'_>, found: &[WarehouseColumn]) -> CheckedColumn {
    // BigQuery's names of columns are told apart without regard to case.
    let same =
        |column: &&WarehouseColumn| column.name.to_lowercase() == needed.column.to_lowercase();
    let found = found.iter().find(same).map(|column| column.of_type.clone());
    let expected: Vec<&'static str> = needed.types.iter().map(|t| t.as_str()).collect();
    let error = match found.as_deref() {
        None => Some(Finding {
            code: "missing_column",
            detail: "the table has no such column".to_owned(),
        }),
        Some(found) if !expected.contains(&found) => Some(Finding {
            code: "wrong_type",
            detail: format!("it is {found} and must be {}", expected.join(" or ")),
        }),
        Some(_) => None,
    };
    CheckedColumn {
        purpose: needed.purpose.clone(),
        column: needed.column.to_owned(),
        expected,
        found,
        error,
    }
}

fn finding(error: WarehouseError) -> Finding {
    let detail = error.to_string();
    let code = match error {
        WarehouseError::Missing(_) => "missing_column",
        WarehouseError::BytesLimit { .. } => "bytes_limit",
        WarehouseError::Away { code, .. } | WarehouseError::Refused { code, .. } => code,
    };
    Finding { code, detail }
}
