//! The direction of dependencies: between crates by their manifests, inside a service by its text.

use std::{path::Path, process::Command};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::{
    capabilities, circles,
    lexer::{Keep, blank},
    measure,
    source::{self, SourceFile},
};

/// What each crate may depend on within the workspace. Services have a rule of their own.
const ALLOWED: &[(&str, &[&str])] = &[
    ("api-types", &[]),
    ("domain", &[]),
    ("events", &[]),
    ("ports", &["domain"]),
    ("kernel", &["domain", "events", "ports"]),
    ("recycling", &["api-types", "domain", "kernel"]),
    ("operations", &["domain", "kernel", "ports"]),
    ("messaging", &["domain", "events", "ports", "telemetry"]),
    ("segment-sql", &["domain"]),
    ("adapter-sql", &["domain", "ports", "segment-sql"]),
    ("adapter-files", &["domain", "ports"]),
    (
        "adapter-bigquery",
        &["domain", "http-client", "ports", "segment-sql"],
    ),
    ("adapter-crm", &["domain", "http-client", "ports"]),
    (
        "adapter-directory",
        &["domain", "events", "http-client", "kernel", "ports"],
    ),
    ("adapter-local-bus", &["domain", "events", "ports"]),
    ("adapter-rabbitmq", &["domain", "events", "ports"]),
    ("adapter-mongo", &["domain", "ports"]),
    ("adapter-smtp", &["domain", "ports"]),
    ("http-client", &[]),
    ("runtime", &["domain", "ports"]),
    ("sealing", &["domain", "ports"]),
    ("settings", &[]),
    ("telemetry", &[]),
    (
        "service-kit",
        &[
            "adapter-local-bus",
            "adapter-rabbitmq",
            "adapter-sql",
            "domain",
            "events",
            "http-kit",
            "kernel",
            "messaging",
            "ports",
            "runtime",
            "settings",
            "telemetry",
        ],
    ),
    (
        "http-kit",
        &[
            "api-types",
            "domain",
            "kernel",
            "operations",
            "ports",
            "runtime",
            "sealing",
            "telemetry",
        ],
    ),
    ("contract-tests", &["domain", "events", "ports"]),
    ("test-kit", &["adapter-sql", "api-types", "ports"]),
    ("chaos", &["api-types", "test-kit"]),
    ("fake-crm", &[]),
    ("xtask", &[]),
    // Measures the bare store too, with the adapter's own tables.
    (
        "bench",
        &[
            "adapter-mongo",
            "adapter-sql",
            "api-types",
            "domain",
            "test-kit",
        ],
    ),
];

/// Crates for tests: dependencies of no other crate's own code.
const FOR_TESTS: &[&str] = &["contract-tests", "test-kit"];

/// The process that runs every service; it alone may depend on services.
const ALL_IN_ONE: &str = "plateia";

/// What tests may use beyond what their crate may.
const FOR_DEV: &[&str] = &[
    "contract-tests",
    "test-kit",
    "domain",
    "events",
    "ports",
    "messaging",
    "fake-crm",
];

/// Libraries that only these crates may depend on.
const OWNED: &[(&str, &[&str])] = &[
    ("aes-siv", &["sealing"]),
    ("diesel", &["adapter-sql", "bench"]),
    ("diesel-async", &["adapter-sql", "bench"]),
    ("diesel_migrations", &["adapter-sql"]),
    ("libsqlite3-sys", &["adapter-sql", "bench"]),
    ("deadpool", &["adapter-smtp", "adapter-sql"]),
    ("google-cloud-auth", &["adapter-bigquery"]),
    ("lettre", &["adapter-smtp"]),
    ("lapin", &["adapter-rabbitmq", "bench", "chaos"]),
    ("mongodb", &["adapter-mongo", "bench", "chaos"]),
    ("tokio-postgres", &["adapter-sql", "chaos"]),
    ("tokio-postgres-rustls", &["adapter-sql"]),
];

/// Folders and files of a service that are of no capability.
pub(crate) const NOT_CAPABILITIES: &[&str] =
    &["http", "consumers", "workers", "module", "lib", "main"];

/// What a use case must not know.
const NOT_IN_USE_CASES: &[&str] = &[
    "actix_web",
    "diesel",
    "adapter_",
    "lapin",
    "mongodb",
    "http_kit",
];

/// Beginnings of SQL statements, in upper case as this code base would write them.
const SQL: &[&str] = &[
    "SELECT ",
    "INSERT INTO ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE ",
];

/// Every dependency against the direction.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let cargo = Command::new("cargo")
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    ensure!(
        cargo.status.success(),
        "{}",
        String::from_utf8_lossy(&cargo.stderr)
    );
    let metadata: Value = serde_json::from_slice(&cargo.stdout)?;
    let mut findings = crates(&metadata)?;
    let files = source::files(root)?;
    findings.extend(files.iter().flat_map(mentions));
    let product = measure::product(&files);
    findings.extend(capabilities::check(&product));
    let circles = circles::find(&product).into_iter();
    findings.extend(circles.map(|files| format!("use each other: {}", files.join(" "))));
    Ok(findings)
}

fn crates(metadata: &Value) -> anyhow::Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("no name")?;
        let manifest = package["manifest_path"].as_str().context("no manifest")?;
        let is_service = manifest.contains("/services/");
        let known = ALLOWED.iter().find(|(known, _)| *known == name);
        if known.is_none() && !is_service {
            findings.push(format!("{name}: not in the table of xtask/src/arch.rs"));
            continue;
        }
        for dependency in package["dependencies"]
            .as_array()
            .context("no dependencies")?
        {
            let on = dependency["name"].as_str().context("no name")?;
            let is_dev = dependency["kind"] == "dev";
            let owners = OWNED.iter().find(|(library, _)| *library == on);
            if !is_dev && owners.is_some_and(|(_, owners)| !owners.contains(&name)) {
                findings.push(format!("{name}: must not depend on {on}"));
            }
            if dependency["path"].is_null() {
                continue;
            }
            let allowed = match known {
                Some((_, allowed)) => allowed.contains(&on),
                None => service_may(name, on),
            };
            if !allowed && !(is_dev && (FOR_DEV.contains(&on) || is_service)) {
                findings.push(format!("{name}: must not depend on {on}"));
            }
        }
    }
    Ok(findings)
}

/// A service may use every crate but those for tests; never another service.
fn service_may(name: &str, on: &str) -> bool {
    let is_library = ALLOWED.iter().any(|(known, _)| *known == on) && on != "xtask";
    is_library && !FOR_TESTS.contains(&on)
        || name == ALL_IN_ONE && (on.ends_with("-service") || on == "plateia-sender")
}

/// What the code of a file names though it must not. Tests may name anything, and so may the tools
/// that look at the services from outside.
fn mentions(file: &SourceFile) -> Vec<String> {
    let parts: Vec<&str> = file.path.split('/').collect();
    let is_outside = matches!(parts.first(), Some(&("bench" | "xtask" | "tools")));
    if file.is_test() || !parts.contains(&"src") || is_outside {
        return Vec::new();
    }
    let mut banned: Vec<&str> = Vec::new();
    if parts.first() == Some(&"services") {
        if is_use_case(&parts) {
            banned.extend(NOT_IN_USE_CASES);
        } else if !parts
            .iter()
            .any(|part| *part == "module" || *part == "module.rs")
        {
            banned.push("adapter_");
        }
    }
    let has_sql = parts.get(1) == Some(&"adapter-sql");
    if !has_sql && !banned.contains(&"diesel") {
        banned.push("diesel");
    }
    let code = blank(file.without_tests(), Keep::Strings);
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        let found = banned.iter().filter(|word| names(line, word));
        findings.extend(found.map(|word| format!("{}:{number}: must not name {word}", file.path)));
        let has_statements = has_sql || parts.get(1) == Some(&"segment-sql");
        if !has_statements && SQL.iter().any(|start| line.contains(&format!("\"{start}"))) {
            findings.push(format!(
                "{}:{number}: SQL belongs to adapter-sql and segment-sql",
                file.path
            ));
        }
    }
    findings
}

/// Whether a file of a service is of a capability, or puts them together.
fn is_use_case(parts: &[&str]) -> bool {
    match parts {
        [_, ALL_IN_ONE, ..] => false,
        [_, _, "src", first, ..] => {
            !NOT_CAPABILITIES.contains(&first.strip_suffix(".rs").unwrap_or(first))
        }
        _ => false,
    }
}

/// Whether the line has the word; one that ends in `_` is the beginning of words.
fn names(line: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_word) && (word.ends_with('_') || !after.is_some_and(is_word))
    })
}

#[cfg(test)]
#[path = "arch_tests.rs"]
mod tests;
