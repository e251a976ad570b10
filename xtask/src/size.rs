//! Files and functions small enough to read.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;

use crate::{
    lexer::{Keep, blank},
    source::{self, SourceFile},
};

const FILE: usize = 400;
const TEST_FILE: usize = 800;
const FUNCTION: usize = 80;
/// How many waivers there may be. Lower it with every one that goes.
const MOST_WAIVERS: usize = 0;

/// Something too large: what, where, and how much is allowed.
#[derive(Debug, PartialEq, Eq)]
struct Excess {
    key: String,
    line: usize,
    size: usize,
    limit: usize,
}

/// Every file and function above its limit that is not waived, and every waiver that is stale.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let waivers = root.join("xtask/size-waivers.txt");
    let waivers = fs::read_to_string(&waivers).with_context(|| waivers.display().to_string())?;
    let excesses = source::files(root)?.iter().flat_map(measure).collect();
    judge(excesses, &parse_waivers(&waivers)?)
}

fn judge(excesses: Vec<Excess>, waivers: &BTreeMap<String, usize>) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    let mut unused = waivers.clone();
    for Excess {
        key,
        line,
        size,
        limit,
    } in excesses
    {
        match unused.remove(&key) {
            Some(waived) if waived == size => {}
            Some(waived) if size < waived => {
                findings.push(format!(
                    "{key}: has {size} lines, lower its waiver of {waived}"
                ));
            }
            _ => findings.push(format!("{key}:{line}: has {size} lines, at most {limit}")),
        }
    }
    findings.extend(
        unused
            .keys()
            .map(|key| format!("{key}: small or gone, remove its waiver")),
    );
    if waivers.len() > MOST_WAIVERS {
        findings.push(format!("{} waivers, at most {MOST_WAIVERS}", waivers.len()));
    }
    Ok(findings)
}

fn parse_waivers(text: &str) -> anyhow::Result<BTreeMap<String, usize>> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (key, size) = line
                .rsplit_once(' ')
                .with_context(|| format!("waiver {line:?}"))?;
            Ok((
                key.to_owned(),
                size.parse().with_context(|| format!("waiver {line:?}"))?,
            ))
        })
        .collect()
}

fn measure(file: &SourceFile) -> Vec<Excess> {
    let (size, limit) = if file.is_test() {
        (file.text.lines().count(), TEST_FILE)
    } else {
        (file.without_tests().lines().count(), FILE)
    };
    let whole = Excess {
        key: file.path.clone(),
        line: 1,
        size,
        limit,
    };
    let functions = functions(&file.text).into_iter().map(|function| Excess {
        key: format!("{}::{}", file.path, function.name),
        line: function.line,
        size: function.size,
        limit: FUNCTION,
    });
    std::iter::once(whole)
        .chain(functions)
        .filter(|found| found.size > found.limit)
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    name: String,
    line: usize,
    pub size: usize,
}

/// Every function with a body; its size is the lines from `{` to `}` that hold code.
pub fn functions(source: &str) -> Vec<Function> {
    let code = blank(source, Keep::Code);
    let starts = code.match_indices("fn ").filter(|(at, _)| {
        let before = code.get(..*at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    });
    starts
        .filter_map(|(at, keyword)| function(&code, at, at + keyword.len()))
        .collect()
}

fn function(code: &str, start: usize, name: usize) -> Option<Function> {
    let signature = code.get(name..)?;
    let name: String = signature
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    let literal_size = body(signature)?;
    let with_code = |line: &&str| !line.trim().is_empty();
    Some(Function {
        // `fn (` is a function pointer type.
        name: Some(name).filter(|name| !name.is_empty())?,
        line: code.get(..start)?.matches('\n').count() + 1,
        size: literal_size.lines().filter(with_code).count(),
    })
}

/// The body in braces that follows a signature; none where `;` ends it.
fn body(signature: &str) -> Option<&str> {
    let (mut nested, mut braces, mut open) = (0_i32, 0_i32, None);
    for (at, c) in signature.char_indices() {
        match c {
            '(' | '[' if open.is_none() => nested += 1,
            ')' | ']' if open.is_none() => nested -= 1,
            ';' if open.is_none() && nested == 0 => return None,
            '{' if nested == 0 => {
                open = open.or(Some(at));
                braces += 1;
            }
            '}' if open.is_some() => {
                braces -= 1;
                if braces == 0 {
                    return signature.get(open?..=at);
                }
            }
            _ => {}
        }
        // A type in an enclosing item ended before any body began.
        if nested < 0 {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: String) -> SourceFile {
        SourceFile {
            path: path.to_owned(),
            text,
        }
    }

    fn sizes(source: &str) -> Vec<(String, usize, usize)> {
        functions(source)
            .into_iter()
            .map(|f| (f.name, f.line, f.size))
            .collect()
    }

    #[test]
    fn functions_are_found_with_their_lines_of_code() {
        let source = "struct A { f: fn(u8) -> u8 }\n\
                      trait B { fn b(&self, x: [u8; 2]); fn c() {} }\n\
                      // fn no() {\n\
                      fn d<F: Fn() -> u8>(x: [u8; 3]) -> u8 {\n\
                      \n\
                      // comment }\n\
                      let s = \"}\";\n\
                      { 1 }\n\
                      }\n";
        assert_eq!(
            sizes(source),
            [("c".to_owned(), 2, 1), ("d".to_owned(), 4, 4)]
        );
    }

    #[test]
    fn limits_hold_for_files_tests_and_functions() {
        let keys = |file: &SourceFile| measure(file).into_iter().map(|e| e.key).collect::<Vec<_>>();
        let lines = |n: usize| "// x\n".repeat(n);
        assert!(keys(&file("a.rs", lines(400))).is_empty());
        assert_eq!(keys(&file("a.rs", lines(401))), ["a.rs"]);
        assert!(keys(&file("tests/a.rs", lines(800))).is_empty());
        assert_eq!(keys(&file("tests/a.rs", lines(801))), ["tests/a.rs"]);
        let tests = format!("\n#[cfg(test)]\nmod tests {{\n{}}}\n", lines(90));
        assert!(keys(&file("a.rs", lines(399) + &tests)).is_empty());
        let function = |n: usize| format!("fn f() {{\n{}}}\n", "a();\n".repeat(n));
        assert!(keys(&file("a.rs", function(78))).is_empty());
        assert_eq!(keys(&file("a.rs", function(79))), ["a.rs::f"]);
    }

    #[test]
    fn waivers_match_exactly_and_are_few() {
        let excess = |size| Excess {
            key: "a.rs".to_owned(),
            line: 1,
            size,
            limit: 400,
        };
        let waivers = parse_waivers("# comment\na.rs 450\n").unwrap();
        let few = |findings: Vec<String>| {
            findings
                .into_iter()
                .filter(|f| !f.contains("waivers"))
                .collect::<Vec<_>>()
        };
        assert!(few(judge(vec![excess(450)], &waivers).unwrap()).is_empty());
        for (excesses, finding) in [
            (vec![excess(451)], "a.rs:1: has 451 lines, at most 400"),
            (
                vec![excess(449)],
                "a.rs: has 449 lines, lower its waiver of 450",
            ),
            (vec![], "a.rs: small or gone, remove its waiver"),
        ] {
            assert_eq!(few(judge(excesses, &waivers).unwrap()), [finding]);
        }
        let too_many = judge(vec![excess(450)], &waivers).unwrap();
        assert_eq!(too_many, ["1 waivers, at most 0"]);
        assert!(parse_waivers("a.rs many").is_err());
    }
}
