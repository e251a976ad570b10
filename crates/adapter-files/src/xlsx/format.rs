//! What a number format makes of a number.

use super::format_code::{Condition, Token, Tokens, sections};

/// What is shown of a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shown {
    /// The number itself: how many decimals and which separators are shown differs between readers
    /// and is not part of what it says.
    Number,
    /// A date, with the time where there is one.
    Date,
    /// The time of day.
    Time,
    /// A duration.
    Duration(Vec<Token>),
    /// The number times one hundred, with this many decimals at least and at most.
    Percent(usize, usize),
    /// Digits at their places: a document, a phone number, a postal code.
    Code(Vec<Token>),
    /// A text instead of the number.
    Text(String),
}

/// A number format: what is shown of which numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Format {
    sections: Vec<(Option<Condition>, Shown)>,
}

impl Format {
    /// Of a format without a code, or that is not understood.
    pub(super) const GENERAL: Self = Self {
        sections: Vec::new(),
    };

    /// The same, borrowed.
    pub(super) fn general() -> &'static Self {
        static GENERAL: Format = Format::GENERAL;
        &GENERAL
    }

    /// A format by its code.
    pub(super) fn of(code: &str) -> Self {
        let Some(mut sections) = sections(code) else {
            return Self::GENERAL;
        };
        // The fourth section, and a last one with a place for it, is for texts.
        sections.truncate(3);
        if sections.len() > 1
            && let Some(last) = sections.last()
            && last.tokens.contains(&Token::Text)
        {
            sections.pop();
        }
        let alone = sections.len() == 1;
        let sections = sections.into_iter().map(|section| {
            let hidden = section.tokens.is_empty() && !alone;
            let shown = if hidden {
                Shown::Text(String::new())
            } else {
                shown(&section)
            };
            (section.condition, shown)
        });
        let sections: Vec<_> = sections.collect();
        if sections.iter().all(|(_, shown)| *shown == Shown::Number) {
            return Self::GENERAL;
        }
        Self { sections }
    }

    /// A format by the number that stands for its code. Those that are not listed show a number.
    pub(super) fn built_in(id: u32) -> Self {
        Self::of(match id {
            9 => "0%",
            10 => "0.00%",
            14..=17 | 22 | 27..=36 | 50..=58 => "yyyy-mm-dd",
            18..=21 | 45 | 47 => "hh:mm:ss",
            46 => "[h]:mm:ss",
            _ => "General",
        })
    }

    /// What is shown of a number, and whether its sign is.
    pub(super) fn shown(&self, number: f64) -> (&Shown, bool) {
        let negative = number < 0.0;
        let by_condition = self
            .sections
            .iter()
            .any(|(condition, _)| condition.is_some());
        let last = self.sections.len().saturating_sub(1);
        let index = if by_condition {
            let applies = |(index, (condition, _)): (usize, &(Option<Condition>, Shown))| {
                let applies = match condition {
                    Some(condition) => condition.holds(number),
                    None => index == 1 && negative,
                };
                applies.then_some(index)
            };
            self.sections
                .iter()
                .enumerate()
                .find_map(applies)
                .unwrap_or(last)
        } else if negative {
            last.min(1)
        } else if number == 0.0 && last == 2 {
            2
        } else {
            0
        };
        let signed = negative && (by_condition || index == 0);
        let section = self.sections.get(index);
        (section.map_or(&Shown::Number, |(_, shown)| shown), signed)
    }
}

fn shown(section: &Tokens) -> Shown {
    let tokens = &section.tokens;
    let part = |letters: &str| {
        let is_part =
            |token: &Token| matches!(token, Token::Part(letter, _) if letters.contains(*letter));
        tokens.iter().any(is_part)
    };
    if tokens
        .iter()
        .any(|token| matches!(token, Token::Elapsed(..)))
    {
        return Shown::Duration(tokens.clone());
    }
    if part("dy") {
        return Shown::Date;
    }
    if part("hsa") {
        return Shown::Time;
    }
    if part("m") {
        return Shown::Date;
    }
    let digits: Vec<usize> = places(tokens, |token| matches!(token, Token::Digit(_)));
    let (Some(first), Some(last)) = (digits.first(), digits.last()) else {
        return without_digits(tokens);
    };
    if tokens.contains(&Token::Percent) {
        return percent(tokens);
    }
    let quantity = [
        Token::Point,
        Token::Comma,
        Token::Exponent,
        Token::Slash,
        Token::General,
    ];
    if tokens.iter().any(|token| quantity.contains(token)) {
        return Shown::Number;
    }
    let pads = tokens
        .iter()
        .filter(|token| **token == Token::Digit('0'))
        .count()
        > 1;
    let literals = places(tokens, |token| match token {
        Token::Literal(character) => *character == '+' || character.is_ascii_digit(),
        _ => false,
    });
    let punctuates = last - first >= digits.len() || !literals.is_empty();
    if pads || punctuates {
        Shown::Code(tokens.clone())
    } else {
        Shown::Number
    }
}

fn places(tokens: &[Token], wanted: impl Fn(&Token) -> bool) -> Vec<usize> {
    let tokens = tokens.iter().enumerate();
    let tokens = tokens.filter(|(_, token)| wanted(token));
    tokens.map(|(index, _)| index).collect()
}

/// `"yes"` is a text; a dash for zero is still a number, as is a format of texts.
fn without_digits(tokens: &[Token]) -> Shown {
    if tokens
        .iter()
        .any(|token| matches!(token, Token::Text | Token::General))
    {
        return Shown::Number;
    }
    let literal = |token: &Token| match token {
        Token::Literal(character) => Some(*character),
        _ => None,
    };
    let text: String = tokens.iter().filter_map(literal).collect();
    if text.contains(char::is_alphanumeric) {
        Shown::Text(text.trim().to_owned())
    } else {
        Shown::Number
    }
}

fn percent(tokens: &[Token]) -> Shown {
    let decimals = tokens.iter().skip_while(|token| **token != Token::Point);
    let decimals = decimals.filter(|token| matches!(token, Token::Digit(_)));
    let least = decimals
        .clone()
        .filter(|token| **token == Token::Digit('0'))
        .count();
    // Spreadsheets show no more.
    let most = decimals.count().min(30);
    Shown::Percent(least.min(most), most)
}
