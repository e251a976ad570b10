//! The Rust files of the workspace.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// A file with its path from the root of the workspace, `/` between its parts.
#[derive(Debug, Clone)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

impl SourceFile {
    /// Whether all of it is tests.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let in_tests = self
            .path
            .split('/')
            .any(|part| part == "tests" || part == "benches");
        in_tests || name == "tests.rs" || name.ends_with("_tests.rs")
    }

    /// The text without the test module at its end.
    pub fn without_tests(&self) -> &str {
        let Some(start) = self.text.rfind("\n#[cfg(test)]\nmod ") else {
            return &self.text;
        };
        let (code, tests) = self.text.split_at(start + 1);
        let is_block = tests.lines().nth(1).is_some_and(|line| line.ends_with('{'));
        let is_last = tests
            .find("\n}\n")
            .is_some_and(|end| tests.get(end + 3..) == Some(""));
        if is_block && is_last {
            code
        } else {
            &self.text
        }
    }
}

/// Every `.rs` file under bench/, crates/, services/, tools/ and xtask/, in order.
pub fn files(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let mut paths = Vec::new();
    for top in ["bench", "crates", "services", "tools", "xtask"] {
        walk(&root.join(top), &mut paths)?;
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let parts = path
            .strip_prefix(root)?
            .iter()
            .map(|part| part.to_string_lossy());
        Ok(SourceFile {
            path: parts.collect::<Vec<_>>().join("/"),
            text,
        })
    };
    paths.into_iter().map(read).collect()
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// A file of a test.
#[cfg(test)]
pub fn file(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_by_name_and_place() {
        for path in [
            "crates/a/tests/b.rs",
            "crates/a/src/tests.rs",
            "crates/a/src/b_tests.rs",
        ] {
            assert!(file(path, "").is_test(), "{path}");
        }
        assert!(!file("crates/contract-tests/src/lib.rs", "").is_test());
    }

    #[test]
    fn only_a_test_module_at_the_end_is_cut() {
        let tests = "#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        let with = file("a.rs", &format!("fn a() {{}}\n\n{tests}"));
        assert_eq!(with.without_tests(), "fn a() {}\n\n");
        let amid = format!("fn a() {{}}\n\n{tests}\nfn c() {{}}\n");
        assert_eq!(file("a.rs", &amid).without_tests(), amid);
        let declared = "fn a() {}\n\n#[cfg(test)]\nmod tests;\n";
        assert_eq!(file("a.rs", declared).without_tests(), declared);
    }
}
