//! What is known about the person who is judged.

use std::collections::BTreeSet;

use serde_json::{Number, Value};

use super::{Field, RfmScores};
use crate::{
    contact::{ContactBody, Document},
    customer::{Amount, Consents, Customer, CustomerEvent},
    recycle::OutcomeFact,
    shared::{AudienceId, Instant, fold_key},
};

/// Attribute that keeps a contact's labels, separated by commas.
const TAGS: &str = "tags";

/// What is known about the person who is judged.
pub trait Facts {
    /// A value, if there is one.
    fn value(&self, field: &Field) -> Option<Fact<'_>>;

    /// Whether they carry any of these labels, each as its [`fold_key`].
    fn has_tag(&self, any: &[String]) -> bool;

    /// What is known about a customer and about nobody else.
    fn life(&self) -> Option<&Life<'_>> {
        None
    }
}

/// What a customer said and did, and what became of it.
#[derive(Clone, Copy)]
pub struct Life<'a> {
    /// What they said.
    pub consents: &'a Consents,
    /// What they did.
    pub events: &'a [CustomerEvent],
    /// What became of contacts with them.
    pub outcomes: &'a [OutcomeFact],
    /// Their scores, if they are buyers.
    pub rfm: Option<RfmScores>,
    /// The audiences that they are members of, as far as they are asked for.
    pub audiences: &'a BTreeSet<AudienceId>,
}

/// A customer as what is known about a person.
#[derive(Clone, Copy)]
pub struct CustomerFacts<'a> {
    /// Its values.
    pub customer: &'a Customer,
    /// The rest.
    pub life: Life<'a>,
}

/// A contact as what is known about a person.
#[derive(Clone, Copy)]
pub struct ContactFacts<'a> {
    /// Its key.
    pub document: &'a Document,
    /// Its values.
    pub body: &'a ContactBody,
}

/// A value.
pub enum Fact<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(&'a Number),
    /// A truth value.
    Bool(bool),
    /// An instant.
    Date(Instant),
    /// An amount.
    Amount(Amount),
}

impl Facts for ContactFacts<'_> {
    fn value(&self, field: &Field) -> Option<Fact<'_>> {
        let Self { document, body } = *self;
        match field {
            Field::Document => Some(Fact::Text(document.as_str())),
            Field::Name => body.name.as_deref().map(Fact::Text),
            Field::Phone => body.phone.as_deref().map(Fact::Text),
            Field::Email => body.email.as_deref().map(Fact::Text),
            Field::DocumentKind => Some(Fact::Text(document.kind().as_str())),
            Field::DocumentValid => Some(Fact::Bool(document.valid())),
            Field::PhoneValid => body.phone.as_ref().map(|_| Fact::Bool(body.phone_valid)),
            Field::EmailValid => body.email.as_ref().map(|_| Fact::Bool(body.email_valid)),
            Field::UpdatedAt => Some(Fact::Date(body.updated_at)),
            Field::Attribute(name) => Fact::of(body.attributes.get(name)?),
            Field::CreatedAt | Field::ClientId | Field::ExternalId => None,
        }
    }

    fn has_tag(&self, any: &[String]) -> bool {
        let tags = self.body.attributes.get(TAGS).and_then(Value::as_str);
        let mut labels = tags.unwrap_or_default().split(',');
        labels.any(|label| any.contains(&fold_key(label.trim())))
    }
}

impl Facts for CustomerFacts<'_> {
    fn value(&self, field: &Field) -> Option<Fact<'_>> {
        let Self { customer, .. } = *self;
        let document = customer.document.as_ref();
        let (phone, email) = (customer.phone.as_ref(), customer.email.as_ref());
        match field {
            Field::Document => document.map(|document| Fact::Text(document.as_str())),
            Field::Name => customer.name.as_deref().map(Fact::Text),
            Field::Phone => phone.map(|phone| Fact::Text(&phone.value)),
            Field::Email => email.map(|email| Fact::Text(&email.value)),
            Field::DocumentKind => document.map(|document| Fact::Text(document.kind().as_str())),
            Field::DocumentValid => document.map(|document| Fact::Bool(document.valid())),
            Field::PhoneValid => phone.map(|phone| Fact::Bool(phone.valid)),
            Field::EmailValid => email.map(|email| Fact::Bool(email.valid)),
            Field::CreatedAt => Some(Fact::Date(customer.created_at)),
            Field::UpdatedAt => Some(Fact::Date(customer.updated_at)),
            Field::ClientId => customer.identity.client().map(|id| Fact::Text(id.as_str())),
            Field::ExternalId => {
                let id = customer.identity.external_id();
                id.map(|id| Fact::Text(id.as_str()))
            }
            Field::Attribute(name) => Fact::of(customer.attributes.get(name)?),
        }
    }

    fn has_tag(&self, any: &[String]) -> bool {
        let labels = self.customer.labels();
        any.iter().any(|label| labels.contains_key(label))
    }

    fn life(&self) -> Option<&Life<'_>> {
        Some(&self.life)
    }
}

impl<'a> Fact<'a> {
    /// A value that is a text, a number or a truth value.
    pub fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Number(number) => Some(Self::Number(number)),
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}
