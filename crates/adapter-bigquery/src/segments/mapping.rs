//! From a source to what its tables and columns are called.

use std::collections::BTreeMap;

use domain::segment::{BigQuerySource, CustomerTable, Field, SourceType};
use segment_sql::{Column, ColumnType, Events, Mapping, Properties};

/// The mapping of a source, whose days begin in this zone.
pub fn of(source: &BigQuerySource, zone: &str) -> Mapping {
    let table = |table: &String| {
        vec![
            source.project.clone(),
            source.dataset.clone(),
            table.clone(),
        ]
    };
    let customers = &source.customers;
    let text = |name: &String| column(name, SourceType::String);
    let (mut fields, mut attributes) = (BTreeMap::new(), BTreeMap::new());
    for (field, name) in [
        ("document", &customers.document),
        ("name", &customers.name),
        ("phone", &customers.phone),
        ("email", &customers.email),
    ] {
        fields.extend(name.as_ref().map(|name| (field.to_owned(), text(name))));
    }
    for (name, typed) in &customers.columns {
        let column = column(&typed.column, typed.of_type);
        match CustomerTable::field(name) {
            Some(Field::Attribute(attribute)) => attributes.insert(attribute, column),
            _ => fields.insert(name.clone(), column),
        };
    }
    Mapping {
        customers: table(&customers.table),
        id: text(&customers.id),
        fields,
        attributes,
        events: source.events.as_ref().map(|events| Events {
            table: table(&events.table),
            customer: events.customer_id.clone(),
            name: events.name.clone(),
            time: events.time.clone(),
            amount: events.amount.clone(),
            properties: events.properties.as_ref().map(|properties| Properties {
                name: properties.column.clone(),
                text: properties.text,
            }),
        }),
        zone: zone.to_owned(),
    }
}

fn column(name: &str, of_type: SourceType) -> Column {
    let kind = match of_type {
        SourceType::String | SourceType::Json => ColumnType::Text,
        SourceType::Int64 | SourceType::Numeric | SourceType::Bignumeric => ColumnType::Number,
        SourceType::Float64 => ColumnType::Float,
        SourceType::Bool => ColumnType::Flag,
        SourceType::Date => ColumnType::Date,
        SourceType::Timestamp => ColumnType::Timestamp,
    };
    Column {
        name: name.to_owned(),
        kind,
    }
}
