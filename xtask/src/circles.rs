//! Files of one crate that use each other, directly or around some corners.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    lexer::{Keep, blank},
    source::SourceFile,
};

/// A module: its crate and its path in it.
type Module = Vec<String>;

/// Sets of files that reach each other, each in order. A file and the folder that it makes count as one
/// another's parents: a use of a sibling through the parent is a use of the sibling.
pub fn find(files: &[&SourceFile]) -> Vec<Vec<String>> {
    let modules = modules(files);
    let uses: BTreeMap<&Module, BTreeSet<&Module>> = modules
        .iter()
        .map(|(at, file)| (at, used(at, file, &modules)))
        .collect();
    let mut circles = Vec::new();
    let mut done: BTreeSet<&Module> = BTreeSet::new();
    for at in modules.keys() {
        if done.contains(at) {
            continue;
        }
        let there = reached(at, &uses);
        let back = |other: &&Module| reached(other, &uses).contains(at);
        let circle: Vec<&Module> = there.into_iter().filter(back).collect();
        if circle.len() > 1 {
            done.extend(&circle);
            let paths = circle.iter().filter_map(|at| modules.get(*at));
            circles.push(paths.map(|file| file.path.clone()).collect());
        }
    }
    circles
}

/// Each file with the files of its crate that it names, by their paths.
pub fn uses<'a>(files: &[&'a SourceFile]) -> Vec<(&'a str, Vec<&'a str>)> {
    let modules = modules(files);
    let path = |at: &Module| modules.get(at).map(|file| file.path.as_str());
    let uses = |(at, file): (&Module, &&'a SourceFile)| {
        let used = used(at, file, &modules).into_iter().filter_map(path);
        (file.path.as_str(), used.collect())
    };
    modules.iter().map(uses).collect()
}

fn modules<'a>(files: &[&'a SourceFile]) -> BTreeMap<Module, &'a SourceFile> {
    let module = |file: &&'a SourceFile| Some((module(&file.path)?, *file));
    files.iter().filter_map(module).collect()
}

/// `crates/a/src/b/c.rs` is `a::b::c`; none for what is no part of a library or program.
fn module(path: &str) -> Option<Module> {
    let (name, inside) = path.split_once("/src/")?;
    let inside = inside.strip_suffix(".rs")?;
    let parts = std::iter::once(name).chain(inside.split('/'));
    let mut module: Module = parts.map(str::to_owned).collect();
    if module
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()))
    {
        module.pop();
    }
    Some(module)
}

fn reached<'a>(
    from: &'a Module,
    uses: &BTreeMap<&'a Module, BTreeSet<&'a Module>>,
) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for next in uses.get(at).into_iter().flatten() {
            if reached.insert(*next) {
                open.push(next);
            }
        }
    }
    reached
}

/// The files that a file names in its imports and paths, but for its own children and parents: these hold
/// it together and are no step of a circle.
fn used<'a>(
    at: &Module,
    file: &SourceFile,
    modules: &'a BTreeMap<Module, &SourceFile>,
) -> BTreeSet<&'a Module> {
    let code = blank(file.without_tests(), Keep::Code);
    let mut used = BTreeSet::new();
    for path in paths(&code) {
        let Some(absolute) = absolute(at, &path) else {
            continue;
        };
        let longest = (1..=absolute.len()).rev().find_map(|n| {
            let (module, _) = modules.get_key_value(absolute.get(..n)?)?;
            Some(module)
        });
        let related = |other: &Module| other.starts_with(at) || at.starts_with(other);
        used.extend(longest.filter(|other| !related(other)));
    }
    used
}

fn absolute(at: &Module, path: &[String]) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    let mut base = match first.as_str() {
        "crate" => at.get(..1)?.to_vec(),
        "super" => at.split_last()?.1.to_vec(),
        "self" => at.clone(),
        _ => return None,
    };
    for part in rest {
        if part == "super" {
            base.pop();
        } else {
            base.push(part.clone());
        }
    }
    Some(base)
}

/// Paths that begin with `crate`, `super` or `self`, groups in braces unfolded.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code.get(..at).and_then(|text| text.chars().next_back());
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            unfold(code.get(at..).unwrap_or_default(), Vec::new(), &mut found);
        }
    }
    found
}

/// Reads one path, with its groups; answers what is left behind it.
fn unfold<'a>(code: &'a str, mut path: Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    let mut rest = code;
    loop {
        rest = rest.trim_start();
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if !word.is_empty() {
            path.push(word.to_owned());
        }
        rest = behind;
        let Some(behind) = rest.strip_prefix("::") else {
            if !path.is_empty() {
                found.push(path);
            }
            return rest;
        };
        rest = behind.trim_start();
        let Some(mut group) = rest.strip_prefix('{') else {
            continue;
        };
        loop {
            group = unfold(group, path.clone(), found).trim_start();
            match group.chars().next() {
                Some(',') => group = group.get(1..).unwrap_or_default(),
                Some('}') => return group.get(1..).unwrap_or_default(),
                // Not an import but a block behind a path.
                _ => return group,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::file;

    #[test]
    fn groups_are_unfolded() {
        let code = "use crate::{a::{B, c::D}, e}; fn f() { super::g::h(); }";
        let paths: Vec<String> = paths(code).iter().map(|path| path.join("::")).collect();
        assert_eq!(
            paths,
            ["crate::a::B", "crate::a::c::D", "crate::e", "super::g::h"]
        );
    }

    #[test]
    fn files_that_use_each_other_are_a_circle() {
        let files = [
            file("crates/x/src/lib.rs", "mod a; mod b; mod c;"),
            file("crates/x/src/a/mod.rs", "use crate::b::B;"),
            file("crates/x/src/b.rs", "use super::{c::C, d};"),
            file("crates/x/src/c.rs", "fn f() { crate::a::f() }"),
            file("crates/x/src/d.rs", "use crate::c::C;"),
        ];
        let files: Vec<&SourceFile> = files.iter().collect();
        let circle = [
            "crates/x/src/a/mod.rs",
            "crates/x/src/b.rs",
            "crates/x/src/c.rs",
            "crates/x/src/d.rs",
        ];
        assert_eq!(find(&files), [circle]);
        assert!(find(files.get(..3).unwrap()).is_empty());
    }

    #[test]
    fn parents_and_children_are_no_circle() {
        let files = [
            file("crates/x/src/a/mod.rs", "use self::b::B;"),
            file("crates/x/src/a/b.rs", "use super::A;"),
        ];
        assert!(find(&files.iter().collect::<Vec<_>>()).is_empty());
    }
}
