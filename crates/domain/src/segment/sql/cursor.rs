//! What is left of an expression while it is read.

use super::{
    super::Notation,
    lexer::{Fault, Place, Placed, Read, Token},
    literal::Literal,
};

pub(super) struct Cursor<'a> {
    /// The tokens that have not been read.
    pub(super) rest: &'a [Placed],
    /// The end of the text.
    pub(super) end: Place,
}

impl<'a> Cursor<'a> {
    pub(super) fn peek(&self, ahead: usize) -> Option<&'a Token> {
        self.rest.get(ahead).map(|(token, _)| token)
    }

    /// Of what is next.
    pub(super) fn place(&self) -> Place {
        self.rest.first().map_or(self.end, |(_, place)| *place)
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    pub(super) fn is(&self, ahead: usize, keyword: &str) -> bool {
        matches!(self.peek(ahead), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn is_sign(&self, ahead: usize, sign: &str) -> bool {
        matches!(self.peek(ahead), Some(Token::Sign(found)) if *found == sign)
    }

    /// Whether the keyword is next, which is read then.
    pub(super) fn takes(&mut self, keyword: &str) -> bool {
        let found = self.is(0, keyword);
        self.skip(usize::from(found));
        found
    }

    /// As [`Cursor::takes`].
    pub(super) fn takes_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(0, sign);
        self.skip(usize::from(found));
        found
    }

    pub(super) fn sign(&mut self, sign: &str, expected: &str) -> Read<()> {
        let found = self.takes_sign(sign);
        found.then_some(()).ok_or_else(|| self.unexpected(expected))
    }

    /// What is next should be something else.
    pub(super) fn unexpected(&self, expected: &str) -> Fault {
        let arithmetic = self.is_sign(0, "+") || self.is_sign(0, "-");
        let detail = if arithmetic {
            "arithmetic is not allowed"
        } else {
            expected
        };
        Fault::new(self.place(), detail)
    }

    /// A literal, if one is next.
    pub(super) fn literal(&mut self, notation: &Notation) -> Read<Option<Literal>> {
        let place = self.place();
        let sign = self.is_sign(0, "-") || self.is_sign(0, "+");
        let (length, literal) = match (self.peek(0), self.peek(1)) {
            (Some(Token::Text(text)), _) => (1, Literal::plain(text.as_str(), place)),
            (Some(Token::Number(digits)), _) => (1, Literal::number(digits, false, place)?),
            (Some(Token::Sign(_)), Some(Token::Number(digits))) if sign => {
                let negative = self.is_sign(0, "-");
                (2, Literal::number(digits, negative, place)?)
            }
            (Some(Token::Word(_)), Some(Token::Text(text))) if self.is(0, "DATE") => {
                (2, Literal::day(text, place, notation)?)
            }
            (Some(Token::Word(_)), Some(Token::Text(text))) if self.is(0, "TIMESTAMP") => {
                (2, Literal::instant(text, place, notation)?)
            }
            _ if self.is(0, "NULL") => (1, Literal::plain((), place)),
            _ if self.is(0, "TRUE") => (1, Literal::plain(true, place)),
            _ if self.is(0, "FALSE") => (1, Literal::plain(false, place)),
            _ => return Ok(None),
        };
        self.skip(length);
        Ok(Some(literal))
    }
}
