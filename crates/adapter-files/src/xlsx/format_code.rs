//! Number formats such as `000\.000\.000\-00`, `[h]:mm` or `dd/mm/yyyy;@`.

/// Characters of a format; spreadsheets accept no more.
const MAX_CHARS: usize = 255;

/// A piece of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A character that is shown as it is.
    Literal(char),
    /// Where a digit goes: `0`, `#` or `?`.
    Digit(char),
    Point,
    /// Thousands, or a scale at the end.
    Comma,
    Percent,
    Exponent,
    Slash,
    /// A part of a date or a time in its shortest width: `d`, `m`, `y`, `h`, `s`, or `a` for AM and PM.
    Part(char, u8),
    /// A part of a duration that is not limited by the next larger one: `h`, `m` or `s`.
    Elapsed(char, u8),
    General,
    /// Where a text goes.
    Text,
}

/// Which numbers a section is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Condition {
    operator: Operator,
    operand: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

impl Condition {
    fn of(text: &str) -> Option<Self> {
        let split = text.find(|character| !"<>=".contains(character))?;
        let (operator, operand) = text.split_at(split);
        let operator = match operator {
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            "=" => Operator::Equal,
            "<>" => Operator::NotEqual,
            ">=" => Operator::GreaterOrEqual,
            ">" => Operator::Greater,
            _ => return None,
        };
        let operand = operand.trim().parse().ok()?;
        Some(Self { operator, operand })
    }

    pub(super) fn holds(&self, number: f64) -> bool {
        let Some(order) = number.partial_cmp(&self.operand) else {
            return false;
        };
        match self.operator {
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Greater => order.is_gt(),
        }
    }
}

/// The tokens of one section, for the numbers that meet its condition.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Tokens {
    pub(super) condition: Option<Condition>,
    pub(super) tokens: Vec<Token>,
}

/// Takes a format apart; `None` where it is longer than any.
pub(super) fn sections(code: &str) -> Option<Vec<Tokens>> {
    if code.chars().nth(MAX_CHARS).is_some() {
        return None;
    }
    let mut sections = Vec::new();
    let mut section = Tokens::default();
    let mut rest = code;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        rest = match character {
            ';' => {
                sections.push(std::mem::take(&mut section));
                after
            }
            '"' => {
                let (quoted, after) = after.split_once('"').unwrap_or((after, ""));
                section.tokens.extend(quoted.chars().map(Token::Literal));
                after
            }
            '[' => {
                let (content, after) = after.split_once(']').unwrap_or((after, ""));
                bracket(content, &mut section);
                after
            }
            '\\' | '_' | '*' => {
                let mut characters = after.chars();
                let shown = characters.next();
                section.tokens.extend(match character {
                    '\\' => shown.map(Token::Literal),
                    // Room as wide as the next character.
                    '_' => shown.map(|_| Token::Literal(' ')),
                    // The next character fills the cell.
                    _ => None,
                });
                characters.as_str()
            }
            _ => {
                let (token, bytes) = token(rest, character);
                section.tokens.push(token);
                rest.get(bytes..).unwrap_or_default()
            }
        };
    }
    sections.push(section);
    Some(sections)
}

/// The token that a format goes on with outside quotes and brackets, and the bytes it takes.
fn token(rest: &str, first: char) -> (Token, usize) {
    let starts = |word: &str| {
        let start = rest.get(..word.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    for (word, token) in [
        ("General", Token::General),
        ("AM/PM", Token::Part('a', 1)),
        ("A/P", Token::Part('a', 1)),
        ("E+", Token::Exponent),
        ("E-", Token::Exponent),
    ] {
        if starts(word) {
            return (token, word.len());
        }
    }
    let token = match first.to_ascii_lowercase() {
        '0' | '#' | '?' => Token::Digit(first),
        '.' => Token::Point,
        ',' => Token::Comma,
        '%' => Token::Percent,
        '/' => Token::Slash,
        '@' => Token::Text,
        letter @ ('d' | 'm' | 'y' | 'h' | 's') => {
            let width = run(rest, letter);
            return (Token::Part(letter, width), usize::from(width));
        }
        _ => Token::Literal(first),
    };
    (token, first.len_utf8())
}

/// How often a letter stands at the beginning, at most 255 times.
fn run(text: &str, letter: char) -> u8 {
    let same = |other: &char| other.eq_ignore_ascii_case(&letter);
    let count = text.chars().take_while(same).count();
    u8::try_from(count).unwrap_or(u8::MAX)
}

/// Colours, languages, currencies, conditions and parts of durations.
fn bracket(content: &str, section: &mut Tokens) {
    if let Some(currency) = content.strip_prefix('$') {
        let (symbol, _) = currency.split_once('-').unwrap_or((currency, ""));
        section.tokens.extend(symbol.chars().map(Token::Literal));
        return;
    }
    if let Some(condition) = Condition::of(content) {
        section.condition = Some(condition);
        return;
    }
    let letter = content
        .chars()
        .next()
        .map(|first| first.to_ascii_lowercase());
    if let Some(letter @ ('h' | 'm' | 's')) = letter
        && usize::from(run(content, letter)) == content.len()
    {
        let width = run(content, letter);
        section.tokens.push(Token::Elapsed(letter, width));
    }
}
