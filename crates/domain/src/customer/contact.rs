//! A customer as a member of an audience.

use serde_json::Value;

use super::Customer;
use crate::contact::{
    ContactBody, Document, MAX_ATTRIBUTES, MAX_TEXT_BYTES, NewContact, RawValues,
};

/// Attribute that keeps a contact's labels, separated by commas.
const TAGS: &str = "tags";
/// Stands between two labels.
const SEPARATOR: &str = ", ";

impl Customer {
    /// Its key in audiences: its document, or a text of its number where it has none. Both stay as they
    /// are when a file of contacts is read again.
    pub fn key(&self) -> String {
        match &self.document {
            Some(document) => document.as_str().to_owned(),
            None => format!("CUSTOMER:{}", self.id),
        }
    }

    /// It as a contact. Its labels become the attribute `tags`, unless it has one of that name: as many as one
    /// value holds, and none beside as many attributes as a contact can have.
    pub fn contact(&self) -> NewContact {
        let mut attributes = self.attributes.clone();
        let labels = self.joined_labels();
        if !labels.is_empty() && attributes.len() < MAX_ATTRIBUTES {
            let labels = || Value::String(labels);
            attributes.entry(TAGS).or_insert_with(labels);
        }
        let (phone, email) = (self.phone.as_ref(), self.email.as_ref());
        NewContact {
            document: Document::from_stored(self.key()),
            body: ContactBody {
                name: self.name.clone(),
                phone: phone.map(|phone| phone.value.clone()),
                phone_valid: phone.is_some_and(|phone| phone.valid),
                email: email.map(|email| email.value.clone()),
                email_valid: email.is_some_and(|email| email.valid),
                attributes,
                raw: RawValues {
                    document: None,
                    phone: phone.and_then(|phone| phone.raw.clone()),
                    email: email.and_then(|email| email.raw.clone()),
                },
                updated_at: self.updated_at,
            },
        }
    }

    fn joined_labels(&self) -> String {
        let mut joined = String::new();
        for label in self.labels().into_values() {
            let separator = if joined.is_empty() { "" } else { SEPARATOR };
            if joined.len() + separator.len() + label.len() > MAX_TEXT_BYTES {
                break;
            }
            joined.push_str(separator);
            joined.push_str(label);
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{
        audience::Tags,
        contact::{ItemRules, parse_item},
        customer::{CustomerId, CustomerKey, ImportedTag, parse_customer},
        importing::ExternalId,
        shared::Instant,
    };

    fn customer(item: Value) -> Customer {
        let now: Instant = "2026-03-10T12:00:00Z".parse().unwrap();
        let item = parse_customer(item, now).unwrap();
        let CustomerKey::Identity(identity) = item.key else {
            panic!("an identity");
        };
        let id = CustomerId::from_raw(7);
        item.patch.create(id, identity, now).unwrap()
    }

    fn contact(item: Value) -> NewContact {
        customer(item).contact()
    }

    #[test]
    fn a_customer_is_a_contact_under_its_document() {
        let item = json!({"document": "123.456.789-09", "name": "Ana", "phone": "(11) 98765-4321",
            "plan": "gold", "tags": ["vip", "Novo"]});
        let NewContact { document, body } = contact(item);
        assert_eq!(document.as_str(), "12345678909");
        assert_eq!(body.phone.as_deref(), Some("+5511987654321"));
        assert_eq!(body.raw.phone.as_deref(), Some("(11) 98765-4321"));
        assert!(body.phone_valid && !body.email_valid);
        assert_eq!(body.attributes["plan"], "gold");
        assert_eq!(body.attributes["tags"], "Novo, vip");
    }

    #[test]
    fn one_without_a_document_is_known_by_its_number() {
        let NewContact { document, .. } = contact(json!({"external_id": "x1"}));
        assert_eq!(document.as_str(), "CUSTOMER:7");
        assert_eq!(Document::parse("CUSTOMER:7").unwrap(), document);
    }

    #[test]
    fn it_is_the_contact_that_its_values_would_make() {
        let values = json!({
            "document": "1", "name": " Ana ", "phone": "nao tem", "email": "ANA@x.co", "age": 40,
        });
        let made = contact(values.clone());
        let item = parse_item(values, &ItemRules::default(), made.body.updated_at);
        assert_eq!(item, Ok(made));
    }

    #[test]
    fn labels_become_one_attribute() {
        let tag = |name: &str| ImportedTag {
            external_id: ExternalId::parse(&json!(1)).unwrap(),
            name: Some(name.to_owned()),
            color: None,
        };
        let of = |customer: &Customer| customer.contact().body.attributes.get(TAGS).cloned();
        let mut labelled = customer(json!({"document": "1", "tags": ["vip", "Novo"]}));
        labelled.imported_tags = vec![tag("VIP"), tag("crm")];
        assert_eq!(of(&labelled), Some(json!("crm, Novo, vip")));
        labelled.attributes.insert(TAGS.to_owned(), json!("own"));
        assert_eq!(of(&labelled), Some(json!("own")));

        let full = (0..MAX_ATTRIBUTES).map(|n| (n.to_string(), json!(n)));
        labelled.attributes = full.collect();
        assert_eq!(of(&labelled), None);

        labelled.attributes = Map::new();
        labelled.tags = Tags::default();
        labelled.imported_tags = vec![tag(&"a".repeat(1_000)), tag(&"b".repeat(30))];
        assert_eq!(of(&labelled), Some(json!("a".repeat(1_000))));
    }
}
