//! The words, literals and signs of an expression, by the lexical rules of GoogleSQL.

use std::fmt;

/// Most tokens of an expression.
const MAX_TOKENS: usize = 500;

/// Where a token begins. Both count from 1; a column is a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    line: usize,
    column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What is wrong with an expression. Nothing of what was written is repeated: it may be personal data.
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) place: Place,
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn new(place: Place, detail: impl Into<String>) -> Self {
        Self {
            code: "invalid_sql",
            place,
            detail: detail.into(),
        }
    }
}

pub(super) type Read<T> = Result<T, Fault>;

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name.
    Word(String),
    /// A name in backquotes.
    Quoted(String),
    /// A string.
    Text(String),
    /// A number without a sign.
    Number(String),
    /// An operator, a parenthesis, a comma or a point.
    Sign(&'static str),
}

/// A token and where it begins.
pub(super) type Placed = (Token, Place);

const ARITHMETIC: &str = "arithmetic is not allowed";
const COMMENT: &str = "comments are not allowed";
const PARAMETER: &str = "parameters are not allowed";
const SUBQUERY: &str = "subqueries are not allowed";
const CAST: &str = "casts are not allowed";
const PATTERN: &str =
    "patterns are not allowed: use STARTS_WITH(field, 'text') or CONTAINS_SUBSTR(field, 'text')";
const FOLD: &str =
    "this function is not needed: STARTS_WITH and CONTAINS_SUBSTR ignore case, = does not";

/// The longer before its own beginning; those with a text are refused with it.
const SIGNS: [(&str, Option<&str>); 34] = [
    ("--", Some(COMMENT)),
    ("/*", Some(COMMENT)),
    ("#", Some(COMMENT)),
    (";", Some("semicolons are not allowed")),
    ("::", Some(CAST)),
    ("@", Some(PARAMETER)),
    ("?", Some(PARAMETER)),
    (":", Some(PARAMETER)),
    ("$", Some("strings stand in ' or \"")),
    ("!=", None),
    ("<>", None),
    ("<=", None),
    (">=", None),
    ("(", None),
    (")", None),
    (",", None),
    (".", None),
    ("=", None),
    ("<", None),
    (">", None),
    ("+", None),
    ("-", None),
    ("*", Some(ARITHMETIC)),
    ("/", Some(ARITHMETIC)),
    ("%", Some(ARITHMETIC)),
    ("^", Some(ARITHMETIC)),
    ("~", Some(ARITHMETIC)),
    ("&&", Some("the operator is AND")),
    ("||", Some("the operator is OR")),
    ("&", Some(ARITHMETIC)),
    ("|", Some(ARITHMETIC)),
    ("!", Some("the operator is NOT")),
    ("[", Some("lists stand in parentheses")),
    ("{", Some("lists stand in parentheses")),
];

/// Words that mean something else in SQL than an expression here can say.
const REFUSED: [(&str, &str); 28] = [
    ("SELECT", SUBQUERY),
    ("EXISTS", SUBQUERY),
    ("WITH", SUBQUERY),
    ("FROM", SUBQUERY),
    ("WHERE", SUBQUERY),
    ("UNION", SUBQUERY),
    ("UNNEST", SUBQUERY),
    ("ARRAY", SUBQUERY),
    ("ANY", SUBQUERY),
    ("SOME", SUBQUERY),
    ("ALL", SUBQUERY),
    ("CAST", CAST),
    ("SAFE_CAST", CAST),
    ("LIKE", PATTERN),
    ("ILIKE", PATTERN),
    ("RLIKE", PATTERN),
    ("REGEXP", PATTERN),
    ("SIMILAR", PATTERN),
    ("GLOB", PATTERN),
    ("LOWER", FOLD),
    ("UPPER", FOLD),
    ("CASE", "CASE is not allowed"),
    ("DISTINCT", "DISTINCT is not allowed"),
    ("INTERVAL", "INTERVAL is not allowed"),
    ("COLLATE", "COLLATE is not allowed"),
    ("ESCAPE", "ESCAPE is not allowed"),
    ("XOR", "XOR is not allowed"),
    ("DIV", ARITHMETIC),
];

/// Letters that change a string's meaning where they stand before it, in one dialect or another.
const PREFIXES: [&str; 9] = ["r", "b", "rb", "br", "e", "n", "u", "x", "q"];

/// The tokens of a text, and where it ends.
pub(super) fn tokens(text: &str) -> Read<(Vec<Placed>, Place)> {
    let start = Place { line: 1, column: 1 };
    let mut lexer = Lexer {
        rest: text,
        place: start,
    };
    let mut tokens: Vec<Placed> = Vec::new();
    loop {
        lexer.spaces();
        let place = lexer.place;
        let Some(token) = lexer.token()? else {
            return Ok((tokens, place));
        };
        if let Token::Word(word) = &token {
            let part = tokens.last().is_some_and(|(t, _)| *t == Token::Sign("."));
            let refused = REFUSED.iter().find(|(w, _)| w.eq_ignore_ascii_case(word));
            if let Some((_, detail)) = refused.filter(|_| !part) {
                let mut fault = Fault::new(place, *detail);
                if *detail == FOLD {
                    fault.code = "unknown_function";
                }
                return Err(fault);
            }
        }
        if tokens.len() == MAX_TOKENS {
            let detail = format!("an expression has at most {MAX_TOKENS} tokens");
            let mut fault = Fault::new(place, detail);
            fault.code = "too_long";
            return Err(fault);
        }
        tokens.push((token, place));
    }
}

struct Lexer<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Lexer<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        let ends_line = next == '\n' || next == '\r' && self.peek() != Some('\n');
        if ends_line {
            self.place.line += 1;
            self.place.column = 1;
        } else {
            self.place.column += 1;
        }
        Some(next)
    }

    /// The characters from here on that fulfil a condition.
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, _) = self.rest.split_at_checked(end).unwrap_or_default();
        for _ in taken.chars() {
            self.next();
        }
        taken
    }

    fn spaces(&mut self) {
        self.take(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
    }

    fn token(&mut self) -> Read<Option<Token>> {
        let place = self.place;
        let Some(first) = self.peek() else {
            return Ok(None);
        };
        let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let fraction = self.rest.strip_prefix('.').unwrap_or_default();
        Ok(Some(match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let word = self.take(part_of_name);
                let prefix = PREFIXES.iter().any(|p| p.eq_ignore_ascii_case(word));
                if prefix && matches!(self.peek(), Some('\'' | '"')) {
                    return Err(Fault::new(place, "strings have no prefix here"));
                }
                Token::Word(word.to_owned())
            }
            '0'..='9' => Token::Number(self.number()?),
            '.' if fraction.starts_with(|c: char| c.is_ascii_digit()) => {
                Token::Number(self.number()?)
            }
            '\'' | '"' => Token::Text(self.quoted(first)?),
            '`' => Token::Quoted(self.quoted(first)?),
            _ => Token::Sign(self.sign(first)?),
        }))
    }

    fn sign(&mut self, first: char) -> Read<&'static str> {
        let place = self.place;
        let known = SIGNS.iter().find(|(sign, _)| self.rest.starts_with(sign));
        match known {
            Some((sign, None)) => {
                for _ in sign.chars() {
                    self.next();
                }
                Ok(sign)
            }
            Some((_, Some(detail))) => Err(Fault::new(place, *detail)),
            None => {
                let code = u32::from(first);
                let detail = format!("U+{code:04X} may only stand in strings and in backquotes");
                Err(Fault::new(place, detail))
            }
        }
    }

    fn number(&mut self) -> Read<String> {
        let place = self.place;
        let digits = |c: char| c.is_ascii_digit();
        let mut number = self.take(digits).to_owned();
        if self.peek() == Some('.') {
            number.extend(self.next());
            number.push_str(self.take(digits));
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            number.extend(self.next());
            if matches!(self.peek(), Some('+' | '-')) {
                number.extend(self.next());
            }
            number.push_str(self.take(digits));
        }
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        let ends = number.ends_with(digits) && !self.rest.starts_with(goes_on);
        let wrong = || Fault::new(place, "is no number of the form 12, 1.5 or 1e3");
        ends.then_some(number).ok_or_else(wrong)
    }

    /// What stands between quotes, with its escapes resolved.
    fn quoted(&mut self, quote: char) -> Read<String> {
        let start = self.place;
        self.next();
        if self.rest.starts_with(&String::from_iter([quote; 2])) {
            return Err(Fault::new(start, "strings stand in one pair of quotes"));
        }
        let mut text = String::new();
        loop {
            let place = self.place;
            match self.next() {
                None => return Err(Fault::new(start, "the quote is not closed")),
                Some('\0') => return Err(Fault::new(place, "U+0000 is not allowed")),
                Some('\n' | '\r') => {
                    let detail = "a line ends within quotes: write it as \\n";
                    return Err(Fault::new(place, detail));
                }
                Some('\\') => text.push(self.escape(place)?),
                Some(end) if end == quote => break,
                Some(other) => text.push(other),
            }
        }
        if self.peek() == Some(quote) {
            let detail = "a quote within quotes is written with a backslash before it";
            return Err(Fault::new(self.place, detail));
        }
        Ok(text)
    }

    /// The character that stands for an escape, whose backslash has been read.
    fn escape(&mut self, place: Place) -> Read<char> {
        let hexadecimal = |digits: Option<&str>| u32::from_str_radix(digits?, 16).ok();
        let code = match self.next() {
            Some('a') => Some(0x07),
            Some('b') => Some(0x08),
            Some('f') => Some(0x0C),
            Some('n') => Some(0x0A),
            Some('r') => Some(0x0D),
            Some('t') => Some(0x09),
            Some('v') => Some(0x0B),
            Some(same @ ('\\' | '?' | '"' | '\'' | '`')) => Some(u32::from(same)),
            Some('x' | 'X') => hexadecimal(self.digits(2)),
            Some('u') => hexadecimal(self.digits(4)),
            Some('U') => hexadecimal(self.digits(8)),
            Some(first @ '0'..='3') => {
                let rest = self.digits(2).unwrap_or_default();
                u32::from_str_radix(&format!("{first}{rest}"), 8)
                    .ok()
                    .filter(|_| rest.len() == 2)
            }
            _ => None,
        };
        let character = code.filter(|code| *code > 0).and_then(char::from_u32);
        character.ok_or_else(|| Fault::new(place, "is no escape that GoogleSQL has"))
    }

    /// So many hexadecimal digits.
    fn digits(&mut self, count: usize) -> Option<&'a str> {
        let digits = self.rest.get(..count)?;
        let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        for _ in 0..count {
            plain.then(|| self.next())?;
        }
        Some(digits)
    }
}
