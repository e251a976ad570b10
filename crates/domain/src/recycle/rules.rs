//! What a recycling removes, what it protects, and where the rest goes.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Outcome, OutcomeFact, Reason, Reasons};
use crate::{
    contact::{ContactBody, Document},
    segment::{ContactFacts, Predicate},
    shared::Instant,
};

/// All reported outcomes for one person, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomeFacts(pub Vec<OutcomeFact>);

impl OutcomeFacts {
    fn attempts(&self) -> impl Iterator<Item = &OutcomeFact> {
        self.0.iter().filter(|f| f.outcome != Outcome::OptedOut)
    }

    fn last_attempt(&self) -> Option<&OutcomeFact> {
        self.attempts().max_by_key(|f| f.occurred_at)
    }

    fn opted_out(&self) -> bool {
        self.0.iter().any(|f| f.outcome == Outcome::OptedOut)
    }
}

/// People with an attempt on a channel in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contacted {
    /// Any channel where absent.
    pub channel: Option<String>,
    /// Inclusive; open where absent.
    pub from: Option<Instant>,
    /// Exclusive; open where absent.
    pub to: Option<Instant>,
}

/// People with so many attempts or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// At least 1.
    pub at_least: u32,
}

/// By what two contacts count as the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateKey {
    /// The same phone.
    Phone,
    /// The same e-mail.
    Email,
}

impl DuplicateKey {
    /// What contacts are compared by. Only a valid phone or e-mail is one: what was typed in for want
    /// of it (`nao informado`, `0`) is nothing that two people have in common.
    pub fn of(self, body: &ContactBody) -> Option<&str> {
        match self {
            Self::Phone => body.phone.as_deref().filter(|_| body.phone_valid),
            Self::Email => body.email.as_deref().filter(|_| body.email_valid),
        }
    }
}

/// Which of several duplicates stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateKeep {
    /// The one written last.
    #[default]
    Latest,
    /// The one written first.
    Earliest,
}

/// Removal of duplicates among the contacts that no other rule removes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicates {
    /// Keys compared, each on its own.
    pub by: Vec<DuplicateKey>,
    /// Who stays.
    #[serde(default)]
    pub keep: DuplicateKeep,
}

/// What is removed: the union of all rules. Lists of documents and members of other audiences are
/// sets that the application resolves; `documents` and `audiences` only say that there are any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Whether a list of documents (inline or uploaded) is part of the rules.
    #[serde(default)]
    pub documents: bool,
    /// Audiences whose members are removed.
    #[serde(default)]
    pub audiences: Vec<i64>,
    /// Conditions over the contact.
    #[serde(default)]
    pub filter: Option<Predicate>,
    /// Outcomes of the last attempt.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
    /// Attempts in a period.
    #[serde(default)]
    pub contacted: Option<Contacted>,
    /// Attempts in all.
    #[serde(default)]
    pub attempts: Option<Attempts>,
    /// Hours that must have passed since the last attempt.
    #[serde(default)]
    pub min_hours_since_last_attempt: Option<u32>,
    /// Whether people who opted out are removed.
    #[serde(default)]
    pub opted_out: bool,
    /// Duplicates by phone or e-mail.
    #[serde(default)]
    pub duplicates: Option<Duplicates>,
}

/// Who is protected from every rule but `opted_out`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// Whether a list of documents is part of it.
    #[serde(default)]
    pub documents: bool,
    /// Audiences whose members are protected.
    #[serde(default)]
    pub audiences: Vec<i64>,
}

/// Where the contacts that stay go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Target {
    /// They stay where they are; the others are removed.
    InPlace,
    /// They are copied; the source stays as it is.
    New {
        /// The new audience, reserved when the request was accepted.
        audience: i64,
    },
}

impl Rules {
    /// Whether no rule was given at all. `opted_out` alone is a rule.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether deciding needs the reported outcomes.
    pub fn needs_outcomes(&self) -> bool {
        self.opted_out
            || !self.outcomes.is_empty()
            || self.contacted.is_some()
            || self.attempts.is_some()
            || self.min_hours_since_last_attempt.is_some()
    }

    /// Whether the same contacts go whenever it is asked, as long as nobody writes to the audience.
    pub fn are_timeless(&self) -> bool {
        let timed = self.filter.as_ref().is_some_and(Predicate::depends_on_time);
        !timed && !self.needs_outcomes() && self.audiences.is_empty()
    }

    /// Whether deciding needs more of the contact than its document.
    pub fn needs_body(&self) -> bool {
        self.filter.is_some() || self.duplicates.is_some()
    }

    /// The reasons that reported outcomes give, at the instant `now`.
    pub fn reasons_from_outcomes(&self, facts: &OutcomeFacts, now: Instant) -> Reasons {
        let mut reasons = Reasons::NONE;
        if self.opted_out && facts.opted_out() {
            reasons.add(Reason::OptedOut);
        }
        let last = facts.last_attempt();
        if last.is_some_and(|f| self.outcomes.contains(&f.outcome)) {
            reasons.add(Reason::Outcome);
        }
        if self
            .contacted
            .as_ref()
            .is_some_and(|c| facts.attempts().any(|f| c.covers(f)))
        {
            reasons.add(Reason::Contacted);
        }
        if self
            .attempts
            .is_some_and(|a| facts.attempts().count() >= a.at_least as usize)
        {
            reasons.add(Reason::Attempts);
        }
        let wait = self
            .min_hours_since_last_attempt
            .map(|h| TimeDelta::hours(i64::from(h)));
        if let (Some(wait), Some(last)) = (wait, last)
            && now.signed_duration_since(last.occurred_at) < wait
        {
            reasons.add(Reason::Wait);
        }
        reasons
    }

    /// Adds the reason that the contact's own values give.
    pub fn add_reasons_from_body(
        &self,
        reasons: &mut Reasons,
        document: &Document,
        body: &ContactBody,
        now: Instant,
    ) {
        if self
            .filter
            .as_ref()
            .is_some_and(|p| p.matches(&ContactFacts { document, body }, now))
        {
            reasons.add(Reason::Where);
        }
    }
}

impl Contacted {
    fn covers(&self, fact: &OutcomeFact) -> bool {
        self.channel.as_ref().is_none_or(|c| *c == fact.channel)
            && self.from.is_none_or(|from| from <= fact.occurred_at)
            && self.to.is_none_or(|to| fact.occurred_at < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Instant {
        chrono::DateTime::from_timestamp(hour * 3600, 0).unwrap()
    }

    fn facts(list: &[(Outcome, i64)]) -> OutcomeFacts {
        let fact = |(outcome, hour): &(Outcome, i64)| OutcomeFact {
            channel: "voice".into(),
            outcome: *outcome,
            occurred_at: at(*hour),
        };
        OutcomeFacts(list.iter().map(fact).collect())
    }

    #[test]
    fn the_last_attempt_decides_by_outcome_and_an_opt_out_is_no_attempt() {
        let rules = Rules {
            outcomes: vec![Outcome::Busy],
            opted_out: true,
            ..Rules::default()
        };
        let of = |list: &[(Outcome, i64)]| rules.reasons_from_outcomes(&facts(list), at(100));
        let busy_then_answered = of(&[(Outcome::Busy, 1), (Outcome::Answered, 2)]);
        assert!(busy_then_answered.is_empty());
        let busy_then_out = of(&[(Outcome::Busy, 1), (Outcome::OptedOut, 2)]);
        assert_eq!(
            busy_then_out.iter().collect::<Vec<_>>(),
            [Reason::OptedOut, Reason::Outcome]
        );
    }

    #[test]
    fn windows_are_half_open_and_waits_end_on_the_hour() {
        let contacted = Contacted {
            channel: Some("voice".into()),
            from: Some(at(1)),
            to: Some(at(2)),
        };
        let rules = Rules {
            contacted: Some(contacted),
            min_hours_since_last_attempt: Some(10),
            attempts: Some(Attempts { at_least: 2 }),
            ..Rules::default()
        };
        let of = |list: &[(Outcome, i64)], now| {
            rules
                .reasons_from_outcomes(&facts(list), at(now))
                .iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of(&[(Outcome::Busy, 1)], 10),
            [Reason::Contacted, Reason::Wait]
        );
        assert_eq!(of(&[(Outcome::Busy, 2)], 12), []);
        assert_eq!(
            of(&[(Outcome::Busy, 3), (Outcome::Busy, 4)], 99),
            [Reason::Attempts]
        );
    }
}
