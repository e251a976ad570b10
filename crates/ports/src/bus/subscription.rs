//! Who listens: names of subscriptions, and which of them an event type must have.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The text is not `<service>.<purpose>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid subscription name")]
pub struct SubscriptionError;

/// A named consumer, `<service>.<purpose>` such as `audience.notifications`. Each has every event it
/// is bound to once, however many processes share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subscription(Cow<'static, str>);

impl Subscription {
    /// A name written in the code.
    pub const fn from_static(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// Parses two parts of `[a-z][a-z0-9_]*`, joined by a dot, at most 100 bytes in all.
    ///
    /// # Errors
    /// For any other text.
    pub fn parse(text: &str) -> Result<Self, SubscriptionError> {
        let part = |p: &str| {
            p.starts_with(|c: char| c.is_ascii_lowercase())
                && p.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        match text.split_once('.') {
            Some((service, purpose)) if text.len() <= 100 && part(service) && part(purpose) => {
                Ok(Self(Cow::Owned(text.to_owned())))
            }
            _ => Err(SubscriptionError),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a subscription wants to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Who listens.
    pub subscription: Subscription,
    /// The event types it has handlers for.
    pub event_types: BTreeSet<String>,
}

/// The subscriptions that each event type must have.
///
/// An event whose required subscriber is missing stays in the outbox and raises an alarm: a
/// forgotten binding must not lose it. A type that is not in the table may go unheard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscribers(BTreeMap<String, BTreeSet<Subscription>>);

impl Subscribers {
    /// Adds a required subscription of an event type.
    #[must_use]
    pub fn require(mut self, event_type: &str, subscription: Subscription) -> Self {
        self.0
            .entry(event_type.to_owned())
            .or_default()
            .insert(subscription);
        self
    }

    /// The subscriptions that `event_type` must have.
    pub fn required(&self, event_type: &str) -> impl Iterator<Item = &Subscription> {
        self.0.get(event_type).into_iter().flatten()
    }

    /// Every event type with each subscription that it must have.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &Subscription)> {
        self.0.iter().flat_map(|(event_type, subscriptions)| {
            subscriptions.iter().map(move |s| (event_type.as_str(), s))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_two_plain_parts() {
        assert!(Subscription::parse("audience.notifications").is_ok());
        for bad in [
            "", "audience", ".x", "a.", "a.b.c", "A.b", "a b.c", "a.1", "é.a",
        ] {
            assert_eq!(Subscription::parse(bad), Err(SubscriptionError), "{bad:?}");
        }
    }

    #[test]
    fn a_type_outside_the_table_requires_nobody() {
        let name = Subscription::from_static("audience.notifications");
        let table = Subscribers::default().require("t.v1", name.clone());
        assert_eq!(table.required("t.v1").collect::<Vec<_>>(), [&name]);
        assert_eq!(table.required("u.v1").count(), 0);
    }
}
