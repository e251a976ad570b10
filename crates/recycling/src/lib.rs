//! What the body of a recycling asks for: of the face that starts one, and of a rule that starts one later.

mod rules;

use api_types::recycle::{RecycleBody, TargetBody};
use domain::{
    contact::Document,
    recycle::Rules,
    segment::Notation,
    shared::{AudienceId, AudienceName, UploadId, Violation},
};
use kernel::AppError;

use rules::{MOST_NAMED, audiences};

/// A recycling as it was asked for.
#[derive(Debug)]
pub struct Recycling {
    /// Rules, without the documents.
    pub rules: Rules,
    /// Documents to remove.
    pub documents: Vec<Document>,
    /// The uploaded file of more of them.
    pub upload: Option<UploadId>,
    /// Audiences whose members are protected.
    pub keep_audiences: Vec<AudienceId>,
    /// Documents to protect.
    pub keep_documents: Vec<Document>,
    /// `None`: in place. Else the name of the new audience, or none for the proposed one.
    pub new_audience: Option<Option<AudienceName>>,
}

/// Reads a body, apart from dry run and plan. `notation` says how texts of conditions are read.
///
/// # Errors
/// Everything in it that cannot be read, by JSON Pointer.
pub fn read(body: RecycleBody, notation: Notation) -> Result<Recycling, Vec<Violation>> {
    let RecycleBody {
        rules,
        keep,
        target,
        ..
    } = body;
    let mut broken = Vec::new();
    let recycling = Recycling {
        documents: documents_of(&rules.documents, "/rules/documents", &mut broken),
        upload: rules::upload(&rules, &mut broken),
        rules: rules::parse(rules, notation, &mut broken),
        keep_audiences: audiences(&keep.audience_ids, "/keep/audience_ids", &mut broken),
        keep_documents: documents_of(&keep.documents, "/keep/documents", &mut broken),
        new_audience: target.and_then(|target| new_audience(target, &mut broken)),
    };
    if broken.is_empty() {
        return Ok(recycling);
    }
    Err(broken)
}

/// Whether a body that nobody waits for can be kept: it is no dry run, has no plan, and names a rule.
///
/// # Errors
/// Everything in it that cannot be read or is not allowed, by JSON Pointer.
pub fn standing(body: RecycleBody) -> Result<(), Vec<Violation>> {
    let mut broken = Vec::new();
    let foreign = [
        ("/dry_run", body.dry_run),
        ("/plan", body.plan.is_some()),
        ("/plan_tolerance", body.plan_tolerance > 0),
    ];
    for (pointer, _) in foreign.into_iter().filter(|(_, is_there)| *is_there) {
        let detail = "not of a recycling that starts by itself";
        broken.push(Violation::new(pointer, "not_allowed", detail));
    }
    match read(body, Notation::default()) {
        Ok(asked)
            if asked.rules.is_empty() && asked.documents.is_empty() && asked.upload.is_none() =>
        {
            let detail = "there is no rule to remove by";
            broken.push(Violation::new("/rules", "no_rules", detail));
        }
        Ok(_) => {}
        Err(more) => broken.extend(more),
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(broken)
}

fn new_audience(target: TargetBody, broken: &mut Vec<Violation>) -> Option<Option<AudienceName>> {
    let name = target.name.filter(|name| !name.trim().is_empty());
    match (target.kind.as_str(), &name) {
        ("new", _) => {}
        ("in_place", None) => return None,
        ("in_place", Some(_)) => {
            let detail = "only a new audience has a name";
            broken.push(Violation::new("/target/name", "unknown_member", detail));
            return None;
        }
        _ => {
            broken.push(Violation::not_one_of("/target/type", ["in_place", "new"]));
            return None;
        }
    }
    let parsed = name.map(|name| AudienceName::parse(&name)).transpose();
    Some(parsed.unwrap_or_else(|error| {
        if let AppError::Invalid(violations) = AppError::name("/target/name", error) {
            broken.extend(violations);
        }
        None
    }))
}

fn documents_of(texts: &[String], pointer: &str, broken: &mut Vec<Violation>) -> Vec<Document> {
    let mut parsed = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match Document::parse(text) {
            Ok(document) => parsed.push(document),
            Err(error) if broken.len() < MOST_NAMED => {
                let pointer = format!("{pointer}/{index}");
                broken.push(Violation::new(pointer, error.code(), error.to_string()));
            }
            Err(_) => break,
        }
    }
    parsed
}
