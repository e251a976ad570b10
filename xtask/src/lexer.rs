//! Just enough of Rust's lexical structure to tell code from comments and literals.

/// What [`blank`] leaves in place besides code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Code only.
    Code,
    /// Code and string literals.
    Strings,
}

/// Replaces comments, and literals unless they are kept, by spaces. Lines stay where they are.
pub fn blank(source: &str, keep: Keep) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let (len, is_literal) = token(&chars, at);
        let masked = match is_literal {
            None => false,
            Some(Literal::Comment) => true,
            Some(Literal::Text) => keep == Keep::Code,
        };
        for c in chars.iter().skip(at).take(len) {
            out.push(if masked && *c != '\n' { ' ' } else { *c });
        }
        at += len;
    }
    out
}

enum Literal {
    Comment,
    Text,
}

/// Length of the token at `at`, and what it is if it is not code.
fn token(chars: &[char], at: usize) -> (usize, Option<Literal>) {
    let rest = chars.get(at..).unwrap_or_default();
    let in_word = at
        .checked_sub(1)
        .and_then(|before| chars.get(before))
        .is_some_and(is_word);
    match rest {
        ['/', '/', ..] => (until(rest, |c| c == '\n'), Some(Literal::Comment)),
        ['/', '*', ..] => (block_comment(rest), Some(Literal::Comment)),
        ['"', ..] => (string(rest), Some(Literal::Text)),
        ['r', '"' | '#', ..] if !in_word => match raw_string(rest) {
            Some(len) => (len, Some(Literal::Text)),
            None => (1, None),
        },
        ['b' | 'c', 'r', '"' | '#', ..] if !in_word => {
            match raw_string(rest.get(1..).unwrap_or_default()) {
                Some(len) => (len + 1, Some(Literal::Text)),
                None => (1, None),
            }
        }
        // A character, not a lifetime: closed after one character or an escape.
        ['\'', '\\', ..] => (
            2 + until(rest.get(3..).unwrap_or_default(), |c| c == '\'') + 2,
            Some(Literal::Text),
        ),
        ['\'', _, '\'', ..] => (3, Some(Literal::Text)),
        _ => (1, None),
    }
}

fn is_word(c: &char) -> bool {
    c.is_alphanumeric() || *c == '_'
}

fn until(chars: &[char], end: impl Fn(char) -> bool) -> usize {
    chars.iter().position(|c| end(*c)).unwrap_or(chars.len())
}

fn block_comment(chars: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < chars.len() {
        match chars.get(at..).unwrap_or_default() {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(chars: &[char]) -> usize {
    let mut at = 1;
    loop {
        match chars.get(at) {
            None => return chars.len(),
            Some('\\') => at += 2,
            Some('"') => return at + 1,
            Some(_) => at += 1,
        }
    }
}

fn raw_string(chars: &[char]) -> Option<usize> {
    let hashes = until(chars.get(1..)?, |c| c != '#');
    if chars.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let body = chars.get(hashes + 2..)?;
    let closes = |at: usize| {
        body.get(at) == Some(&'"')
            && body
                .get(at + 1..at + 1 + hashes)
                .is_some_and(|end| end.iter().all(|c| *c == '#'))
    };
    let end = (0..body.len()).find(|at| closes(*at));
    Some(end.map_or(chars.len(), |end| hashes + 2 + end + 1 + hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str, keep: Keep) -> String {
        blank(source, keep)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn comments_and_literals_are_blanked() {
        for (source, code) in [
            ("a // b\nc", "a c"),
            ("a /* b /* c */ d */ e", "a e"),
            (r#"a "b \" c" d"#, "a d"),
            (r##"a r#"b " c"# d"##, "a d"),
            (r#"a br"b" d"#, "a d"),
            ("a 'b' c", "a c"),
            (r"a '\'' c", "a c"),
            (r"a '\u{41}' c", "a c"),
            ("fn a<'a>(b: &'a str) {}", "fn a<'a>(b: &'a str) {}"),
            ("r#type = bar\"x\"", "r#type = bar"),
            ("a \"// b\" c", "a c"),
        ] {
            assert_eq!(words(source, Keep::Code), code, "{source}");
        }
        assert_eq!(words("a \"b // c\" // d", Keep::Strings), "a \"b // c\"");
    }

    #[test]
    fn lines_stay_where_they_are() {
        let source = "a /* b\nc */ \"d\ne\" f\n// g\nh";
        assert_eq!(
            blank(source, Keep::Code).lines().count(),
            source.lines().count()
        );
    }
}
