//! The fields of a contact, and the form in which contacts keep them.

use serde_json::Value;

use super::{
    Bound, Field, Notation, Values,
    grammar::{Parsed, Subject, invalid},
};
use crate::{
    contact::{Document, normalise_email, normalise_phone},
    shared::{composed, fold_key, trimmed},
};

impl Field {
    /// The field of this name. Customers have some that contacts lack.
    pub(super) fn named(name: &str, of: Subject) -> Option<Self> {
        Some(match name {
            "created_at" if of == Subject::Customer => Self::CreatedAt,
            "client_id" if of == Subject::Customer => Self::ClientId,
            "external_id" if of == Subject::Customer => Self::ExternalId,
            "" | "attributes." => return None,
            "document" => Self::Document,
            "name" => Self::Name,
            "phone" => Self::Phone,
            "email" => Self::Email,
            "document_kind" => Self::DocumentKind,
            "document_valid" => Self::DocumentValid,
            "phone_valid" => Self::PhoneValid,
            "email_valid" => Self::EmailValid,
            "updated_at" => Self::UpdatedAt,
            _ => {
                let name = name.strip_prefix("attributes.").unwrap_or(name);
                Self::Attribute(composed(name.to_owned()))
            }
        })
    }

    /// The field of a customer of this name.
    pub(super) fn of_customer(name: &str) -> Option<Self> {
        Self::named(name, Subject::Customer)
    }

    pub(super) fn has(&self, operator: &str) -> bool {
        let equality = matches!(
            operator,
            "equals" | "not_equals" | "in" | "not_in" | "exists" | "not_exists"
        );
        match self {
            Self::Attribute(_) => true,
            Self::DocumentKind | Self::DocumentValid | Self::PhoneValid | Self::EmailValid => {
                equality
            }
            Self::CreatedAt | Self::UpdatedAt => !matches!(operator, "contains" | "starts_with"),
            Self::Document
            | Self::Name
            | Self::Phone
            | Self::Email
            | Self::ClientId
            | Self::ExternalId => equality || matches!(operator, "contains" | "starts_with"),
        }
    }

    /// A part of a text as texts are searched.
    pub(super) fn part(&self, text: &str) -> String {
        match self {
            Self::Document => fold_key(&Document::part(text)),
            _ => fold_key(text),
        }
    }

    /// Whether it is an instant.
    pub(super) const fn is_date(&self) -> bool {
        matches!(self, Self::CreatedAt | Self::UpdatedAt)
    }

    /// Values in the form in which contacts keep this field.
    pub(super) fn values(
        &self,
        from: &[Value],
        at: &str,
        listed: bool,
        notation: &Notation,
    ) -> Parsed<Values> {
        let mut values = Values::default();
        for (index, value) in from.iter().enumerate() {
            if !self.add(&mut values, value, notation) {
                let at = if listed {
                    format!("{at}/{index}")
                } else {
                    at.to_owned()
                };
                return Err(invalid(&at, "this field cannot have this value"));
            }
        }
        Ok(values)
    }

    /// Adds a value; `false` when the field cannot have it.
    fn add(&self, values: &mut Values, value: &Value, notation: &Notation) -> bool {
        let text = value.as_str();
        let kept = match self {
            Self::Attribute(_) => return values.add(value, notation),
            Self::DocumentValid | Self::PhoneValid | Self::EmailValid => {
                let flag = value
                    .as_bool()
                    .or_else(|| text.and_then(|t| t.parse().ok()));
                return flag.map(|flag| values.add_bool(flag)).is_some();
            }
            Self::CreatedAt | Self::UpdatedAt => {
                return text
                    .and_then(|text| Bound::date(text, notation))
                    .map(|d| values.add_date(d))
                    .is_some();
            }
            Self::Document => text
                .and_then(|t| Document::parse(t).ok())
                .map(|d| d.as_str().to_owned()),
            Self::Phone => text.map(|t| normalise_phone(t).value),
            Self::Email => text.map(|t| normalise_email(t).value),
            Self::Name => text.map(trimmed),
            Self::ClientId | Self::ExternalId => text.map(ToOwned::to_owned),
            Self::DocumentKind => text
                .filter(|t| matches!(*t, "cpf" | "cnpj" | "other"))
                .map(ToOwned::to_owned),
        };
        kept.map(|text| values.add_text(text)).is_some()
    }
}
