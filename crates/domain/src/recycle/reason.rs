//! Reasons for a removal.

use serde::{Deserialize, Serialize};

/// Why a contact is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The person asked not to be contacted. `keep` does not protect from it.
    OptedOut,
    /// On a list of documents, inline or uploaded.
    Documents,
    /// Member of another audience.
    Audience,
    /// Has an outcome that was named.
    Outcome,
    /// Was contacted in the period.
    Contacted,
    /// Had at least so many attempts: exhausted.
    Attempts,
    /// The last attempt is too recent.
    Wait,
    /// Meets the conditions.
    Where,
    /// Shares a phone or e-mail with a contact that stays.
    Duplicates,
}

impl Reason {
    /// Every reason, strongest first: of several that hold, the first counts.
    pub const PRIORITY: [Self; 9] = [
        Self::OptedOut,
        Self::Documents,
        Self::Audience,
        Self::Outcome,
        Self::Contacted,
        Self::Attempts,
        Self::Wait,
        Self::Where,
        Self::Duplicates,
    ];

    /// The number under which a reason is stored, at most 62. It never changes, whatever the priority; a
    /// new reason takes the next one.
    const fn code(self) -> u8 {
        match self {
            Self::OptedOut => 0,
            Self::Documents => 1,
            Self::Audience => 2,
            Self::Outcome => 3,
            Self::Contacted => 4,
            Self::Attempts => 5,
            Self::Wait => 6,
            Self::Where => 7,
            Self::Duplicates => 8,
        }
    }

    const fn bit(self) -> i64 {
        1 << self.code()
    }

    /// The reason as the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::Documents => "documents",
            Self::Audience => "audience",
            Self::Outcome => "outcome",
            Self::Contacted => "contacted",
            Self::Attempts => "attempts",
            Self::Wait => "wait",
            Self::Where => "where",
            Self::Duplicates => "duplicates",
        }
    }
}

/// All reasons that hold for one contact, as a bit set: bit *n* stands for the reason whose code is *n*.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reasons(i64);

impl Reasons {
    /// No reason: the contact stays.
    pub const NONE: Self = Self(0);

    /// The set as a store returns it.
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// The set as it is stored.
    pub const fn bits(self) -> i64 {
        self.0
    }

    /// Adds a reason.
    pub const fn add(&mut self, reason: Reason) {
        self.0 |= reason.bit();
    }

    /// Whether a reason is among them.
    pub const fn contains(self, reason: Reason) -> bool {
        self.0 & reason.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The reason that counts.
    pub fn first(self) -> Option<Reason> {
        self.iter().next()
    }

    /// The reasons, strongest first.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::PRIORITY
            .into_iter()
            .filter(move |r| self.contains(*r))
    }

    /// What is left under protection: `keep` shields from everything but an opt-out.
    #[must_use]
    pub const fn protected(self) -> Self {
        Self(self.0 & Reason::OptedOut.bit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_reason_counts_and_opt_out_survives_protection() {
        let mut reasons = Reasons::NONE;
        for reason in [Reason::Where, Reason::OptedOut, Reason::Documents] {
            reasons.add(reason);
        }
        assert_eq!(reasons.first(), Some(Reason::OptedOut));
        assert_eq!(reasons.iter().count(), 3);
        assert_eq!(
            reasons.protected().iter().collect::<Vec<_>>(),
            [Reason::OptedOut]
        );
        assert!(Reasons::NONE.first().is_none());
    }

    /// Stored tombstones and checkpoints hold these numbers.
    #[test]
    fn a_reason_is_stored_under_a_number_that_never_changes() {
        let stored = Reason::PRIORITY.map(|reason| (reason.as_str(), reason.bit()));
        let expected = [
            ("opted_out", 1),
            ("documents", 2),
            ("audience", 4),
            ("outcome", 8),
            ("contacted", 16),
            ("attempts", 32),
            ("wait", 64),
            ("where", 128),
            ("duplicates", 256),
        ];
        assert_eq!(stored, expected);
    }
}
