//! Printing the relational form.

use std::fmt::Write as _;

use domain::segment::{Condition, Scope, SegmentQuery};

use crate::{
    dialect::{Bind, Dialect, Missing, Own},
    lower::{condition, lower},
    relation::{Expr, Relation},
    statement::{Param, Params, Statement},
};

/// What a query answers.
#[derive(Clone, Copy)]
pub enum Want {
    /// One row with `counts`, numbers between commas: how many fulfil it, how many were looked at, and how
    /// many fulfil each condition by itself, group by group.
    Counts,
    /// Their `id`, `member_key`, `version` and `unsubscribed` (0 or 1), and what the dialect adds, ordered by key and
    /// number; at most so many.
    Members(Option<i64>),
}

/// The statement of a query.
///
/// # Errors
/// [`Missing`] where a condition asks for what the source of customers does not have.
pub fn statement(
    query: &SegmentQuery,
    want: Want,
    dialect: &dyn Dialect,
) -> Result<Statement, Missing> {
    let mut params = Params::default();
    let mut printer = Printer {
        query,
        bind: Bind {
            params: &mut params,
            dialect,
        },
        dialect,
    };
    let mut relation = lower(&query.predicate, &query.references);
    let text = match want {
        Want::Members(limit) => printer.members(&relation, limit)?,
        Want::Counts => {
            let each: Vec<&Condition> = query.predicate.conditions().collect();
            let each = each
                .into_iter()
                .map(|c| condition(&mut relation, c, &query.references, 1))
                .collect();
            printer.counts(&relation, each)?
        }
    };
    let params = params.0;
    Ok(Statement { text, params })
}

pub(crate) struct Printer<'p, 'b> {
    pub(crate) query: &'p SegmentQuery,
    pub(crate) bind: Bind<'b>,
    pub(crate) dialect: &'p dyn Dialect,
}

impl Printer<'_, '_> {
    pub(crate) fn text(&mut self, text: &str) -> String {
        self.bind.place(Param::Text(text.to_owned()))
    }

    /// The tenant of rows: a condition.
    pub(crate) fn tenant(&mut self, column: &str) -> String {
        let workspace = self.text(self.query.workspace.as_str());
        format!("{column} = {workspace}")
    }

    fn members(&mut self, relation: &Relation, limit: Option<i64>) -> Result<String, Missing> {
        let used = relation.used();
        let from = self.from(relation, used.iter().copied())?;
        let expr = self.expr(&relation.expr)?;
        let [id, key, version] =
            [Own::Id, Own::Key, Own::Version].map(|column| self.dialect.customer(column));
        let limit = limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
        let unsubscribed = self.dialect.unsubscribed(&id);
        Ok(format!(
            "{}SELECT {id} AS id, {key} AS member_key, {version} AS version, \
             {unsubscribed} AS unsubscribed{}{} AND {expr} ORDER BY 2, 1{limit}",
            from.with,
            self.dialect.given(),
            from.rows
        ))
    }

    fn counts(&mut self, relation: &Relation, each: Vec<Expr>) -> Result<String, Missing> {
        let from = self.from(relation, 0..relation.sets.len())?;
        let count = |expr: String| format!("COALESCE(SUM(CASE WHEN {expr} THEN 1 ELSE 0 END), 0)");
        let mut counts = vec![count(self.expr(&relation.expr)?), "COUNT(*)".to_owned()];
        for expr in &each {
            counts.push(count(self.expr(expr)?));
        }
        let texts: Vec<String> = counts
            .iter()
            .map(|count| self.dialect.digits(count))
            .collect();
        let counts = texts.join(" || ',' || ");
        Ok(format!(
            "{}SELECT {counts} AS counts{}",
            from.with, from.rows
        ))
    }

    /// The customers in scope beside the sets that are needed.
    fn from(
        &mut self,
        relation: &Relation,
        sets: impl Iterator<Item = usize>,
    ) -> Result<From, Missing> {
        let mut with = Vec::new();
        let mut joins = String::new();
        let id = self.dialect.customer(Own::Id);
        for index in sets {
            let Some(set) = relation.sets.get(index) else {
                continue;
            };
            with.push(format!(
                "s{index} AS {}({})",
                self.dialect.once(),
                self.set(set)?
            ));
            let _ = write!(joins, " LEFT JOIN s{index} ON s{index}.id = {id}");
        }
        let with = match with.is_empty() {
            true => String::new(),
            false => format!("WITH {} ", with.join(", ")),
        };
        let customers = self.dialect.customers();
        let scope = self.scope();
        let rows = format!(" FROM {customers}{joins} WHERE {scope}");
        Ok(From { with, rows })
    }

    /// The customers that are looked at: a condition.
    fn scope(&mut self) -> String {
        let id = self.dialect.customer(Own::Id);
        let tenant = self.own_tenant();
        let within = match &self.query.scope {
            Scope::Keys { after, until } => self.keys(after.as_deref(), until.as_deref()),
            _ => self.within(&id),
        };
        format!("{tenant}{within}")
    }

    /// The tenant of customers: a condition, which always holds where the source has one tenant.
    fn own_tenant(&mut self) -> String {
        let tenant = self.dialect.customer(Own::Workspace);
        match tenant.is_empty() {
            true => "TRUE".to_owned(),
            false => self.tenant(&tenant),
        }
    }

    fn keys(&mut self, after: Option<&str>, until: Option<&str>) -> String {
        let key = self.dialect.customer(Own::Key);
        let mut text = String::new();
        for (bound, operator) in [(after, ">"), (until, "<=")] {
            if let Some(bound) = bound {
                let bound = self.text(bound);
                let _ = write!(text, " AND {key} {operator} {bound}");
            }
        }
        text
    }

    /// Further conditions that hold for the numbers of customers that are looked at.
    pub(crate) fn within(&mut self, id: &str) -> String {
        let query = self.query;
        match &query.scope {
            Scope::All => String::new(),
            Scope::Ids(ids) => {
                let list = self.bind.place(Param::Ints(ids.clone()));
                format!(" AND {}", self.dialect.among(id, &list))
            }
            Scope::Ranges(ranges) => {
                let mut parts = Vec::new();
                for (first, last) in ranges {
                    let first = self.bind.place(Param::Int(*first));
                    let last = self.bind.place(Param::Int(*last));
                    parts.push(format!("{id} BETWEEN {first} AND {last}"));
                }
                format!(" AND ({})", parts.join(" OR "))
            }
            Scope::Keys { after, until } => {
                let (customers, own) = (self.dialect.customers(), self.dialect.customer(Own::Id));
                let tenant = self.own_tenant();
                let keys = self.keys(after.as_deref(), until.as_deref());
                format!(" AND {id} IN (SELECT {own} FROM {customers} WHERE {tenant}{keys})")
            }
        }
    }

    fn expr(&mut self, expr: &Expr) -> Result<String, Missing> {
        Ok(match expr {
            Expr::All(parts) if parts.is_empty() => "TRUE".to_owned(),
            Expr::Any(parts) if parts.is_empty() => "FALSE".to_owned(),
            Expr::All(parts) => format!("({})", self.exprs(parts)?.join(" AND ")),
            Expr::Any(parts) => format!("({})", self.exprs(parts)?.join(" OR ")),
            Expr::Not(inner) => format!("(NOT {})", self.expr(inner)?),
            Expr::In(set) => format!("(s{set}.id IS NOT NULL)"),
            Expr::Value(field, test) => self.value(field, test),
            Expr::Keys(keys) => {
                let list = self.bind.place(Param::Texts(keys.clone()));
                let key = self.dialect.customer(Own::Key);
                self.dialect.among(&key, &list)
            }
        })
    }

    fn exprs(&mut self, parts: &[Expr]) -> Result<Vec<String>, Missing> {
        parts.iter().map(|part| self.expr(part)).collect()
    }
}

/// Where the rows of a statement come from.
struct From {
    with: String,
    rows: String,
}
