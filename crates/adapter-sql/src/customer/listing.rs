//! Which customers a list shows.
//!
//! The text is put together here, because the table that a list is read from depends on the filter:
//! it is read along the index of a label or of what was said, so that a page of few among many costs
//! what it shows.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    customer::{Channel, ConsentStatus, CustomerId, CustomerKey},
    shared::{WorkspaceId, fold_key},
};
use ports::{StoreError, store::CustomerFilter};

use super::{Backend, Conn};
use crate::core::error::store;

enum Value {
    Text(String),
    Number(i64),
}

/// Conditions on a table `d`, in the order of their parameters.
struct Conditions {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// Adds a condition in which `?` stands for the value.
    fn add(&mut self, text: &str, value: Value) {
        self.values.push(value);
        let parameter = format!("${}", self.values.len());
        self.texts.push(text.replace('?', &parameter));
    }
}

#[derive(QueryableByName)]
struct Listed {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// That a channel was spoken of in this way, on a table `table`. Names of a closed list.
fn said(table: &str, (channel, status): (Channel, ConsentStatus)) -> String {
    let (channel, status) = (channel.as_str(), status.as_str());
    format!("{table}.channel = '{channel}' AND {table}.status = '{status}'")
}

/// The numbers of the customers of a page.
pub(super) async fn page(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    filter: &CustomerFilter,
) -> Result<Vec<CustomerKey>, StoreError> {
    let (table, id) = match (&filter.tag, filter.consent) {
        (Some(_), _) => ("customer_tags", "d.customer"),
        (None, Some(_)) => ("customer_consents", "d.customer"),
        (None, None) => ("customers", "d.id"),
    };
    let mut all = Conditions {
        texts: Vec::new(),
        values: Vec::new(),
    };
    all.add("d.workspace = ?", Value::Text(workspace.to_string()));
    match (&filter.tag, filter.consent) {
        (Some(tag), consent) => {
            all.add("d.tag = ?", Value::Text(fold_key(tag.trim())));
            all.texts.extend(consent.map(|consent| {
                let said = said("s", consent);
                format!(
                    "EXISTS (SELECT 1 FROM customer_consents s
                     WHERE s.workspace = d.workspace AND s.customer = d.customer AND {said})"
                )
            }));
        }
        (None, Some(consent)) => all.texts.push(said("d", consent)),
        (None, None) => {}
    }
    let customer = |condition: &str| match table {
        "customers" => format!("d.{condition}"),
        _ => format!(
            "EXISTS (SELECT 1 FROM customers c
             WHERE c.workspace = d.workspace AND c.id = d.customer AND c.{condition})"
        ),
    };
    match filter.imported {
        Some(true) => all.texts.push(customer("client <> ''")),
        Some(false) => all.texts.push(customer("client = ''")),
        None => {}
    }
    if let Some(client) = &filter.client {
        let value = Value::Text(client.as_str().to_owned());
        all.add(&customer("client = ?"), value);
    }
    if let Some(after) = filter.after {
        all.add(&format!("{id} > ?"), Value::Number(after.raw()));
    }
    let Conditions { texts, mut values } = all;
    values.push(Value::Number(filter.limit));
    let text = format!(
        "SELECT {id} AS id FROM {table} d WHERE {conditions} ORDER BY {id} LIMIT ${limit}",
        conditions = texts.join(" AND "),
        limit = values.len(),
    );
    let mut query = sql_query(text).into_boxed::<Backend>();
    for value in values {
        query = match value {
            Value::Text(text) => query.bind::<Text, _>(text),
            Value::Number(number) => query.bind::<BigInt, _>(number),
        };
    }
    let rows: Vec<Listed> = query.load(conn).await.map_err(store)?;
    let key = |row: Listed| CustomerKey::Id(CustomerId::from_raw(row.id));
    Ok(rows.into_iter().map(key).collect())
}
