//! Sizes of the workspace, to be compared from one state to another: lines, functions, circles, repetitions.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use crate::{
    circles,
    size::functions,
    source::{self, SourceFile},
};

/// Lines of a stretch that counts as repeated.
const STRETCH: usize = 6;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Product,
    Tests,
    Rigs,
}

impl Part {
    fn of(file: &SourceFile) -> Self {
        let rigs = ["bench/", "tools/", "xtask/"];
        let suites = ["crates/contract-tests/", "crates/test-kit/"];
        let is_in = |folders: &[&str]| folders.iter().any(|f| file.path.starts_with(f));
        if file.is_test() || is_in(&suites) || file.path.contains("/examples/") {
            Self::Tests
        } else if is_in(&rigs) {
            Self::Rigs
        } else {
            Self::Product
        }
    }
}

/// One line per figure.
pub fn report(root: &Path) -> anyhow::Result<String> {
    let files = source::files(root)?;
    let of = |part| files.iter().filter(move |file| Part::of(file) == part);
    let product = product(&files);
    let lines = |file: &&SourceFile| file.without_tests().lines().count();
    let mut sizes: Vec<usize> = product.iter().map(lines).collect();
    sizes.sort_unstable();
    let inline: usize = product
        .iter()
        .map(|f| f.text.lines().count() - lines(f))
        .sum();
    let whole = |part| {
        of(part)
            .map(|file| file.text.lines().count())
            .sum::<usize>()
    };
    let functions = product
        .iter()
        .flat_map(|file| functions(file.without_tests()));
    let mut functions: Vec<usize> = functions.map(|function| function.size).collect();
    functions.sort_unstable();
    let circles = circles::find(&product);
    let mut rows = vec![
        ("product lines, tests inside left out", sizes.iter().sum()),
        ("product files", sizes.len()),
        ("lines of a product file, median", at(&sizes, 50)),
        ("lines of a product file, 90 %", at(&sizes, 90)),
        ("lines of a product file, longest", at(&sizes, 100)),
        ("functions of the product", functions.len()),
        ("lines of a function, median", at(&functions, 50)),
        ("lines of a function, 99 %", at(&functions, 99)),
        ("lines of a function, longest", at(&functions, 100)),
        (
            "test lines, suites and tests inside included",
            whole(Part::Tests) + inline,
        ),
        ("rig, benchmark and tool lines", whole(Part::Rigs)),
        ("circles of files in the product", circles.len()),
    ];
    let pairs = repeated(&product);
    rows.push(("pairs of places that share six lines or more", pairs));
    let mut text: String = rows
        .iter()
        .map(|(name, figure)| format!("{figure:>8}  {name}\n"))
        .collect();
    for circle in circles {
        text.push_str(&format!("          circle: {}\n", circle.join(" ")));
    }
    Ok(text)
}

/// The files that are shipped.
pub fn product(files: &[SourceFile]) -> Vec<&SourceFile> {
    let shipped = |file: &&SourceFile| Part::of(file) == Part::Product;
    files.iter().filter(shipped).collect()
}

/// The value that so many of a hundred do not exceed.
fn at(sorted: &[usize], percent: usize) -> usize {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or(0)
}

/// Lines as they are compared: without indentation; those that hold no word are part of any stretch.
fn compared(file: &SourceFile) -> Vec<&str> {
    let lines = file.without_tests().lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("use "))
        .collect()
}

/// Pairs of places with the same lines, each stretch counted once however long it is.
fn repeated(files: &[&SourceFile]) -> usize {
    let lines: Vec<Vec<&str>> = files.iter().map(|file| compared(file)).collect();
    let mut places: HashMap<&[&str], Vec<(usize, usize)>> = HashMap::new();
    for (file, lines) in lines.iter().enumerate() {
        for (line, window) in lines.windows(STRETCH).enumerate() {
            let words = window
                .iter()
                .filter(|line| line.chars().any(char::is_alphanumeric));
            if words.count() * 2 >= STRETCH {
                places.entry(window).or_default().push((file, line));
            }
        }
    }
    let mut pairs: HashSet<((usize, usize), (usize, usize))> = HashSet::new();
    for found in places.values() {
        for (n, one) in found.iter().enumerate() {
            pairs.extend(found.iter().skip(n + 1).map(|other| (*one, *other)));
        }
    }
    let goes_on = |((file, line), (other, there)): &((usize, usize), (usize, usize))| {
        let before = |line: &usize| line.checked_sub(1);
        before(line)
            .zip(before(there))
            .is_some_and(|(line, there)| pairs.contains(&((*file, line), (*other, there))))
    };
    pairs.iter().filter(|pair| !goes_on(pair)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::file;

    #[test]
    fn a_file_is_product_test_or_rig() {
        for (path, part) in [
            ("crates/domain/src/lib.rs", Part::Product),
            ("crates/contract-tests/src/lib.rs", Part::Tests),
            ("services/a/tests/b.rs", Part::Tests),
            ("tools/chaos/src/main.rs", Part::Rigs),
        ] {
            assert_eq!(Part::of(&file(path, "")), part, "{path}");
        }
    }

    #[test]
    fn percentiles_are_values_that_occur() {
        assert_eq!(
            [
                at(&[1, 2, 3, 4], 50),
                at(&[1, 2, 3, 4], 90),
                at(&[7], 50),
                at(&[], 50)
            ],
            [2, 4, 7, 0]
        );
    }

    #[test]
    fn a_repeated_stretch_counts_once_however_long_it_is() {
        let lines = |n: usize| {
            (0..n)
                .map(|n| format!("let a{n} = {n};\n"))
                .collect::<String>()
        };
        let (one, other, short) = (
            file("a.rs", &lines(9)),
            file("b.rs", &lines(9)),
            file("c.rs", &lines(5)),
        );
        assert_eq!(repeated(&[&one, &other, &short]), 1);
        assert_eq!(repeated(&[&one, &short]), 0);
    }
}
