//! What leaves for one person on one channel, and what became of it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{
    customer::Channel,
    shared::{CommunicationId, IdError, Instant, text_enum, text_serde},
};

text_enum!(
    /// Where a recipient of a channel stands.
    RecipientStatus {
        /// Its dispatch has not left.
        Pending = "pending",
        /// Its dispatch waits for an instant.
        Held = "held",
        /// It gets none.
        Skipped = "skipped",
        /// Its dispatch has left.
        Dispatched = "dispatched",
        /// The sender has passed it on.
        Sent = "sent",
        /// It has arrived.
        Delivered = "delivered",
        /// It was opened.
        Read = "read",
        /// The sender could not pass it on, or it came back.
        Failed = "failed",
        /// It was cancelled before it left.
        Cancelled = "cancelled",
    }
);

text_enum!(
    /// Why a recipient gets nothing on a channel.
    SkipReason {
        /// There is no address, or none that can be one.
        NoAddress = "no_address",
        /// It said no, or did not say yes where that is asked for.
        NoConsent = "no_consent",
        /// Its address is not to be written to.
        Suppressed = "suppressed",
        /// Somebody else of the communication has the same address.
        Duplicate = "duplicate",
        /// It got as much lately as its workspace allows.
        FrequencyCap = "frequency_cap",
        /// A placeholder has neither value nor default.
        MissingValue = "missing_value",
        /// There is no such customer any more.
        Unknown = "unknown_customer",
    }
);

impl RecipientStatus {
    /// The status after a report; `None` where it says nothing new. Reports come in any order, and more than once:
    /// none takes back what a later one said.
    pub fn reported(self, report: Self) -> Option<Self> {
        let rank = |status| match status {
            Self::Dispatched => Some(0),
            Self::Sent => Some(1),
            Self::Failed => Some(2),
            Self::Delivered => Some(3),
            Self::Read => Some(4),
            Self::Pending | Self::Held | Self::Skipped | Self::Cancelled => None,
        };
        (rank(report)? > rank(self)?).then_some(report)
    }
}

/// Longest name of a recipient in characters.
const MAX_RECIPIENT: usize = 40;

/// Whom a dispatch is for: letters and digits that tell nothing of the person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecipientKey(String);

impl RecipientKey {
    /// Everybody who receives pushes.
    pub fn everybody() -> Self {
        Self("all".to_owned())
    }

    /// A customer, by number.
    pub fn customer(id: i64) -> Self {
        Self(id.to_string())
    }

    /// Parses a key.
    ///
    /// # Errors
    /// When it is empty, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let all = text.bytes().all(|b| b.is_ascii_alphanumeric());
        if text.is_empty() || text.len() > MAX_RECIPIENT || !all {
            return Err(IdError { kind: "recipient" });
        }
        Ok(Self(text.to_owned()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names a dispatch: the same however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DispatchId {
    /// Of this communication.
    pub communication: CommunicationId,
    /// The number of its occurrence.
    pub occurrence: i64,
    /// On this channel.
    pub channel: Channel,
    /// For whom.
    pub recipient: RecipientKey,
}

impl fmt::Display for DispatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (communication, occurrence) = (self.communication.raw(), self.occurrence);
        let (channel, recipient) = (self.channel, self.recipient.as_str());
        write!(f, "dsp_{communication}.{occurrence}.{channel}.{recipient}")
    }
}

impl FromStr for DispatchId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let read = || {
            let mut parts = text.strip_prefix("dsp_")?.split('.');
            let number = |part: &str| part.parse::<i64>().ok().filter(|n| n.to_string() == part);
            let id = Self {
                communication: CommunicationId::from_raw(number(parts.next()?)?),
                occurrence: number(parts.next()?)?,
                channel: parts.next()?.parse().ok()?,
                recipient: RecipientKey::parse(parts.next()?).ok()?,
            };
            parts.next().is_none().then_some(id)
        };
        read().ok_or(IdError { kind: "dispatch" })
    }
}

text_serde!(DispatchId);

/// One person on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The dispatch.
    pub dispatch: DispatchId,
    /// Where it stands.
    pub status: RecipientStatus,
    /// Why it was skipped, or the sender's code of a failure.
    pub reason: Option<String>,
    /// The sender's name of it.
    pub provider_id: Option<String>,
    /// Until when it is held, where it is.
    pub held_until: Option<Instant>,
    /// When its dispatch left, where that counts for the frequency cap of its workspace.
    pub counted_at: Option<Instant>,
    /// When it changed last.
    pub updated_at: Instant,
}

/// How many recipients stand where, by channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals(pub BTreeMap<(Channel, RecipientStatus), i64>);

impl Totals {
    /// All in some statuses.
    pub fn of(&self, statuses: &[RecipientStatus]) -> i64 {
        let counted = self.0.iter();
        let counted = counted.filter(|((_, status), _)| statuses.contains(status));
        counted.map(|(_, count)| count).sum()
    }

    /// All.
    pub fn all(&self) -> i64 {
        self.0.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dispatch_ids_are_read_as_they_are_written() {
        for recipient in [RecipientKey::customer(7), RecipientKey::everybody()] {
            let id = DispatchId {
                communication: CommunicationId::from_raw(12),
                occurrence: 3,
                channel: Channel::Email,
                recipient,
            };
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for text in [
            "",
            "dsp_",
            "dsp_1.1.sms",
            "dsp_1.1.fax.1",
            "dsp_01.1.sms.1",
            "dsp_1.1.sms.1.1",
            "1.1.sms.1",
        ] {
            assert!(text.parse::<DispatchId>().is_err(), "{text}");
        }
    }

    #[test]
    fn reports_go_forwards_only() {
        use RecipientStatus::{Cancelled, Delivered, Dispatched, Failed, Read, Sent, Skipped};
        for (status, report, after) in [
            (Dispatched, Sent, Some(Sent)),
            (Dispatched, Read, Some(Read)),
            (Sent, Failed, Some(Failed)),
            (Failed, Delivered, Some(Delivered)),
            (Sent, Sent, None),
            (Delivered, Sent, None),
            (Delivered, Failed, None),
            (Skipped, Sent, None),
            (Cancelled, Sent, None),
            (Sent, Skipped, None),
        ] {
            assert_eq!(status.reported(report), after, "{status} {report}");
        }
    }
}
