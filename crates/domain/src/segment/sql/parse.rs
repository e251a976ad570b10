//! Reading a boolean expression.
//!
//! Chains of `AND`, `OR` and `NOT` are read in loops, and only parentheses by recursion, which is
//! bounded. What is read is the tree of those for whom the expression is true, or within a negation
//! false: De Morgan's laws hold for the logic of three values.

use super::{
    super::{
        Field,
        grammar::{Grammar, Parsed, required},
    },
    SqlCondition, SqlTree,
    cursor::Cursor,
    leaf::{Leaf, constant, joined},
    lexer::{Fault, Place, Read, Token, tokens},
    literal::Literal,
};
use crate::shared::Violation;

const MAX_BYTES: usize = 8 << 10;
/// Most parentheses within each other: the stored form stays as shallow as its readers allow.
const MAX_DEPTH: usize = 20;

const FIELDS: [&str; 12] = [
    "document",
    "name",
    "phone",
    "email",
    "document_kind",
    "document_valid",
    "phone_valid",
    "email_valid",
    "created_at",
    "updated_at",
    "client_id",
    "external_id",
];
const KEYWORDS: [&str; 9] = [
    "AND", "OR", "NOT", "IN", "IS", "BETWEEN", "TRUE", "FALSE", "NULL",
];
/// The functions, with the operator that each is.
const FUNCTIONS: [(&str, &str); 2] = [
    ("STARTS_WITH", "starts_with"),
    ("CONTAINS_SUBSTR", "contains"),
];
/// The comparisons, and what each is with its sides exchanged.
const COMPARISONS: [(&str, &str); 7] = [
    ("=", "="),
    ("!=", "!="),
    ("<>", "<>"),
    ("<", ">"),
    ("<=", ">="),
    (">", "<"),
    (">=", "<="),
];

/// Reads an expression.
pub(in super::super) fn parse(text: &str, at: &str, grammar: Grammar<'_>) -> Parsed<SqlCondition> {
    if text.trim().is_empty() {
        return Err(required(at));
    }
    if text.len() > MAX_BYTES {
        let detail = format!("must not be longer than {MAX_BYTES} bytes");
        return Err(Violation::new(at, "too_long", detail));
    }
    let meaning = read(text, grammar).map_err(|fault| {
        let detail = format!("{}: {}", fault.place, fault.detail);
        Violation::new(at, fault.code, detail)
    })?;
    let text = text.to_owned();
    Ok(SqlCondition { text, meaning })
}

fn read(text: &str, grammar: Grammar<'_>) -> Read<SqlTree> {
    let (tokens, end) = tokens(text)?;
    let mut parser = Parser {
        cursor: Cursor { rest: &tokens, end },
        depth: 0,
        grammar,
    };
    let tree = parser.any(true)?;
    if parser.cursor.rest.is_empty() {
        Ok(tree)
    } else {
        let expected = "AND, OR or the end is expected here";
        Err(parser.cursor.unexpected(expected))
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    depth: usize,
    grammar: Grammar<'a>,
}

impl<'a> Parser<'a> {
    fn any(&mut self, wanted: bool) -> Read<SqlTree> {
        let mut parts = vec![self.all(wanted)?];
        while self.cursor.takes("OR") {
            parts.push(self.all(wanted)?);
        }
        Ok(joined(parts, !wanted))
    }

    fn all(&mut self, wanted: bool) -> Read<SqlTree> {
        let mut parts = vec![self.negated(wanted)?];
        while self.cursor.takes("AND") {
            parts.push(self.negated(wanted)?);
        }
        Ok(joined(parts, wanted))
    }

    fn negated(&mut self, mut wanted: bool) -> Read<SqlTree> {
        while self.cursor.takes("NOT") {
            wanted = !wanted;
        }
        if self.cursor.is_sign(0, "(") {
            self.parenthesis(wanted)
        } else {
            self.condition(wanted)
        }
    }

    fn parenthesis(&mut self, wanted: bool) -> Read<SqlTree> {
        if self.depth == MAX_DEPTH {
            let detail = format!("parentheses are nested more than {MAX_DEPTH} deep");
            return Err(Fault::new(self.cursor.place(), detail));
        }
        self.cursor.skip(1);
        self.depth += 1;
        let tree = self.any(wanted)?;
        self.depth -= 1;
        let expected = "AND, OR or a closing parenthesis is expected here";
        self.cursor.sign(")", expected)?;
        Ok(tree)
    }

    fn condition(&mut self, wanted: bool) -> Read<SqlTree> {
        if let Some(left) = self.cursor.literal(self.grammar.notation)? {
            return self.mirrored(left, wanted);
        }
        if let Some(operator) = self.function() {
            return self.call(operator, wanted);
        }
        let field = self.field("a condition is expected here")?;
        let negated =
            self.cursor.is(0, "NOT") && (self.cursor.is(1, "IN") || self.cursor.is(1, "BETWEEN"));
        self.cursor.skip(usize::from(negated));
        let mut leaf = self.leaf(field, self.cursor.place(), wanted != negated);
        if self.cursor.takes("IN") {
            return leaf.listed(self.list()?);
        }
        if self.cursor.takes("BETWEEN") {
            let low = self.operand()?;
            if !self.cursor.takes("AND") {
                let expected = "AND and the upper end are expected here";
                return Err(self.cursor.unexpected(expected));
            }
            return leaf.between([low, self.operand()?]);
        }
        if self.cursor.takes("IS") {
            leaf.wanted = wanted != self.cursor.takes("NOT");
            let keyword = ["NULL", "TRUE", "FALSE"].iter();
            if !keyword.clone().any(|k| self.cursor.is(0, k)) {
                let expected = "NULL, TRUE or FALSE is expected here";
                return Err(self.cursor.unexpected(expected));
            }
            return leaf.is(&self.operand()?);
        }
        if let Some((sign, _)) = self.comparison() {
            return leaf.compared(sign, self.operand()?);
        }
        self.alone(&leaf)
    }

    fn leaf(&self, field: Field, place: Place, wanted: bool) -> Leaf<'a> {
        Leaf {
            field,
            place,
            wanted,
            notation: self.grammar.notation,
        }
    }

    /// A field that is a condition by itself.
    fn alone(&self, leaf: &Leaf<'_>) -> Read<SqlTree> {
        match leaf.field {
            Field::DocumentValid | Field::PhoneValid | Field::EmailValid => {
                let value = Literal::plain(leaf.wanted, leaf.place);
                let is = Leaf {
                    field: leaf.field.clone(),
                    wanted: true,
                    ..*leaf
                };
                is.is(&value)
            }
            Field::Attribute(_) => {
                let expected = "a comparison is expected here, such as = TRUE";
                Err(self.cursor.unexpected(expected))
            }
            _ => Err(self.cursor.unexpected("a comparison is expected here")),
        }
    }

    /// A condition that begins with a literal.
    fn mirrored(&mut self, left: Literal, wanted: bool) -> Read<SqlTree> {
        let place = self.cursor.place();
        if let Some((_, sign)) = self.comparison() {
            let field = self.field("a field is expected here")?;
            return self.leaf(field, place, wanted).compared(sign, left);
        }
        match left.value.as_bool() {
            Some(value) => Ok(constant(value == wanted)),
            None => {
                let expected = "a comparison with a field is expected here";
                Err(self.cursor.unexpected(expected))
            }
        }
    }

    /// The operator of the function that is called next, if it is one of ours.
    fn function(&self) -> Option<&'static str> {
        let called = self.cursor.is_sign(1, "(");
        let mut known = FUNCTIONS.iter();
        let (_, operator) = known.find(|(name, _)| called && self.cursor.is(0, name))?;
        Some(operator)
    }

    fn call(&mut self, operator: &str, wanted: bool) -> Read<SqlTree> {
        let place = self.cursor.place();
        self.cursor.skip(2);
        let field = self.field("a field is expected here")?;
        self.cursor.sign(",", "a comma is expected here")?;
        if !matches!(self.cursor.peek(0), Some(Token::Text(_))) {
            return Err(self.cursor.unexpected("a string is expected here"));
        }
        let part = [self.operand()?];
        let expected = "a closing parenthesis is expected here";
        self.cursor.sign(")", expected)?;
        self.leaf(field, place, wanted).tested(operator, &part)
    }

    fn list(&mut self) -> Read<Vec<Literal>> {
        let expected = "a list in parentheses is expected here";
        self.cursor.sign("(", expected)?;
        let mut list = vec![self.operand()?];
        while self.cursor.takes_sign(",") {
            list.push(self.operand()?);
        }
        let expected = "a comma or a closing parenthesis is expected here";
        self.cursor.sign(")", expected)?;
        Ok(list)
    }

    fn comparison(&mut self) -> Option<(&'static str, &'static str)> {
        let mut known = COMPARISONS.iter();
        known
            .find(|(sign, _)| self.cursor.takes_sign(sign))
            .copied()
    }

    /// The literal that a field is compared with.
    fn operand(&mut self) -> Read<Literal> {
        let expected = "a literal is expected here; strings stand in quotes";
        let literal = self.cursor.literal(self.grammar.notation)?;
        literal.ok_or_else(|| {
            self.unknown_function()
                .unwrap_or_else(|| self.cursor.unexpected(expected))
        })
    }

    fn field(&mut self, expected: &str) -> Read<Field> {
        let place = self.cursor.place();
        let (name, part, length) = match (self.cursor.peek(0), self.cursor.peek(2)) {
            (Some(Token::Word(_)), Some(Token::Word(name) | Token::Quoted(name)))
                if self.cursor.is(0, "attributes") && self.cursor.is_sign(1, ".") =>
            {
                (name.as_str(), true, 3)
            }
            (Some(Token::Word(name)), _) => (name.as_str(), false, 1),
            (Some(Token::Quoted(name)), _) => match name.strip_prefix("attributes.") {
                Some(name) => (name, true, 1),
                None => (name.as_str(), false, 1),
            },
            _ => return Err(self.cursor.unexpected(expected)),
        };
        if KEYWORDS.iter().any(|keyword| self.cursor.is(0, keyword)) {
            return Err(self.cursor.unexpected(expected));
        }
        if let Some(fault) = self.unknown_function() {
            return Err(fault);
        }
        let named = if part {
            Field::named(&format!("attributes.{name}"), self.grammar.subject)
        } else {
            let name = name.to_ascii_lowercase();
            let known = FIELDS.contains(&name.as_str());
            let field = Field::named(&name, self.grammar.subject);
            field.filter(|field| known && !matches!(field, Field::Attribute(_)))
        };
        let unknown = || Fault {
            code: "unknown_field",
            place,
            detail: format!(
                "must be one of {}, or an attribute: attributes.name, or `attributes.any name` in backquotes",
                FIELDS.join(", ")
            ),
        };
        let field = named.ok_or_else(unknown)?;
        self.cursor.skip(length);
        if self.cursor.is_sign(0, ".") {
            let detail = "a name with a point stands in backquotes";
            return Err(Fault::new(self.cursor.place(), detail));
        }
        Ok(field)
    }

    /// What is wrong where a function is called.
    fn unknown_function(&self) -> Option<Fault> {
        let called =
            matches!(self.cursor.peek(0), Some(Token::Word(_))) && self.cursor.is_sign(1, "(");
        let names: Vec<_> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
        called.then(|| Fault {
            code: "unknown_function",
            place: self.cursor.place(),
            detail: format!("the only functions are {}", names.join(" and ")),
        })
    }
}
