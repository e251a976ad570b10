//! The migrations for both databases, and the schema that queries are checked against, tell the same.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Columns by table.
type Tables = BTreeMap<String, BTreeSet<String>>;
/// Texts by context and version.
type Migrations = BTreeMap<(String, String), String>;

fn crate_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(path).unwrap();
    found.map(|folder| folder.unwrap().path()).collect()
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Versions and texts for a database, in order, by context.
fn migrations(database: &str) -> Migrations {
    let contexts = folders(&crate_file("migrations"));
    let of_context = |context: &PathBuf| {
        let context = context.clone();
        folders(&context.join(database))
            .into_iter()
            .map(move |folder| {
                let text = fs::read_to_string(folder.join("up.sql")).unwrap();
                ((name(&context), name(&folder)), text)
            })
    };
    contexts.iter().flat_map(of_context).collect()
}

fn first_word(line: &str) -> String {
    line.split_whitespace()
        .next()
        .unwrap_or_default()
        .trim_end_matches(',')
        .to_owned()
}

/// The tables of migrations in which every column has a line of its own.
fn tables(migrations: &Migrations) -> Tables {
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

/// Indexes that find texts, each database in its own way: by trigrams, or by a walk of all.
const OF_TEXTS: [&str; 2] = ["audiences_by_text", "audiences_by_tag"];

/// Statements that make indexes, without line breaks.
fn indexes(migrations: &Migrations) -> BTreeSet<String> {
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
        .filter(|statement| !OF_TEXTS.iter().any(|name| statement.contains(name)))
        .collect()
}

/// The tables of a context that queries know.
fn schema(context: &str) -> Tables {
    let mut tables = Tables::new();
    let text = fs::read_to_string(crate_file("src").join(context).join("schema.rs")).unwrap();
    let mut table = String::new();
    for line in text.lines() {
        if line.starts_with("    ") && line.ends_with(") {") {
            table = first_word(line);
        } else if let Some((column, _)) = line.split_once(" -> ") {
            let columns = tables.entry(table.clone()).or_default();
            columns.insert(column.trim().to_owned());
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
fn versions_of_different_contexts_are_different() {
    let made = migrations("sqlite");
    let versions = made.keys().filter_map(|(_, name)| name.split_once('_'));
    let distinct: BTreeSet<&str> = versions.map(|(version, _)| version).collect();
    assert_eq!(distinct.len(), made.len());
}

/// Imports are written and read by statements in their own words.
#[test]
fn queries_know_every_table_of_their_context() {
    let made = migrations("sqlite");
    for context in ["messaging", "operations", "audience", "customer"] {
        let of_context = made.iter().filter(|((name, _), _)| name == context);
        let made = of_context.map(|(key, text)| (key.clone(), text.clone()));
        assert_eq!(schema(context), tables(&made.collect()), "{context}");
    }
}
