//! The rules in the body of a recycling.

use api_types::recycle::{AttemptsBody, ContactedBody, DuplicatesBody, RulesBody};
use chrono::{DateTime, FixedOffset};
use domain::{
    recycle::{Attempts, Contacted, DuplicateKeep, DuplicateKey, Duplicates, Outcome, Rules},
    segment::{Notation, Predicate},
    shared::{AudienceId, Instant, UploadId, Violation},
};
use serde_json::Value;

/// Most broken documents that an answer names.
pub const MOST_NAMED: usize = 100;
/// Longest channel in characters.
const MAX_CHANNEL: usize = 64;

/// The uploaded file, if one is named.
pub fn upload(rules: &RulesBody, broken: &mut Vec<Violation>) -> Option<UploadId> {
    let text = rules.upload_id.as_deref().filter(|text| !text.is_empty())?;
    let parsed = text.parse().ok();
    if parsed.is_none() {
        let detail = "not the id of an upload";
        broken.push(Violation::new("/rules/upload_id", "invalid_id", detail));
    }
    parsed
}

/// The rules, without those documents that are stored apart. People who opted out leave with every
/// recycling unless that is switched off; on its own it is a rule only where it was asked for.
pub fn parse(body: RulesBody, notation: Notation, broken: &mut Vec<Violation>) -> Rules {
    let sets = !body.documents.is_empty() || body.upload_id.is_some_and(|id| !id.is_empty());
    let ids = audiences(&body.audience_ids, "/rules/audience_ids", broken);
    let mut rules = Rules {
        documents: false,
        audiences: ids.into_iter().map(|id| id.raw()).collect(),
        filter: body
            .filter
            .and_then(|groups| filter(&groups, notation, broken)),
        outcomes: outcomes(&body.outcomes, broken),
        contacted: body.contacted.map(|body| contacted(body, broken)),
        attempts: body.attempts.map(|body| attempts(&body, broken)),
        min_hours_since_last_attempt: body.min_hours_since_last_attempt,
        opted_out: false,
        duplicates: body.duplicates.map(|body| duplicates(body, broken)),
    };
    if rules.min_hours_since_last_attempt == Some(0) {
        broken.push(too_small("/rules/min_hours_since_last_attempt"));
    }
    rules.opted_out = body.opted_out.unwrap_or(sets || !rules.is_empty());
    rules
}

/// No group is no condition: clients send the empty list for it.
fn filter(groups: &Value, notation: Notation, broken: &mut Vec<Violation>) -> Option<Predicate> {
    if groups.as_array().is_some_and(Vec::is_empty) {
        return None;
    }
    let parsed = Predicate::parse(groups, "/rules/where", notation);
    parsed.map_err(|violations| broken.extend(violations)).ok()
}

fn outcomes(names: &[String], broken: &mut Vec<Violation>) -> Vec<Outcome> {
    let mut parsed = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match name.parse() {
            Ok(outcome) if parsed.contains(&outcome) => {}
            Ok(outcome) => parsed.push(outcome),
            Err(()) => {
                let pointer = format!("/rules/outcomes/{index}");
                broken.push(Violation::not_one_of(pointer, Outcome::ALL));
                break;
            }
        }
    }
    parsed
}

fn contacted(body: ContactedBody, broken: &mut Vec<Violation>) -> Contacted {
    let channel = body.channel.map(|channel| channel.trim().to_lowercase());
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
    let from = instant(body.from.as_deref(), "/rules/contacted/from", broken);
    let to = instant(body.to.as_deref(), "/rules/contacted/to", broken);
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

fn instant(text: Option<&str>, pointer: &str, broken: &mut Vec<Violation>) -> Option<Instant> {
    let text = text.filter(|text| !text.is_empty())?;
    let parsed: Option<DateTime<FixedOffset>> = DateTime::parse_from_rfc3339(text).ok();
    if parsed.is_none() {
        let detail = "not a time in the form of RFC 3339";
        broken.push(Violation::new(pointer, "invalid_time", detail));
    }
    parsed.map(Into::into)
}

fn attempts(body: &AttemptsBody, broken: &mut Vec<Violation>) -> Attempts {
    if body.at_least == 0 {
        broken.push(too_small("/rules/attempts/at_least"));
    }
    Attempts {
        at_least: body.at_least,
    }
}

fn duplicates(body: DuplicatesBody, broken: &mut Vec<Violation>) -> Duplicates {
    let mut by = Vec::new();
    for (index, name) in body.by.iter().enumerate() {
        let key = match name.as_str() {
            "phone" => DuplicateKey::Phone,
            "email" => DuplicateKey::Email,
            _ => {
                let pointer = format!("/rules/duplicates/by/{index}");
                broken.push(Violation::not_one_of(pointer, ["phone", "email"]));
                break;
            }
        };
        if !by.contains(&key) {
            by.push(key);
        }
    }
    if body.by.is_empty() {
        let detail = "name phone, email or both";
        broken.push(Violation::new("/rules/duplicates/by", "required", detail));
    }
    let keep = match body.keep.as_deref() {
        None | Some("latest") => DuplicateKeep::Latest,
        Some("earliest") => DuplicateKeep::Earliest,
        Some(_) => {
            let pointer = "/rules/duplicates/keep";
            broken.push(Violation::not_one_of(pointer, ["latest", "earliest"]));
            DuplicateKeep::Latest
        }
    };
    Duplicates { by, keep }
}

fn too_small(pointer: &str) -> Violation {
    Violation::new(pointer, "too_small", "at least 1")
}

/// Ids of audiences, prefixed or bare.
pub fn audiences(texts: &[String], pointer: &str, broken: &mut Vec<Violation>) -> Vec<AudienceId> {
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
