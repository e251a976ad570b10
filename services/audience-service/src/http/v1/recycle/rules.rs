//! The rules in the body of a recycling.

use chrono::{DateTime, FixedOffset};
use domain::{
    recycle::{Attempts, Contacted, DuplicateKeep, DuplicateKey, Duplicates, Outcome, Rules},
    segment::{Notation, Predicate},
    shared::{AudienceId, Instant, UploadId, Violation},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Most broken documents that an answer names.
pub(super) const MOST_NAMED: usize = 100;
/// Longest channel in characters.
const MAX_CHANNEL: usize = 64;

/// What is removed: the union of all rules.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesBody {
    /// These people.
    #[serde(default)]
    pub(super) documents: Vec<String>,
    /// The people whose documents are in this uploaded file, which is read for its documents alone:
    /// whatever else is wrong with a row, its document counts. Rows without a readable one are
    /// counted as `unreadable`.
    upload_id: Option<String>,
    /// The members of these audiences.
    #[serde(default)]
    audience_ids: Vec<String>,
    /// Groups of conditions over the contact: a list, joined by `or`, or an object of `groups` and
    /// `groupType`, which is `and` or `or`. Numbers and dates, here and in the contacts, are read as
    /// ISO and Brazilians write them (`1.234,56`, `31/01/2026 14:00`, `2026-01-31`); a time without
    /// zone is that of America/Sao_Paulo. What cannot be read matches nothing.
    #[serde(rename = "where")]
    #[schema(value_type = Option<Value>)]
    filter: Option<Value>,
    /// Those whose last attempt ended so: `answered`, `no_answer`, `busy`, `failed`, `converted`,
    /// `invalid_number`, `opted_out`.
    #[serde(default)]
    outcomes: Vec<String>,
    /// Those with an attempt in a period.
    contacted: Option<ContactedBody>,
    /// Those with so many attempts or more.
    attempts: Option<AttemptsBody>,
    /// Those whose last attempt is more recent than so many hours.
    #[schema(minimum = 1)]
    min_hours_since_last_attempt: Option<u32>,
    /// Those who asked not to be contacted; on unless switched off.
    opted_out: Option<bool>,
    /// Those who share a valid phone or e-mail with somebody who stays.
    duplicates: Option<DuplicatesBody>,
}

/// An attempt in a period.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactedBody {
    /// Any channel where absent.
    channel: Option<String>,
    /// RFC 3339, inclusive; open where absent.
    from: Option<String>,
    /// RFC 3339, exclusive; open where absent.
    to: Option<String>,
}

/// A number of attempts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttemptsBody {
    /// Attempts.
    #[schema(minimum = 1)]
    at_least: u32,
}

/// Removal of duplicates.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DuplicatesBody {
    /// `phone`, `email` or both, each on its own.
    by: Vec<String>,
    /// Who stays: `latest` (as a rule) or `earliest`.
    keep: Option<String>,
}

impl RulesBody {
    /// The uploaded file, if one is named.
    pub fn upload(&self, broken: &mut Vec<Violation>) -> Option<UploadId> {
        let text = self.upload_id.as_deref().filter(|text| !text.is_empty())?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            let detail = "not the id of an upload";
            broken.push(Violation::new("/rules/upload_id", "invalid_id", detail));
        }
        parsed
    }

    /// The rules, without those documents that are stored apart. People who opted out leave with every
    /// recycling unless that is switched off; on its own it is a rule only where it was asked for.
    pub fn parse(self, broken: &mut Vec<Violation>) -> Rules {
        let sets = !self.documents.is_empty() || self.upload_id.is_some_and(|id| !id.is_empty());
        let ids = audiences(&self.audience_ids, "/rules/audience_ids", broken);
        let mut rules = Rules {
            documents: false,
            audiences: ids.into_iter().map(|id| id.raw()).collect(),
            filter: self.filter.and_then(|groups| filter(&groups, broken)),
            outcomes: outcomes(&self.outcomes, broken),
            contacted: self.contacted.map(|body| body.parse(broken)),
            attempts: self.attempts.map(|body| body.parse(broken)),
            min_hours_since_last_attempt: self.min_hours_since_last_attempt,
            opted_out: false,
            duplicates: self.duplicates.map(|body| body.parse(broken)),
        };
        if rules.min_hours_since_last_attempt == Some(0) {
            broken.push(too_small("/rules/min_hours_since_last_attempt"));
        }
        rules.opted_out = self.opted_out.unwrap_or(sets || !rules.is_empty());
        rules
    }
}

/// No group is no condition: clients send the empty list for it.
fn filter(groups: &Value, broken: &mut Vec<Violation>) -> Option<Predicate> {
    if groups.as_array().is_some_and(Vec::is_empty) {
        return None;
    }
    let parsed = Predicate::parse(groups, "/rules/where", Notation::default());
    parsed.map_err(|violations| broken.extend(violations)).ok()
}

fn outcomes(names: &[String], broken: &mut Vec<Violation>) -> Vec<Outcome> {
    let mut parsed = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match name.parse() {
            Ok(outcome) if parsed.contains(&outcome) => {}
            Ok(outcome) => parsed.push(outcome),
            Err(()) => {
                let all: Vec<_> = Outcome::ALL.iter().map(|o| o.as_str()).collect();
                broken.push(unknown(format!("/rules/outcomes/{index}"), &all));
                break;
            }
        }
    }
    parsed
}

impl ContactedBody {
    fn parse(self, broken: &mut Vec<Violation>) -> Contacted {
        let channel = self.channel.map(|channel| channel.trim().to_lowercase());
        let channel = channel.filter(|channel| !channel.is_empty());
        if channel
            .as_ref()
            .is_some_and(|c| c.chars().count() > MAX_CHANNEL)
        {
            let detail = format!("at most {MAX_CHANNEL} characters");
            broken.push(Violation::new(
                "/rules/contacted/channel",
                "too_long",
                detail,
            ));
        }
        let from = instant(self.from.as_deref(), "/rules/contacted/from", broken);
        let to = instant(self.to.as_deref(), "/rules/contacted/to", broken);
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            let detail = "the end of the period must be after its beginning";
            broken.push(Violation::new(
                "/rules/contacted/to",
                "invalid_period",
                detail,
            ));
        }
        Contacted { channel, from, to }
    }
}

fn instant(text: Option<&str>, pointer: &str, broken: &mut Vec<Violation>) -> Option<Instant> {
    let text = text.filter(|text| !text.is_empty())?;
    let parsed: Option<DateTime<FixedOffset>> = DateTime::parse_from_rfc3339(text).ok();
    if parsed.is_none() {
        let detail = "not a time in the form of RFC 3339";
        broken.push(Violation::new(pointer, "invalid_time", detail));
    }
    parsed.map(Into::into)
}

impl AttemptsBody {
    fn parse(self, broken: &mut Vec<Violation>) -> Attempts {
        if self.at_least == 0 {
            broken.push(too_small("/rules/attempts/at_least"));
        }
        Attempts {
            at_least: self.at_least,
        }
    }
}

impl DuplicatesBody {
    fn parse(self, broken: &mut Vec<Violation>) -> Duplicates {
        let mut by = Vec::new();
        for (index, name) in self.by.iter().enumerate() {
            let key = match name.as_str() {
                "phone" => DuplicateKey::Phone,
                "email" => DuplicateKey::Email,
                _ => {
                    let pointer = format!("/rules/duplicates/by/{index}");
                    broken.push(unknown(pointer, &["phone", "email"]));
                    break;
                }
            };
            if !by.contains(&key) {
                by.push(key);
            }
        }
        if self.by.is_empty() {
            let detail = "name phone, email or both";
            broken.push(Violation::new("/rules/duplicates/by", "required", detail));
        }
        let keep = match self.keep.as_deref() {
            None | Some("latest") => DuplicateKeep::Latest,
            Some("earliest") => DuplicateKeep::Earliest,
            Some(_) => {
                broken.push(unknown("/rules/duplicates/keep", &["latest", "earliest"]));
                DuplicateKeep::Latest
            }
        };
        Duplicates { by, keep }
    }
}

fn too_small(pointer: &str) -> Violation {
    Violation::new(pointer, "too_small", "at least 1")
}

/// A value that is not on a closed list.
pub fn unknown(pointer: impl Into<String>, allowed: &[&str]) -> Violation {
    let detail = format!("one of {}", allowed.join(", "));
    Violation::new(pointer, "unknown_value", detail)
}

/// Ids of audiences, prefixed or bare.
pub(super) fn audiences(
    texts: &[String],
    pointer: &str,
    broken: &mut Vec<Violation>,
) -> Vec<AudienceId> {
    let mut parsed = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(id) => parsed.push(id),
            Err(_) if broken.len() < MOST_NAMED => {
                let detail = "not the id of an audience";
                let pointer = format!("{pointer}/{index}");
                broken.push(Violation::new(pointer, "invalid_id", detail));
            }
            Err(_) => break,
        }
    }
    parsed
}
