//! Who is not to be written to: by phone, e-mail or document, of which a keyed hash alone is kept.

mod item;

use std::fmt;

pub use item::{NewSuppression, parse_suppressed, parse_suppressed_row, parse_suppression};

use crate::{
    contact::{ContactBody, Document},
    customer::{Address, Customer},
    shared::{Instant, SuppressionId, UserId, text_enum},
};

text_enum!(
    /// What somebody is known by.
    SuppressionKind {
        /// A phone number in E.164.
        Phone = "phone",
        /// An e-mail address in lower case.
        Email = "email",
        /// A document, normalised.
        Document = "document",
    }
);

text_enum!(
    /// Why nobody is to write there.
    SuppressionReason {
        /// The person asked for it.
        Unsubscribed = "unsubscribed",
        /// The person complained about what came.
        Complaint = "complaint",
        /// What was sent came back.
        Bounce = "bounce",
        /// Somebody of the workspace decided it.
        Manual = "manual",
        /// The person was erased: nothing brings it back, and only the hash tells of it.
        Erasure = "erasure",
    }
);

impl SuppressionReason {
    /// Those that a request may give.
    pub const GIVEN: [Self; 4] = [
        Self::Unsubscribed,
        Self::Complaint,
        Self::Bounce,
        Self::Manual,
    ];
}

/// A phone number, an e-mail address or a document, normalised. Personal data: `Debug` shows none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Suppressed {
    kind: SuppressionKind,
    value: String,
}

impl Suppressed {
    /// A document.
    pub fn document(document: &Document) -> Self {
        Self::of(SuppressionKind::Document, document.as_str())
    }

    /// A phone number that is one, in E.164.
    pub fn phone(number: &str) -> Self {
        Self::of(SuppressionKind::Phone, number)
    }

    /// An e-mail address that is one, in lower case.
    pub fn email(address: &str) -> Self {
        Self::of(SuppressionKind::Email, address)
    }

    fn of(kind: SuppressionKind, value: &str) -> Self {
        let value = value.to_owned();
        Self { kind, value }
    }

    /// What a contact is known by: its key, and addresses that can be some.
    pub fn of_contact(document: &Document, body: &ContactBody) -> Vec<Self> {
        let phone = body.phone.as_deref().filter(|_| body.phone_valid);
        let email = body.email.as_deref().filter(|_| body.email_valid);
        let all = [
            Some(Self::document(document)),
            phone.map(Self::phone),
            email.map(Self::email),
        ];
        all.into_iter().flatten().collect()
    }

    /// What a customer is known by.
    pub fn of_customer(customer: &Customer) -> Vec<Self> {
        let valid = |address: &Option<Address>| {
            let address = address.as_ref().filter(|address| address.valid);
            address.map(|address| address.value.clone())
        };
        let all = [
            customer.document.as_ref().map(Self::document),
            valid(&customer.phone).map(|phone| Self::phone(&phone)),
            valid(&customer.email).map(|email| Self::email(&email)),
        ];
        all.into_iter().flatten().collect()
    }

    /// What it is.
    pub const fn kind(&self) -> SuppressionKind {
        self.kind
    }

    /// The normalised value, to be hashed.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Suppressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Suppressed({}: [redacted])", self.kind)
    }
}

/// What is kept of a [`Suppressed`]: a hash under a key of the installation and the workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SuppressedHash {
    /// What was hashed.
    pub kind: SuppressionKind,
    /// The hash.
    pub hash: String,
}

/// Somebody who is not to be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Identifier.
    pub id: SuppressionId,
    /// Who.
    pub who: SuppressedHash,
    /// Why.
    pub reason: SuppressionReason,
    /// Who said so.
    pub created_by: UserId,
    /// When it was said.
    pub created_at: Instant,
}
