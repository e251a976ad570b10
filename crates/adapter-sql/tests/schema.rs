//! The two migration trees, and the schema that queries are checked against, tell the same.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Columns by table.
type Tables = BTreeMap<String, BTreeSet<String>>;

fn crate_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Versions and texts of a tree, in order.
fn migrations(tree: &str) -> BTreeMap<String, String> {
    let folders = fs::read_dir(crate_file("migrations").join(tree)).unwrap();
    folders
        .map(|folder| {
            let folder = folder.unwrap();
            let text = fs::read_to_string(folder.path().join("up.sql")).unwrap();
            (folder.file_name().into_string().unwrap(), text)
        })
        .collect()
}

fn first_word(line: &str) -> String {
    line.split_whitespace()
        .next()
        .unwrap_or_default()
        .trim_end_matches(',')
        .to_owned()
}

/// The tables of migrations in which every column has a line of its own.
fn tables(migrations: &BTreeMap<String, String>) -> Tables {
    let mut tables = Tables::new();
    let mut open: Option<String> = None;
    for line in migrations.values().flat_map(|text| text.lines()) {
        if let Some(table) = line.strip_prefix("CREATE TABLE ") {
            open = Some(first_word(table));
        } else if let Some((table, column)) = line
            .strip_prefix("ALTER TABLE ")
            .and_then(|change| change.split_once(" ADD COLUMN "))
        {
            let columns = tables.entry(table.to_owned()).or_default();
            columns.insert(first_word(column));
        } else if line.starts_with(')') {
            open = None;
        } else if let Some(table) = &open {
            let column = first_word(line);
            if column.starts_with(|c: char| c.is_ascii_lowercase()) {
                tables.entry(table.clone()).or_default().insert(column);
            }
        }
    }
    tables
}

/// Statements that make indexes, without line breaks.
fn indexes(migrations: &BTreeMap<String, String>) -> BTreeSet<String> {
    let statements = migrations.values().flat_map(|text| text.split(';'));
    statements
        .map(|statement| {
            let lines = statement.lines().filter(|line| !line.starts_with("--"));
            lines
                .flat_map(str::split_whitespace)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .filter(|statement| statement.contains(" INDEX "))
        .collect()
}

/// The tables that queries know.
fn schema() -> Tables {
    let mut tables = Tables::new();
    for file in [
        "src/schema.rs",
        "src/schema/customers.rs",
        "src/schema/feed.rs",
        "src/schema/requests.rs",
    ] {
        let text = fs::read_to_string(crate_file(file)).unwrap();
        let mut table = String::new();
        for line in text.lines() {
            if line.starts_with("    ") && line.ends_with(") {") {
                table = first_word(line);
            } else if let Some((column, _)) = line.split_once(" -> ") {
                tables
                    .entry(table.clone())
                    .or_default()
                    .insert(column.trim().to_owned());
            }
        }
    }
    tables
}

#[test]
fn both_trees_have_the_same_versions() {
    let (postgres, sqlite) = (migrations("postgres"), migrations("sqlite"));
    assert!(!postgres.is_empty());
    assert_eq!(
        postgres.keys().collect::<Vec<_>>(),
        sqlite.keys().collect::<Vec<_>>()
    );
}

#[test]
fn both_trees_make_the_same_tables_and_indexes() {
    let (postgres, sqlite) = (migrations("postgres"), migrations("sqlite"));
    assert_eq!(tables(&postgres), tables(&sqlite));
    assert_eq!(indexes(&postgres), indexes(&sqlite));
}

#[test]
fn queries_know_every_table() {
    let made = tables(&migrations("sqlite"));
    assert!(made.len() > 5);
    assert_eq!(schema(), made);
}
