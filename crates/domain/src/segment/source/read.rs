//! Reading a source from JSON: every broken rule with its place, and no member that is not known.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    BigQuerySource, CREDENTIALS_MASK, CustomerTable, EventTable, GivenCredentials,
    PropertiesColumn, SegmentSource, ServiceAccountKey, SourceCredentials, SourceType, TypedColumn,
};
use crate::{
    segment::{Field, grammar},
    shared::{Violation, one_of},
};

/// Longest name of a project, a data set, a table or a column, in characters.
const MAX_NAME: usize = 300;
/// Most columns beside those that every customer has.
const MAX_COLUMNS: usize = 200;
/// Largest key file in bytes.
const MAX_KEY_FILE: usize = 16 * 1024;
/// What a key file must have for a token to be signed.
const KEY_FILE: [&str; 3] = ["client_email", "private_key", "private_key_id"];

impl SegmentSource {
    /// Reads a source.
    ///
    /// # Errors
    /// Every rule that it breaks, each with its place.
    pub fn parse(json: &Value) -> Result<Self, Vec<Violation>> {
        let mut wrong = Vec::new();
        let read = source(json, &mut wrong);
        match read {
            Some(read) if wrong.is_empty() => Ok(read),
            _ => Err(wrong),
        }
    }
}

type Wrong = Vec<Violation>;

fn source(json: &Value, wrong: &mut Wrong) -> Option<SegmentSource> {
    let mut members = Object::of(json, "", wrong)?;
    let kind = members.required("kind", |at, text| {
        let known = ["local", "bigquery"];
        one_of(at, text, &known)
    })?;
    if kind == "local" {
        members.end();
        return Some(SegmentSource::Local);
    }
    let project = members.required("project", name);
    let dataset = members.required("dataset", name);
    let location = members.optional("location", location);
    let customers = members.object("customers", true, customers);
    let events = members.object("events", false, events);
    let credentials = members.taken("credentials", true, credentials);
    let most = u64::try_from(i64::MAX).unwrap_or(u64::MAX);
    let maximum_bytes_billed = members.number("maximum_bytes_billed", most);
    let monthly_bytes = members.number("monthly_bytes", most);
    let longest = BigQuerySource::MAX_TIMEOUT_SECONDS.into();
    let timeout = members.number("timeout_seconds", longest);
    members.end();
    let timeout = timeout.and_then(|seconds| u32::try_from(seconds).ok());
    let source = BigQuerySource {
        project: project?,
        dataset: dataset?,
        location,
        customers: customers?,
        events,
        maximum_bytes_billed: maximum_bytes_billed.unwrap_or(BigQuerySource::MAXIMUM_BYTES),
        monthly_bytes: monthly_bytes.unwrap_or(BigQuerySource::MONTHLY_BYTES),
        timeout_seconds: timeout.unwrap_or(BigQuerySource::TIMEOUT_SECONDS),
    };
    Some(SegmentSource::BigQuery(Box::new(source), credentials?))
}

fn customers(members: &mut Object<'_>) -> Option<CustomerTable> {
    let table = members.required("table", name);
    let id = members.required("id", name);
    let read = |members: &mut Object<'_>, of: &str| members.optional(of, name);
    let document = read(members, "document");
    let own_name = read(members, "name");
    let (phone, email) = (read(members, "phone"), read(members, "email"));
    let columns = members.object("columns", false, columns);
    Some(CustomerTable {
        table: table?,
        id: id?,
        document,
        name: own_name,
        phone,
        email,
        columns: columns.unwrap_or_default(),
    })
}

fn columns(members: &mut Object<'_>) -> Option<BTreeMap<String, TypedColumn>> {
    let names: Vec<String> = members.left.keys().cloned().collect();
    if names.len() > MAX_COLUMNS {
        let detail = format!("at most {MAX_COLUMNS} columns");
        members.refuse("", "too_many", detail);
        return None;
    }
    let mut columns = BTreeMap::new();
    let mut fields = Vec::new();
    for written in names {
        let Some(field) = CustomerTable::field(&written) else {
            members.refuse(
                &written,
                "invalid_value",
                "conditions have no field of this name",
            );
            members.left.remove(&written);
            continue;
        };
        if matches!(
            field,
            Field::Document | Field::Name | Field::Phone | Field::Email
        ) {
            let detail = "this field has a member of its own";
            members.refuse(&written, "invalid_value", detail);
        }
        if fields.contains(&field) {
            members.refuse(&written, "duplicate", "this field is named twice");
        }
        let column = members.object(&written, true, |column| {
            let named = column.required("column", name);
            let of_type = column.required("type", |at, text| one_of(at, text, SourceType::ALL));
            let of_type = of_type.filter(|of_type| {
                let fits = fits(&field, *of_type);
                if !fits {
                    column.refuse("type", "invalid_value", "this field has no such values");
                }
                fits
            });
            Some(TypedColumn {
                column: named?,
                of_type: of_type?,
            })
        });
        fields.push(field);
        columns.extend(column.map(|column| (written, column)));
    }
    Some(columns)
}

/// Whether the values of a field can be of a type.
const fn fits(field: &Field, of_type: SourceType) -> bool {
    match field {
        Field::Attribute(_) => !matches!(of_type, SourceType::Json),
        Field::CreatedAt | Field::UpdatedAt => {
            matches!(of_type, SourceType::Date | SourceType::Timestamp)
        }
        Field::DocumentValid | Field::PhoneValid | Field::EmailValid => {
            matches!(of_type, SourceType::Bool)
        }
        _ => matches!(of_type, SourceType::String),
    }
}

fn events(members: &mut Object<'_>) -> Option<EventTable> {
    let table = members.required("table", name);
    let customer_id = members.required("customer_id", name);
    let own_name = members.required("name", name);
    let time = members.required("time", name);
    let amount = members.optional("amount", name);
    let properties = members.taken("properties", false, properties);
    Some(EventTable {
        table: table?,
        customer_id: customer_id?,
        name: own_name?,
        time: time?,
        amount,
        properties,
    })
}

/// A name, or a name and its type.
fn properties(value: &Value, at: &str, wrong: &mut Wrong) -> Option<PropertiesColumn> {
    if let Value::String(text) = value {
        let read = name(at, text).map_err(|violation| wrong.push(violation));
        let column = |column| PropertiesColumn {
            column,
            text: false,
        };
        return read.ok().map(column);
    }
    let mut members = Object::of(value, at, wrong)?;
    let column = members.required("column", name);
    let of_type = members.required("type", |at, text| {
        one_of(at, text, &[SourceType::Json, SourceType::String])
    });
    members.end();
    Some(PropertiesColumn {
        column: column?,
        text: of_type? == SourceType::String,
    })
}

fn credentials(value: &Value, at: &str, wrong: &mut Wrong) -> Option<GivenCredentials> {
    match value {
        Value::String(text) if text == CREDENTIALS_MASK => {
            return Some(GivenCredentials::Unchanged);
        }
        Value::String(text) if text == "metadata" => {
            return Some(GivenCredentials::New(SourceCredentials::Metadata));
        }
        Value::String(_) => {
            let detail = "`metadata`, or an object with `service_account`";
            wrong.push(Violation::new(at, "unknown_value", detail));
            return None;
        }
        _ => {}
    }
    let mut members = Object::of(value, at, wrong)?;
    let key = members.taken("service_account", true, key_file);
    members.end();
    key.map(|key| GivenCredentials::New(SourceCredentials::ServiceAccount(key)))
}

/// A key file as Google hands it out. Other members than those that are needed are kept.
fn key_file(value: &Value, at: &str, wrong: &mut Wrong) -> Option<ServiceAccountKey> {
    let Some(members) = value.as_object() else {
        wrong.push(grammar::wrong_type(at, "must be an object"));
        return None;
    };
    let before = wrong.len();
    if members.get("type") != Some(&Value::from("service_account")) {
        let detail = "must be `service_account`";
        wrong.push(grammar::invalid(&format!("{at}/type"), detail));
    }
    for name in KEY_FILE {
        match members.get(name) {
            Some(Value::String(text)) if !text.is_empty() => {}
            _ => wrong.push(grammar::required(&format!("{at}/{name}"))),
        }
    }
    let text = value.to_string();
    if text.len() > MAX_KEY_FILE {
        wrong.push(Violation::new(at, "too_long", "at most 16 KiB"));
    }
    (wrong.len() == before).then_some(ServiceAccountKey(text))
}

/// A name of BigQuery's: one segment of a path.
fn name(at: &str, text: &str) -> Result<String, Violation> {
    let allowed = |c: char| !c.is_control() && !matches!(c, '`' | '\\' | '/' | '.' | '"' | '\'');
    let short = (1..=MAX_NAME).contains(&text.chars().count());
    match short && text.trim() == text && text.chars().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err(grammar::invalid(at, "one name, without points and quotes")),
    }
}

fn location(at: &str, text: &str) -> Result<String, Violation> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    match (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err(grammar::invalid(at, "such as southamerica-east1")),
    }
}

/// The members of an object, which are taken one after the other. `null` is the same as absent.
struct Object<'w> {
    at: String,
    left: Map<String, Value>,
    wrong: &'w mut Wrong,
}

impl<'w> Object<'w> {
    fn of(value: &Value, at: &str, wrong: &'w mut Wrong) -> Option<Self> {
        let Some(members) = value.as_object() else {
            wrong.push(grammar::wrong_type(at, "must be an object"));
            return None;
        };
        Some(Self {
            at: at.to_owned(),
            left: members.clone(),
            wrong,
        })
    }

    fn place(&self, name: &str) -> String {
        match name {
            "" => self.at.clone(),
            name => format!("{}/{}", self.at, name.replace('~', "~0").replace('/', "~1")),
        }
    }

    fn refuse(&mut self, name: &str, code: &'static str, detail: impl Into<String>) {
        let at = self.place(name);
        self.wrong.push(Violation::new(at, code, detail));
    }

    /// Refuses what is left.
    fn end(&mut self) {
        for name in std::mem::take(&mut self.left).keys() {
            self.refuse(name, "unknown_member", "there is no such member");
        }
    }

    /// A member of any type, which may have to be there.
    fn taken<T>(
        &mut self,
        name: &str,
        needed: bool,
        read: impl FnOnce(&Value, &str, &mut Wrong) -> Option<T>,
    ) -> Option<T> {
        let at = self.place(name);
        match self.left.remove(name).filter(|value| !value.is_null()) {
            Some(value) => read(&value, &at, self.wrong),
            None => {
                if needed {
                    self.wrong.push(grammar::required(&at));
                }
                None
            }
        }
    }

    fn text<T>(
        &mut self,
        name: &str,
        needed: bool,
        read: impl FnOnce(&str, &str) -> Result<T, Violation>,
    ) -> Option<T> {
        self.taken(name, needed, |value, at, wrong| {
            let read = match value {
                Value::String(text) => read(at, text),
                _ => Err(grammar::wrong_type(at, "must be a string")),
            };
            read.map_err(|violation| wrong.push(violation)).ok()
        })
    }

    fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str, &str) -> Result<T, Violation>,
    ) -> Option<T> {
        self.text(name, true, read)
    }

    fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str, &str) -> Result<T, Violation>,
    ) -> Option<T> {
        self.text(name, false, read)
    }

    fn object<T>(
        &mut self,
        name: &str,
        needed: bool,
        read: impl FnOnce(&mut Object<'_>) -> Option<T>,
    ) -> Option<T> {
        self.taken(name, needed, |value, at, wrong| {
            let mut members = Object::of(value, at, wrong)?;
            let read = read(&mut members);
            members.end();
            read
        })
    }

    /// A whole number from 1 to the most.
    fn number(&mut self, name: &str, most: u64) -> Option<u64> {
        self.taken(name, false, |value, at, wrong| {
            let number = value.as_u64().filter(|number| (1..=most).contains(number));
            if number.is_none() {
                let detail = format!("a whole number from 1 to {most}");
                wrong.push(grammar::invalid(at, &detail));
            }
            number
        })
    }
}
