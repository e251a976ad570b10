//! Consent: whether a person may be addressed on a channel, who says so, and since when.

use std::collections::BTreeMap;

use chrono::{SubsecRound, TimeDelta};
use serde_json::Value;

use crate::shared::{Instant, ItemError, Members, instant, text_enum};

/// How far a clock of the other side may be ahead.
const SKEW: TimeDelta = TimeDelta::minutes(5);
/// Longest source in characters.
const MAX_SOURCE_CHARS: usize = 64;
/// The source where the request names none.
const DEFAULT_SOURCE: &str = "api";

text_enum!(
    /// A way to reach people.
    Channel {
        /// E-mail.
        Email = "email",
        /// Text message.
        Sms = "sms",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// Push notification.
        Push = "push",
        /// Telephone call.
        Voice = "voice",
    }
);

text_enum!(
    /// What a person said. The later value outweighs the earlier one said in the same instant.
    ConsentStatus {
        /// May be addressed.
        Granted = "granted",
        /// Must not be addressed.
        Denied = "denied",
    }
);

/// What is known about one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// What the person said.
    pub status: ConsentStatus,
    /// Where it was said, such as a form.
    pub source: String,
    /// When it was said.
    pub at: Instant,
}

/// What a person said, by channel. A channel that is missing was never spoken of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consents(BTreeMap<Channel, Consent>);

impl Consents {
    /// Records what was said; `false` where something said later, or the same, is known already.
    pub fn record(&mut self, channel: Channel, consent: Consent) -> bool {
        let newer = self
            .0
            .get(&channel)
            .is_none_or(|known| (known.at, known.status) < (consent.at, consent.status));
        if newer {
            self.0.insert(channel, consent);
        }
        newer
    }

    /// What is known about a channel.
    pub fn get(&self, channel: Channel) -> Option<&Consent> {
        self.0.get(&channel)
    }

    /// All, by channel.
    pub fn iter(&self) -> impl Iterator<Item = (Channel, &Consent)> {
        self.0.iter().map(|(channel, consent)| (*channel, consent))
    }
}

impl FromIterator<(Channel, Consent)> for Consents {
    fn from_iter<I: IntoIterator<Item = (Channel, Consent)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

/// Reads `{"status", "source", "at"}`; without a source it is the API, without an instant now.
/// `field` names it in errors.
///
/// # Errors
/// The first rule that it breaks.
pub fn parse_consent(field: &str, value: Value, now: Instant) -> Result<Consent, ItemError> {
    let error = |code, detail| ItemError::new(field, code, detail);
    let mut members = Members::try_from(value)
        .map_err(|_| error("invalid_type", "must be an object with a status"))?;
    let mut text = |name: &str| {
        let text = members.text(name);
        text.map_err(|_| error("invalid_type", "status, source and at are strings"))
    };
    let (status, source, at) = (text("status")?, text("source")?, text("at")?);
    members
        .only(&[], "")
        .map_err(|_| error("unknown_member", "may have status, source and at"))?;
    let status = status.ok_or_else(|| error("required", "the status is required"))?;
    let status = status
        .parse()
        .map_err(|()| error("unknown_value", "the status is granted or denied"))?;
    let source = source.map_or_else(|| DEFAULT_SOURCE.to_owned(), |s| s.trim().to_owned());
    let chars = source.chars().count();
    if !(1..=MAX_SOURCE_CHARS).contains(&chars) || source.chars().any(char::is_control) {
        return Err(error("invalid_source", "the source has 1 to 64 characters"));
    }
    let at = at.map_or(Ok(now.trunc_subsecs(3)), |at| instant(field, &at))?;
    if at > now + SKEW {
        return Err(error("in_the_future", "at must not be in the future"));
    }
    Ok(Consent { status, source, at })
}
