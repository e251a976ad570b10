//! Values in the forms in which stores compare them: as texts whose order by bytes is that of the values.
//!
//! A store keeps these beside the values themselves, so that no query language has to fold case, read
//! numbers or dates, or compare decimals. Whatever writes them and whatever asks for them take the
//! keys from here.

use serde_json::{Map, Value};

use super::{CustomerFacts, EventField, Fact, Facts, Field, Life, Notation};
use crate::{
    customer::{Amount, Consents, Customer, CustomerEvent},
    shared::{Decimal, Instant, fold_key},
};

/// A form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// A text as it is.
    Text,
    /// A text, or the digits of a number, without case.
    Folded,
    /// A number, or a text that is read as one: its [`Decimal::sort_key`].
    Number,
    /// An instant, or a text that is read as a date: see [`date_key`].
    Date,
    /// `true` or `false`.
    Flag,
    /// A number of an event as a whole number of millionths.
    Millionths,
}

impl Form {
    const fn letter(self) -> char {
        match self {
            Self::Text => 't',
            Self::Folded => 'f',
            Self::Number => 'n',
            Self::Date => 'd',
            Self::Flag => 'b',
            Self::Millionths => 'm',
        }
    }
}

impl Field {
    /// Under which key the form of a value is kept.
    pub fn key(&self, form: Form) -> String {
        let name = match self {
            Self::Document => "document",
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::DocumentKind => "document_kind",
            Self::DocumentValid => "document_valid",
            Self::PhoneValid => "phone_valid",
            Self::EmailValid => "email_valid",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::ClientId => "client_id",
            Self::ExternalId => "external_id",
            Self::Attribute(name) => return key(form, &format!("attributes.{name}")),
        };
        key(form, name)
    }
}

/// Under which key the form of a property of an event is kept.
pub fn property_key(name: &str, form: Form) -> String {
    key(form, name)
}

/// Quotes and backslashes mean something in the paths of JSON that databases know.
fn key(form: Form, name: &str) -> String {
    let mut key = format!("{}:", form.letter());
    for c in name.chars() {
        match c {
            '"' | '\\' | '%' => key.push_str(&format!("%{:02x}", u32::from(c))),
            c if c.is_control() => key.push_str(&format!("%{:02x}", u32::from(c))),
            c => key.push(c),
        }
    }
    key
}

/// An instant as a text: RFC 3339 with nine digits behind the point, in UTC.
pub fn date_key(at: Instant) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

/// The forms of a customer's values.
pub fn customer_index(customer: &Customer, notation: &Notation) -> Map<String, Value> {
    let facts = CustomerFacts {
        customer,
        life: Life {
            consents: &Consents::default(),
            events: &[],
            outcomes: &[],
            rfm: None,
            audiences: &std::collections::BTreeSet::new(),
        },
    };
    let own = [
        Field::Document,
        Field::Name,
        Field::Phone,
        Field::Email,
        Field::DocumentKind,
        Field::DocumentValid,
        Field::PhoneValid,
        Field::EmailValid,
        Field::CreatedAt,
        Field::UpdatedAt,
        Field::ClientId,
        Field::ExternalId,
    ];
    let attributes = customer.attributes.keys().cloned().map(Field::Attribute);
    let mut index = Map::new();
    for field in own.into_iter().chain(attributes) {
        let Some(fact) = facts.value(&field) else {
            continue;
        };
        // The other fields are not read as anything but what they are.
        let read = matches!(field, Field::Attribute(_)).then_some(notation);
        for (form, value) in forms(&fact, read) {
            index.insert(field.key(form), Value::String(value));
        }
    }
    index
}

/// The forms of an event's properties.
pub fn event_index(event: &CustomerEvent, notation: &Notation) -> Map<String, Value> {
    let mut index = Map::new();
    for (name, value) in &event.properties {
        let Some(fact) = Fact::of(value) else {
            continue;
        };
        for (form, value) in forms(&fact, Some(notation)) {
            index.insert(key(form, name), Value::String(value));
        }
        if let Some(millionths) = EventField::amount_of(value).map(Amount::millionths) {
            index.insert(key(Form::Millionths, name), millionths.into());
        }
    }
    index
}

fn forms(fact: &Fact<'_>, read: Option<&Notation>) -> Vec<(Form, String)> {
    let mut forms = Vec::new();
    match fact {
        Fact::Text(text) => {
            forms.push((Form::Text, (*text).to_owned()));
            forms.push((Form::Folded, fold_key(text)));
            if let Some(number) = read.and_then(|notation| notation.number(text)) {
                forms.push((Form::Number, number.sort_key()));
            }
            if let Some(at) = read.and_then(|notation| notation.instant(text)) {
                forms.push((Form::Date, date_key(at)));
            }
        }
        Fact::Number(number) => {
            forms.push((Form::Folded, number.to_string()));
            forms.extend(Decimal::of(number).map(|number| (Form::Number, number.sort_key())));
        }
        Fact::Bool(value) => forms.push((Form::Flag, value.to_string())),
        Fact::Date(at) => forms.push((Form::Date, date_key(*at))),
        Fact::Amount(_) => {}
    }
    forms
}
