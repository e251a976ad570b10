//! A customer as a member of an audience.

use serde_json::Value;

use super::Customer;
use crate::contact::{ContactBody, Document, NewContact, RawValues};

/// Attribute that keeps a contact's labels, separated by commas.
const TAGS: &str = "tags";

impl Customer {
    /// Its key in audiences: its document, or a text of its number where it has none. Both stay as they
    /// are when a file of contacts is read again.
    pub fn key(&self) -> String {
        match &self.document {
            Some(document) => document.as_str().to_owned(),
            None => format!("CUSTOMER:{}", self.id),
        }
    }

    /// It as a contact. Its labels become the attribute `tags`, unless it has one of that name.
    pub fn contact(&self) -> NewContact {
        let mut attributes = self.attributes.clone();
        let labels: Vec<&str> = self.labels().into_values().collect();
        if !labels.is_empty() && !attributes.contains_key(TAGS) {
            attributes.insert(TAGS.to_owned(), Value::String(labels.join(", ")));
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
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        customer::{CustomerId, CustomerKey, parse_customer},
        shared::Instant,
    };

    fn contact(item: Value) -> NewContact {
        let now: Instant = "2026-03-10T12:00:00Z".parse().unwrap();
        let item = parse_customer(item, now).unwrap();
        let CustomerKey::Identity(identity) = item.key else {
            panic!("an identity");
        };
        let id = CustomerId::from_raw(7);
        item.patch.create(id, identity, now).unwrap().contact()
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
}
