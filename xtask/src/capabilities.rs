//! Which capability of a service may use which.

use crate::{arch::NOT_CAPABILITIES, circles, source::SourceFile};

/// Capabilities, each with those that it may use.
type Table = &'static [(&'static str, &'static [&'static str])];

/// The capabilities of audience-service, each with those that it may use: only ones further up.
const AUDIENCE: Table = &[
    ("events", &[]),
    ("housekeeping", &[]),
    ("suppression", &[]),
    ("customer", &[]),
    ("notification", &[]),
    ("outcome", &[]),
    ("dead_letter", &[]),
    ("segment_source", &[]),
    ("audience", &["events"]),
    ("workspace", &["audience"]),
    ("contact", &["audience"]),
    ("operation", &["audience", "events"]),
    ("group", &["audience", "contact"]),
    ("creation", &["audience", "contact", "events", "operation"]),
    ("removal", &["audience", "contact", "events", "operation"]),
    (
        "upload",
        &["audience", "contact", "events", "operation", "suppression"],
    ),
    (
        "recycle",
        &["audience", "contact", "events", "operation", "upload"],
    ),
    ("derive", &["audience", "contact", "operation"]),
    ("score", &["events", "operation"]),
    ("segment", &["audience", "contact", "events", "operation"]),
    ("live", &["audience", "contact", "segment"]),
    (
        "recipient",
        &["contact", "events", "segment", "suppression"],
    ),
    ("control", &["audience", "events", "operation", "removal"]),
];

/// Those of import-job-service.
const IMPORTS: Table = &[
    ("client", &[]),
    ("row", &["client"]),
    ("run", &["client"]),
    ("batch", &["run"]),
];

/// Those of scheduler-service.
const SCHEDULES: Table = &[("dispatch", &[]), ("communication", &["dispatch"])];

/// The folder of each service, with its capabilities.
const SERVICES: &[(&str, Table)] = &[
    ("services/audience-service/src/", AUDIENCE),
    ("services/import-job-service/src/", IMPORTS),
    ("services/scheduler-service/src/", SCHEDULES),
];

/// Puts the use cases together: it uses all of them, and none uses it.
const COMPOSITION: &str = "use_cases";

/// Every use of a capability by another that the table does not have.
pub fn check(files: &[&SourceFile]) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, used) in circles::uses(files) {
        for (folder, table) in SERVICES {
            let Some(from) = capability(path, folder) else {
                continue;
            };
            if from == COMPOSITION || NOT_CAPABILITIES.contains(&from) {
                continue;
            }
            let Some((_, allowed)) = table.iter().find(|(known, _)| *known == from) else {
                findings.push(format!("{path}: a capability without a row in the table"));
                continue;
            };
            let others = used.iter().filter_map(|path| capability(path, folder));
            for on in others.filter(|on| *on != from && !allowed.contains(on)) {
                findings.push(format!("{path}: {from} must not use {on}"));
            }
        }
    }
    findings
}

fn capability<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let inside = path.strip_prefix(folder)?;
    let first = inside.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_use_that_the_table_does_not_have_is_found() {
        let folder = "services/audience-service/src";
        let files = [
            file(&format!("{folder}/lib.rs"), ""),
            file(
                &format!("{folder}/audience/mod.rs"),
                "use crate::contact::A;",
            ),
            file(
                &format!("{folder}/contact/mod.rs"),
                "use crate::audience::B;",
            ),
            file(&format!("{folder}/use_cases.rs"), "use crate::audience::B;"),
            file(&format!("{folder}/other.rs"), ""),
        ];
        let found = check(&files.iter().collect::<Vec<_>>());
        assert_eq!(
            found,
            [
                format!("{folder}/audience/mod.rs: audience must not use contact"),
                format!("{folder}/other.rs: a capability without a row in the table"),
            ]
        );
    }

    #[test]
    fn a_capability_uses_only_those_above_it() {
        for (_, table) in SERVICES {
            for (row, (name, allowed)) in table.iter().enumerate() {
                let above = |on: &&str| table.iter().take(row).any(|(known, _)| known == on);
                assert!(allowed.iter().all(above), "{name}");
            }
        }
    }
}
